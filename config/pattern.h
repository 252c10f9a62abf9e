// Pattern: a route's path pattern, taken apart into segments. Immutable. Any process.
//
//   /account/{id}/file/{name:[a-z]+}/{rest...}
//
// `{x}` matches one segment, `{x:regex}` one whole segment that the regex (RE2 syntax, linear time) matches,
// `{x...}` the rest of the path (one or more segments or an empty last one; only as the last segment).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace re2 {
class RE2;
}

namespace restgate::config {

struct Segment {
  enum class Kind : uint8_t { Literal, Regex, Parameter, Rest };  // in order of specificity
  Kind kind = Kind::Literal;
  std::string text;                       ///< Literal: the decoded bytes; else the parameter's name
  std::string regex_text;                 ///< Regex only, as written
  std::shared_ptr<const re2::RE2> regex;  ///< Regex only; shared by the copies of a Pattern
};

/// What is wrong with a pattern, and the byte offset in it.
struct PatternError {
  std::string message;
  size_t offset = 0;
};

class Pattern {
 public:
  Pattern() = default;
  static Result<Pattern, PatternError> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }
  /// "/" has one empty literal segment; "/a/" has "a" and an empty one: a trailing slash is significant.
  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

 private:
  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace restgate::config
