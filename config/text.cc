#include "config/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>
#include <vector>

namespace restgate::config {
namespace {

constexpr size_t kQuotedColumns = 60;
constexpr size_t kLargestDistance = 3;
constexpr size_t kShortestStem = 3;
constexpr size_t kLongestWord = 64;  // longer ones are nobody's near miss

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

// Characters that reorder or hide what stands next to them.
bool is_deceptive(uint32_t c) {
  return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         c == 0x061c;
}

void append_hex(std::string& out, const char* prefix, uint32_t value, int digits) {
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%s%0*x", prefix, digits, value);
  out += buffer.data();
}

std::string fold(std::string_view word) {
  std::string folded;
  for (const char c : to_lower(word))
    if (c != '_' && c != '-') folded += c;
  return folded;
}

/// A third of the word, at most three; also three letters more or fewer at the end ("warning", "err").
size_t allowed_distance(std::string_view word, std::string_view candidate) {
  const bool one_begins_other = word.starts_with(candidate) || candidate.starts_with(word);
  if (one_begins_other && std::min(word.size(), candidate.size()) >= kShortestStem) return kLargestDistance;
  return std::clamp<size_t>(candidate.size() / 3, 1, kLargestDistance);
}

}  // namespace

CodePoint decode_utf8(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {.value = lead, .length = 1, .valid = true};
  const CodePoint invalid{.value = lead, .length = 1, .valid = false};
  uint8_t length = 0;
  uint32_t value = 0;
  uint32_t least = 0;
  if (lead >= 0xc2 && lead <= 0xdf) {
    length = 2, value = lead & 0x1fU, least = 0x80;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    length = 3, value = lead & 0x0fU, least = 0x800;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    length = 4, value = lead & 0x07U, least = 0x10000;
  } else {
    return invalid;
  }
  if (text.size() - at < length) return invalid;
  for (size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[at + i])) return invalid;
    value = (value << 6U) | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return invalid;
  return {.value = value, .length = length, .valid = true};
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += decode_utf8(text, at).length) ++count;
  return count;
}

bool is_control(uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
}

void append_visible(std::string& out, std::string_view text, const CodePoint& point, size_t at) {
  if (!point.valid) {
    append_hex(out, "\\x", point.value, 2);
  } else if (point.value == '\n') {
    out += "\\n";
  } else if (point.value == '\r') {
    out += "\\r";
  } else if (point.value == '\t') {
    out += "\\t";
  } else if (is_control(point.value)) {
    append_hex(out, "\\x", point.value, 2);
  } else if (is_deceptive(point.value)) {
    append_hex(out, "\\u", point.value, 4);
  } else {
    out += text.substr(at, point.length);
  }
}

std::string visible(std::string_view text, size_t max_columns) {
  std::string out;
  size_t columns = 0;
  for (size_t at = 0; at < text.size();) {
    if (columns++ == max_columns) return out + "...";
    const CodePoint point = decode_utf8(text, at);
    append_visible(out, text, point, at);
    at += point.length;
  }
  return out;
}

std::string quoted(std::string_view text) {
  return "'" + visible(text, kQuotedColumns) + "'";
}

bool is_ascii_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
  return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string join_or(std::span<const std::string_view> words) {
  std::string joined;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) joined += i + 1 == words.size() ? " or " : ", ";
    joined += words[i];
  }
  return joined;
}

std::optional<uint64_t> parse_decimal(std::string_view text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return value;
}

size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the classic table.
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> previous(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        current[j] = std::min(current[j], before[j - 2] + 1);
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  const std::string folded = fold(word);
  std::optional<std::string_view> best;
  size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::string folded_candidate = fold(candidate);
    const size_t distance = edit_distance(folded, folded_candidate);
    const size_t allowed = allowed_distance(folded, folded_candidate);
    if (distance > allowed || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace restgate::config
