// Finds the end of a line of a message head and refuses forbidden bytes in the same pass. Worker; no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http1/char_class.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace restgate::http1 {

/// The first control character other than HTAB in [p, end); `end` if there is none.
[[nodiscard]] inline const char* find_control(const char* p, const char* end) {
#if defined(__SSE2__)
  const __m128i last_control = _mm_set1_epi8(0x1F);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7F);
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const int mask = _mm_movemask_epi8(bad);
    if (mask != 0) return p + __builtin_ctz(static_cast<unsigned>(mask));
    p += 16;
  }
#endif
  while (p != end && !is_class(*p, kControlChar)) ++p;
  return p;
}

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

/// Looks for the CRLF of the line at `cursor.line` in [begin, stop). Complete: `out` is the line without it, and
/// `cursor.scan` stands behind it (the caller moves `cursor.line`). Only CRLF ends a line (RFC 9112 §2.2: a recipient
/// may take a bare LF; it need not, and peers disagree). An offence is reported as soon as its byte is there, so the
/// verdict does not depend on how the bytes were split.
[[nodiscard]] inline LineStatus next_line(const char* begin, const char* stop, LineCursor& cursor,
                                          std::string_view& out) {
  const char* p = find_control(begin + cursor.scan, stop);
  cursor.scan = static_cast<size_t>(p - begin);
  if (p == stop) return LineStatus::Incomplete;
  if (*p != '\r') return *p == '\n' ? LineStatus::BareLf : LineStatus::Control;
  if (p + 1 == stop) return LineStatus::Incomplete;
  if (p[1] != '\n') return LineStatus::BareCr;
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
