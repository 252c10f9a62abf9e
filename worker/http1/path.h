// Path: a request path split into percent-decoded segments. Worker; no allocation in the steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restgate::http1 {

/// Splits and checks a raw path (it begins with '/'). Reused from request to request.
class Path {
 public:
  enum class Verdict : uint8_t {
    Ok,
    BadEscape,     ///< '%' without two hex digits, or an encoded NUL
    DotSegment,    ///< "." or ".." in any encoding
    EmptySegment,  ///< "//": an empty segment that is not the last one
    BadCharacter,  ///< backslash, '#', or a byte that no path may hold
  };
  Verdict assign(std::string_view raw);
  /// Decoded: "%2F" becomes a '/' inside its segment. "/" has one, empty; "/a/" has "a" and an empty one.
  [[nodiscard]] const std::vector<std::string_view>& segments() const { return segments_; }

 private:
  std::vector<std::string_view> segments_;
  std::string decoded_;  // bytes of the segments that held escapes
};

}  // namespace restgate::http1
