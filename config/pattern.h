// Pattern: a route's path pattern, taken apart into segments. Immutable. Any process.
//
//   /account/{id}/file/{name:[a-z]+}/{rest...}
//
// `{x}` matches one segment, `{x:regex}` one whole segment that the regex (RE2 syntax, linear time) matches,
// `{x...}` the rest of the path (one or more segments or an empty last one; only as the last segment).
//
// All text is percent-decoded: "/a%20b" and a request for "/a%20b" meet as "a b". The empty segment after a trailing
// slash is matched by a trailing slash in the pattern and by `{x...}`, never by `{x}` or `{x:regex}`, whatever the
// regex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.h"

namespace re2 {
class RE2;
}

namespace restgate::config {

inline constexpr size_t kMaxPatternBytes = 4096;
inline constexpr size_t kMaxRegexBytes = 1024;
/// Bounds the time of one regex on one segment, which is the product of both sizes at worst (here about 20 ms): a
/// segment longer than this, divided by the size of the regex's program, is not matched. `[0-9]+`: no limit in
/// practice;
/// `[a-z]{1,64}`: 10 KB and more; the largest program that is accepted: 512 bytes.
inline constexpr int64_t kMaxRegexWork = 2 * 1024 * 1024;
inline constexpr int kMaxRegexProgram = 4096;  ///< instructions

struct Segment {
  enum class Kind : uint8_t { Literal, Regex, Parameter, Rest };  // in order of specificity
  Kind kind = Kind::Literal;
  std::string text;                       ///< Literal: the decoded bytes; else the parameter's name
  std::string regex_text;                 ///< Regex only, as written
  std::shared_ptr<const re2::RE2> regex;  ///< Regex only; shared by the copies of a Pattern

  /// Whether this segment and `other` match the same requests as far as their spelling shows: parameter names aside.
  [[nodiscard]] bool same_requests(const Segment& other) const;
  /// Literal, Regex or Parameter: whether a decoded path segment is matched.
  [[nodiscard]] bool matches(std::string_view decoded) const;
  /// `{x:.*}` and `{x:.+}`: every segment that is not empty, of whatever bytes.
  [[nodiscard]] bool matches_everything() const;
};

/// What is wrong with a pattern, and the byte offset in it.
struct PatternError {
  std::string message;
  size_t offset = 0;
};

/// Compiled regexes by their text, so that the patterns of one configuration share equal ones (thousands of routes with
/// `{id:[0-9]+}` cost one). Owned by whoever parses the configuration; may go before the patterns.
class RegexCache {
 public:
  /// Never null; check ok() on it.
  std::shared_ptr<const re2::RE2> get(const std::string& text);

 private:
  std::unordered_map<std::string, std::shared_ptr<const re2::RE2>> compiled_;
};

class Pattern {
 public:
  Pattern() = default;
  static Result<Pattern, PatternError> parse(std::string_view text);
  static Result<Pattern, PatternError> parse(std::string_view text, RegexCache& regexes);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// "/" has one empty literal segment; "/a/" has "a" and an empty one: a trailing slash is significant.
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

 private:
  std::string text_;
  std::vector<Segment> segments_;
};

/// Whether `regex` matches the whole of a decoded segment; never an empty one (see kMaxRegexWork for the longest).
[[nodiscard]] bool regex_matches(const re2::RE2& regex, std::string_view decoded);

/// Whether a decoded segment is "." or "..", or would hold one for a backend that takes an encoded '/' or '\' for a
/// separator ("..%2Fetc") or an overlong form of UTF-8 for its character ("%C0%AE."): such requests are refused
/// (RFC 3986 §5.2.4, §6.2.2.3), so no pattern may ask for them.
[[nodiscard]] bool has_dot_segment(std::string_view decoded);

}  // namespace restgate::config
