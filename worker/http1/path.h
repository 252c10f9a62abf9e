// Path: a request path split into percent-decoded segments. Worker; no allocation in the steady state.
//
// The raw bytes go to the backend, so what a backend could take for another path is refused (400), never repaired:
// dot segments in any encoding (RFC 3986 §5.2.4, §6.2.2.3), overlong UTF-8 included, also beside an encoded '/' or '\'
// as in "..%2Fetc" or "..%5Cetc"; empty segments inside; '\' (WHATWG URL parsers read it as '/'); '%' without two hex
// digits (§2.1); "%00". What is legal passes: "%2F" stays inside its segment, and so does "%5C"; encoded control
// characters ("%0D%0A") are data, and harm nobody as long as they are forwarded encoded; of ';' nothing is known, "..;"
// is a segment like others (§3.3). Bytes that RFC 3986 wants encoded but clients send as they are ('"', '<', '>', '^',
// '`', '{', '|', '}', and those above US-ASCII) pass as they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restgate::http1 {

/// Splits and checks a raw path (it begins with '/'). Reused from request to request: one per worker will do.
class Path {
 public:
  Path() = default;
  Path(const Path&) = delete;  // segments_ points into decoded_
  Path& operator=(const Path&) = delete;

  enum class Verdict : uint8_t {
    Ok,
    BadEscape,     ///< '%' without two hex digits, or an encoded NUL
    DotSegment,    ///< "." or ".." in any encoding
    EmptySegment,  ///< "//": an empty segment that is not the last one
    BadCharacter,  ///< backslash, '#', '?', or a byte that no path may hold; or no '/' at the beginning, as in "*"
  };
  /// Of several faults the first is named. `raw` must stay where it is for as long as segments() is used.
  Verdict assign(std::string_view raw);
  /// Forgets the path, and gives back the memory that an unusually long one took. assign() begins with it.
  void clear();
  /// Decoded: "%2F" becomes a '/' inside its segment. "/" has one, empty; "/a/" has "a" and an empty one.
  /// Views into `raw` and into this object; none unless the verdict was Ok. Valid until the next assign().
  [[nodiscard]] const std::vector<std::string_view>& segments() const { return segments_; }

 private:
  Verdict split(std::string_view raw);
  Verdict decode(std::string_view segment, std::string_view& decoded);

  std::vector<std::string_view> segments_;
  std::string decoded_;      // bytes of the segments that held escapes; at least as long as the longest path so far
  size_t decoded_used_ = 0;  // of decoded_, by this path
};

}  // namespace restgate::http1
