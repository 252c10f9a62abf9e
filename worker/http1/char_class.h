// Classes of bytes in HTTP/1.1 grammar, as one compile-time table. Any process; no state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace restgate::http1 {

/// Bits of kCharClasses.
inline constexpr uint8_t kTokenChar = 1;     ///< tchar, RFC 9110 §5.6.2
inline constexpr uint8_t kTargetChar = 2;    ///< of a request-target: visible US-ASCII without '#'; obs-text
inline constexpr uint8_t kRegNameChar = 4;   ///< unreserved and sub-delims of a reg-name, RFC 3986 §3.2.2
inline constexpr uint8_t kQuotedChar = 8;    ///< qdtext, RFC 9110 §5.6.4
inline constexpr uint8_t kControlChar = 16;  ///< forbidden everywhere in a head: CTL except HTAB, RFC 9110 §5.5

namespace detail {

constexpr bool is_alnum(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr uint8_t char_class(unsigned c) {
  const auto in = [c](std::string_view set) {
    return c != 0 && set.find(static_cast<char>(c)) != std::string_view::npos;
  };
  unsigned bits = 0;
  if (is_alnum(c) || in("!#$%&'*+-.^_`|~")) bits |= kTokenChar;
  if (c > 0x20 && c != 0x7F && c != '#') bits |= kTargetChar;
  if (is_alnum(c) || in("-._~!$&'()*+,;=")) bits |= kRegNameChar;
  if (c == '\t' || (c >= 0x20 && c != 0x7F && c != '"' && c != '\\')) bits |= kQuotedChar;
  if ((c < 0x20 && c != '\t') || c == 0x7F) bits |= kControlChar;
  return static_cast<uint8_t>(bits);
}

constexpr std::array<uint8_t, 256> make_char_classes() {
  std::array<uint8_t, 256> table{};
  for (unsigned c = 0; c < 256; ++c) table[c] = char_class(c);
  return table;
}

}  // namespace detail

inline constexpr std::array<uint8_t, 256> kCharClasses = detail::make_char_classes();

[[nodiscard]] constexpr bool is_class(char c, uint8_t classes) {
  return (kCharClasses[static_cast<uint8_t>(c)] & classes) != 0;
}

/// The first byte of [p, end) that is in none of `classes`; `end` if there is none.
[[nodiscard]] constexpr const char* skip_class(const char* p, const char* end, uint8_t classes) {
  const auto of = [](char c) { return kCharClasses[static_cast<uint8_t>(c)]; };
  while (end - p >= 4 && (of(p[0]) & of(p[1]) & of(p[2]) & of(p[3]) & classes) != 0) p += 4;
  while (p != end && is_class(*p, classes)) ++p;
  return p;
}

[[nodiscard]] constexpr bool is_token(std::string_view text) {
  return !text.empty() && skip_class(text.data(), text.data() + text.size(), kTokenChar) == text.data() + text.size();
}

[[nodiscard]] constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The value of a hex digit, -1 for any other byte.
[[nodiscard]] constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const int lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// `lower` is in lower case; `text` is any. Case-insensitive in US-ASCII.
[[nodiscard]] constexpr bool equals_ignore_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == lower[i]) continue;
    if (text[i] < 'A' || text[i] > 'Z' || (text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

/// Without the OWS (SP and HTAB, RFC 9110 §5.6.3) on both sides.
[[nodiscard]] constexpr std::string_view trim_ows(std::string_view text) {
  const char* first = text.data();
  const char* last = first + text.size();
  while (first != last && (*first == ' ' || *first == '\t')) ++first;
  while (first != last && (last[-1] == ' ' || last[-1] == '\t')) --last;
  return {first, static_cast<size_t>(last - first)};
}

}  // namespace restgate::http1
