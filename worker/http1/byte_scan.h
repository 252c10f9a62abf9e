// Finds the first byte of a set, sixteen at a time where the processor has SSE2. Worker; no state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/http1/char_class.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace restgate::http1 {

// Sets of bytes: among() tells of sixteen what has() tells of one, by setting all bits of those that are in the set.

/// Control characters but HTAB: kControlChar.
struct ControlBytes {
  static constexpr bool has(char c) { return is_class(c, kControlChar); }
#if defined(__SSE2__)
  static __m128i among(__m128i bytes) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    return _mm_or_si128(_mm_andnot_si128(tab, low), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
  }
#endif
};

/// What no request-target may hold: the complement of kTargetChar.
struct TargetEnds {
  static constexpr bool has(char c) { return !is_class(c, kTargetChar); }
#if defined(__SSE2__)
  static __m128i among(__m128i bytes) {
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x20)), bytes);
    const __m128i hash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('#'));
    return _mm_or_si128(_mm_or_si128(low, hash), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F)));
  }
#endif
};

/// Those, and '?': where the path of a target in origin-form ends.
struct PathEnds {
  static constexpr bool has(char c) { return TargetEnds::has(c) || c == '?'; }
#if defined(__SSE2__)
  static __m128i among(__m128i bytes) {
    return _mm_or_si128(TargetEnds::among(bytes), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('?')));
  }
#endif
};

/// All but letters and '-', which is what nearly all names of fields consist of.
struct NoLetters {
  static constexpr bool has(char c) { return c != '-' && ((c | 0x20) < 'a' || (c | 0x20) > 'z'); }
#if defined(__SSE2__)
  static __m128i among(__m128i bytes) {
    const __m128i order = _mm_sub_epi8(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    const __m128i others = _mm_cmpeq_epi8(_mm_max_epu8(order, _mm_set1_epi8('z' - 'a' + 1)), order);
    return _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('-')), others);
  }
#endif
};

#if defined(__SSE2__)
inline constexpr ptrdiff_t kBlock = sizeof(__m128i);

/// Which of the sixteen bytes at `p` are in `Set`; the lowest bit tells of the first one.
template <typename Set>
[[nodiscard]] inline unsigned mask_at(const char* p) {
  return static_cast<unsigned>(_mm_movemask_epi8(Set::among(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
}

[[nodiscard]] inline size_t first_bit(unsigned mask) {
  return static_cast<size_t>(__builtin_ctzll(mask));
}
#endif

/// find_first() where the first block has none. Apart, as most texts are short.
template <typename Set>
[[nodiscard, gnu::noinline]] const char* find_further(const char* floor, const char* p, const char* end) {
#if defined(__SSE2__)
  if (end - floor >= kBlock) [[likely]] {
    const char* const last = end - kBlock;
    for (; p < last; p += kBlock) {
      if (const unsigned mask = mask_at<Set>(p); mask != 0) return p + first_bit(mask);
    }
    const unsigned mask = mask_at<Set>(last) >> (p - last);  // without the bytes before `p`
    return mask != 0 ? p + first_bit(mask) : end;
  }
#endif
  (void)floor;
  while (p != end && !Set::has(*p)) ++p;
  return p;
}

/// The first byte of [p, end) that is in `Set`; `end` if there is none. [floor, p) may be read too, lest the last few
/// bytes before `end` be looked at one by one.
template <typename Set>
[[nodiscard]] inline const char* find_first(const char* floor, const char* p, const char* end) {
#if defined(__SSE2__)
  if (end - p >= kBlock) [[likely]] {
    if (const unsigned mask = mask_at<Set>(p); mask != 0) return p + first_bit(mask);
    p += kBlock;
  }
#endif
  return find_further<Set>(floor, p, end);
}

}  // namespace restgate::http1
