// Small text tools of the configuration reader: UTF-8, showing a foreign value safely, near misses. Pure. Master.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace restgate::config {

/// What is wrong with a value, in a sentence, and the byte offset in it.
struct TextError {
  std::string message;
  size_t offset = 0;
  bool secret = false;  ///< the value may hold a password: it must not be shown
};

/// One code point of a UTF-8 text. When the bytes are not valid, `value` is the first of them and `length` is 1.
struct CodePoint {
  uint32_t value = 0;
  uint8_t length = 1;
  bool valid = true;
};
/// Decodes at byte `at`, which must lie inside `text`. Strict: no overlong forms, no surrogates (RFC 3629 §4).
[[nodiscard]] CodePoint decode_utf8(std::string_view text, size_t at);
/// Number of code points; an invalid byte counts as one.
[[nodiscard]] size_t count_code_points(std::string_view text);
[[nodiscard]] bool is_control(uint32_t code_point);

/// One code point as it may be shown on a terminal: control characters, bytes that are not UTF-8 and characters that
/// change the direction of text are written as escapes (\n, \x1b, \u202e).
void append_visible(std::string& out, std::string_view text, const CodePoint& point, size_t at);
/// The whole of `text` made visible, cut after `max_columns` with "..." added.
[[nodiscard]] std::string visible(std::string_view text, size_t max_columns);
/// `'text'`, visible, at most 60 columns of it.
[[nodiscard]] std::string quoted(std::string_view text);

[[nodiscard]] bool is_ascii_alpha(char c);
[[nodiscard]] bool is_ascii_digit(char c);
[[nodiscard]] bool is_hex_digit(char c);
[[nodiscard]] std::string to_lower(std::string_view text);
/// "a, b or c"
[[nodiscard]] std::string join_or(std::span<const std::string_view> words);
/// Decimal digits only, at most UINT64_MAX; nothing otherwise.
[[nodiscard]] std::optional<uint64_t> parse_decimal(std::string_view text);

/// Number of single-character insertions, deletions, replacements and swaps of neighbours between the two.
[[nodiscard]] size_t edit_distance(std::string_view a, std::string_view b);
/// The candidate that `word` was probably meant to be: equal but for case, '-' and '_', or at a small edit distance.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace restgate::config
