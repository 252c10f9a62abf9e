// Text tools of the reference parsers: plain copies of strings, nothing clever.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace restgate::http1::reference {

inline std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

inline std::string trim(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

inline std::vector<std::string> split(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t pos = 0;
  for (;;) {
    const size_t next = text.find(separator, pos);
    parts.push_back(text.substr(pos, next == std::string::npos ? next : next - pos));
    if (next == std::string::npos) return parts;
    pos = next + separator.size();
  }
}

/// The non-empty elements of a comma-separated list.
inline std::vector<std::string> elements(const std::string& list) {
  std::vector<std::string> result;
  for (const std::string& part : split(list, ","))
    if (!trim(part).empty()) result.push_back(trim(part));
  return result;
}

inline bool only(const std::string& text, const std::string& allowed) {
  return text.find_first_not_of(allowed) == std::string::npos;
}

inline const std::string kDigits = "0123456789";
inline const std::string kAlpha = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
inline const std::string kHexDigits = "0123456789abcdefABCDEF";

inline bool token(const std::string& text) {
  return !text.empty() && only(text, kAlpha + kDigits + "!#$%&'*+-.^_`|~");
}

/// Whether a control character other than HTAB is in it.
inline bool has_control(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 32 && byte != 9) || byte == 127) return true;
  }
  return false;
}

/// Content-Length and chunk sizes: false if the digits are too many or their value is 2^63 or more.
inline bool number(const std::string& digits, unsigned base, uint64_t& value) {
  if (digits.empty() || !only(digits, base == 10 ? kDigits : kHexDigits)) return false;
  const std::string significant = digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (significant.size() > (base == 10 ? 19U : 16U)) return false;
  value = std::stoull(significant, nullptr, static_cast<int>(base));
  return value >> 63 == 0;
}

}  // namespace restgate::http1::reference
