#include "master/status/json_writer.h"

#include <array>
#include <cmath>

namespace restgate::master {

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  constexpr int kDigits = 6;
  std::array<char, 32> space;
  const char* const end =
      std::to_chars(space.data(), space.data() + space.size(), number, std::chars_format::general, kDigits).ptr;
  return raw({space.data(), static_cast<size_t>(end - space.data())});
}

}  // namespace restgate::master
