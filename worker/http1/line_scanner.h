// Finds the end of a line of a message head and refuses forbidden bytes in the same pass. Worker; no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "worker/http1/byte_scan.h"

namespace restgate::http1 {

enum class LineStatus : uint8_t {
  Complete,
  Incomplete,
  BareLf,   ///< LF without CR
  BareCr,   ///< CR without LF
  Control,  ///< NUL or another control character
};

/// Where a reader of lines stands, as offsets from the message's first byte.
struct LineCursor {
  size_t line = 0;  ///< where the line that is not parsed yet begins
  size_t scan = 0;  ///< up to where its end was looked for
};

/// Whether a CRLF is at `p`, before `stop`.
[[nodiscard]] inline bool is_crlf(const char* p, const char* stop) {
  return stop - p >= 2 && std::memcmp(p, "\r\n", 2) == 0;
}

/// Of the first control character of a line, at `p`, that no CRLF begins with; or of a line's bytes that end at `stop`.
[[nodiscard, gnu::cold]] inline LineStatus judge(const char* p, const char* stop) {
  if (p == stop) return LineStatus::Incomplete;
  if (*p != '\r') return *p == '\n' ? LineStatus::BareLf : LineStatus::Control;
  return p + 1 == stop ? LineStatus::Incomplete : LineStatus::BareCr;
}

/// Looks for the CRLF of the line at `cursor.line` in [begin, stop). Complete: `out` is the line without it, and
/// `cursor.scan` stands behind it (the caller moves `cursor.line`). Only CRLF ends a line (RFC 9112 §2.2: a recipient
/// may take a bare LF; it need not, and peers disagree). An offence is reported as soon as its byte is there, so the
/// verdict does not depend on how the bytes were split.
[[nodiscard]] inline LineStatus next_line(const char* begin, const char* stop, LineCursor& cursor,
                                          std::string_view& out) {
  const char* const end = find_first<ControlBytes>(begin, begin + cursor.scan, stop);
  cursor.scan = static_cast<size_t>(end - begin);
  if (!is_crlf(end, stop)) [[unlikely]]
    return judge(end, stop);
  out = {begin + cursor.line, cursor.scan - cursor.line};
  cursor.scan += 2;
  return LineStatus::Complete;
}

/// What a log says about a line that is not Complete or Incomplete.
[[nodiscard]] constexpr std::string_view describe(LineStatus status) {
  switch (status) {
    case LineStatus::BareLf:
      return "bare LF";
    case LineStatus::BareCr:
      return "bare CR";
    case LineStatus::Control:
      return "control character";
    case LineStatus::Complete:
    case LineStatus::Incomplete:
      break;
  }
  return "";
}

}  // namespace restgate::http1
