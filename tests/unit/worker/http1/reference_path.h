// The slow and obvious way to take a request path apart, for http1::Path to be compared with.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace restgate::http1::reference {

inline std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (separators.find(c) != std::string_view::npos) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  return pieces;
}

inline std::optional<std::string> decode(const std::string& segment) {
  static constexpr std::string_view kHex = "0123456789abcdef0123456789ABCDEF";
  std::string out;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      out += segment[i];
      continue;
    }
    if (i + 2 >= segment.size()) return std::nullopt;
    const size_t high = kHex.find(segment[i + 1]);
    const size_t low = kHex.find(segment[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    const char byte = static_cast<char>(high % 16 * 16 + low % 16);
    if (byte == '\0') return std::nullopt;
    out += byte;
    i += 2;
  }
  return out;
}

/// ASCII characters that matter, out of their overlong forms of UTF-8.
inline std::string without_overlong_forms(std::string text) {
  static const std::vector<std::pair<std::string, std::string>> forms = {
      {"\xC0\xAE", "."},      {"\xE0\x80\xAE", "."},      {"\xF0\x80\x80\xAE", "."},
      {"\xC0\xAF", "/"},      {"\xE0\x80\xAF", "/"},      {"\xC1\x9C", "\\"},
      {"\xE0\x81\x9C", "\\"}, {"\xF0\x80\x81\x9C", "\\"}, {"\xF0\x80\x80\xAF", "/"}};
  for (const auto& [form, meaning] : forms)
    for (size_t at = text.find(form); at != std::string::npos; at = text.find(form))
      text.replace(at, form.size(), meaning);
  return text;
}

/// The decoded segments, or nothing for a path that must be refused.
inline std::optional<std::vector<std::string>> decode_path(std::string_view raw) {
  for (const char c : raw) {
    if ((c >= 0 && c <= ' ') || c == 127 || c == '\\' || c == '#' || c == '?') return std::nullopt;
  }
  if (raw.empty() || raw.front() != '/') return std::nullopt;
  std::vector<std::string> segments = split(raw.substr(1), "/");
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].empty() && i + 1 < segments.size()) return std::nullopt;
    const std::optional<std::string> decoded = decode(segments[i]);
    if (!decoded) return std::nullopt;
    for (const std::string& piece : split(without_overlong_forms(*decoded), "/\\")) {
      if (piece == "." || piece == "..") return std::nullopt;
    }
    segments[i] = *decoded;
  }
  return segments;
}

}  // namespace restgate::http1::reference
