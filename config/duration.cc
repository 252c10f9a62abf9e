#include "config/duration.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace restgate::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t nanoseconds;
};

constexpr std::array<Unit, 8> kUnits = {{{"ns", 1},
                                         {"us", 1'000},
                                         {"\u00b5s", 1'000},  // micro sign
                                         {"\u03bcs", 1'000},  // Greek mu
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

constexpr uint64_t kLongestNanoseconds = std::numeric_limits<int64_t>::max();

std::optional<uint64_t> unit_of(std::string_view name) {
  for (const Unit& unit : kUnits)
    if (unit.name == name) return unit.nanoseconds;
  return std::nullopt;
}

size_t skip_digits(std::string_view text, size_t at) {
  while (at < text.size() && is_ascii_digit(text[at])) ++at;
  return at;
}

// What stands between a number and the next one.
size_t skip_unit(std::string_view text, size_t at) {
  while (at < text.size() && !is_ascii_digit(text[at]) && text[at] != '.') ++at;
  return at;
}

std::string unit_message(std::string_view number, std::string_view unit) {
  if (unit.empty())
    return "the unit is missing: write '" + visible(number, 20) + "s' for seconds or '" + visible(number, 20) +
           "ms' for milliseconds";
  const std::string lower = to_lower(unit);
  if (unit.front() == ' ' || unit.front() == '\t')
    return "a duration has no blanks: write the unit right after the number";
  std::string message = "unknown unit " + quoted(unit);
  if (unit_of(lower)) return message + "; did you mean '" + lower + "'?";
  if (lower.starts_with("d")) return message + ": the units are ns, us, ms, s, m and h (1 day is 24h)";
  if (lower.starts_with("mi")) return message + "; did you mean 'm'?";
  if (lower.starts_with("se")) return message + "; did you mean 's'?";
  return message + ": the units are ns, us, ms, s, m and h";
}

/// A number with its fraction, before its unit is known.
struct Amount {
  uint64_t whole = 0;
  double fraction = 0;  ///< below 1
  bool overflow = false;
};

Amount parse_amount(std::string_view number) {
  Amount amount;
  const size_t point = number.find('.');
  const std::string_view whole = number.substr(0, point);
  if (!whole.empty()) {
    const auto value = parse_decimal(whole);
    amount.overflow = !value;
    amount.whole = value.value_or(0);
  }
  if (point == std::string_view::npos) return amount;
  double scale = 0.1;
  for (const char c : number.substr(point + 1)) {
    amount.fraction += scale * (c - '0');
    scale /= 10;
  }
  return amount;
}

/// Adds amount × unit; false: beyond what a duration may be.
bool add(uint64_t& total, const Amount& amount, uint64_t unit) {
  uint64_t product = 0;
  if (amount.overflow || __builtin_mul_overflow(amount.whole, unit, &product)) return false;
  if (product > kLongestNanoseconds) return false;
  // The half keeps 0.1s from becoming 99,999,999 ns.
  product += static_cast<uint64_t>(amount.fraction * static_cast<double>(unit) + 0.5);
  total += product;  // both are below 2^63 and a bit: no wrap
  return total <= kLongestNanoseconds;
}

}  // namespace

Result<std::chrono::nanoseconds, TextError> parse_nanoseconds(std::string_view text) {
  if (text.empty()) return TextError{"expected a duration such as 500ms, 10s or 1m30s", 0};
  if (text.front() == '-') return TextError{"a duration cannot be negative", 0};
  size_t at = text.front() == '+' ? 1 : 0;
  if (text.substr(at) == "0") return std::chrono::nanoseconds{0};
  if (at == text.size()) return TextError{"expected a duration such as 500ms, 10s or 1m30s", 0};
  uint64_t nanoseconds = 0;
  while (at < text.size()) {
    const size_t start = at;
    at = skip_digits(text, at);
    size_t digits = at - start;
    if (at < text.size() && text[at] == '.') {
      const size_t fraction = at + 1;
      at = skip_digits(text, fraction);
      digits += at - fraction;
    }
    if (digits == 0) return TextError{"expected a duration such as 500ms, 10s or 1m30s, got " + quoted(text), start};
    const std::string_view number = text.substr(start, at - start);
    const size_t unit_start = at;
    at = skip_unit(text, at);
    const std::string_view unit = text.substr(unit_start, at - unit_start);
    const auto factor = unit_of(unit);
    if (!factor) return TextError{unit_message(number, unit), unit_start};
    if (!add(nanoseconds, parse_amount(number), *factor)) return TextError{"this duration is too long", start};
  }
  return std::chrono::nanoseconds(static_cast<int64_t>(nanoseconds));
}

Result<std::chrono::milliseconds, TextError> parse_duration(std::string_view text) {
  const auto exact = parse_nanoseconds(text);
  if (!exact) return exact.error();
  return std::chrono::ceil<std::chrono::milliseconds>(*exact);
}

}  // namespace restgate::config
