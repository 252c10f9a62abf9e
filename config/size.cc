#include "config/size.h"

#include <array>
#include <limits>
#include <optional>
#include <string>

namespace restgate::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t bytes;
};

constexpr std::array<Unit, 10> kUnits = {{{"B", 1},
                                          {"KB", 1'000},
                                          {"kB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", uint64_t{1} << 10U},
                                          {"MiB", uint64_t{1} << 20U},
                                          {"GiB", uint64_t{1} << 30U},
                                          {"TiB", uint64_t{1} << 40U}}};

std::optional<uint64_t> unit_of(std::string_view name) {
  if (name.empty()) return 1;
  for (const Unit& unit : kUnits)
    if (unit.name == name) return unit.bytes;
  return std::nullopt;
}

std::string unit_message(std::string_view unit) {
  if (unit.front() == '.' || unit.front() == ',') return "a size is a whole number: use a smaller unit";
  if (unit.front() == ' ' || unit.front() == '\t') return "a size has no blanks: write the unit right after the number";
  std::string message = "unknown unit " + quoted(unit);
  const std::string lower = to_lower(unit);
  for (const Unit& known : kUnits) {  // "64k" and "64kb", "64Ki" and "64kib" are close to a unit of ours
    const std::string name = to_lower(known.name);
    const bool bare = lower + "b" == name && lower.size() == 1;  // powers of 1000 or of 1024?
    if (bare) return message + "; did you mean '" + std::string(known.name) + "' or '" + known.name[0] + "iB'?";
    if (lower == name || lower + "b" == name) return message + "; did you mean '" + std::string(known.name) + "'?";
  }
  return message + ": the units are B, KB, MB, GB, TB, KiB, MiB, GiB and TiB";
}

}  // namespace

Result<uint64_t, TextError> parse_size(std::string_view text) {
  if (text.empty()) return TextError{"expected a size such as 512, 64KiB or 10MB", 0};
  if (text.front() == '-') return TextError{"a size cannot be negative", 0};
  size_t digits = 0;
  while (digits < text.size() && is_ascii_digit(text[digits])) ++digits;
  if (digits == 0) return TextError{"expected a size such as 512, 64KiB or 10MB, got " + quoted(text), 0};
  const auto factor = unit_of(text.substr(digits));
  if (!factor) return TextError{unit_message(text.substr(digits)), digits};
  const auto number = parse_decimal(text.substr(0, digits));
  uint64_t bytes = 0;
  if (!number || __builtin_mul_overflow(*number, *factor, &bytes) || bytes > std::numeric_limits<int64_t>::max())
    return TextError{"this size is too large", 0};
  return bytes;
}

}  // namespace restgate::config
