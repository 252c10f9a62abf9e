// The bytes of a statistics segment. Written by one worker, read by the master; both only through Writer and Block.
//
//   Header · ProcessSlot · ServiceSlot[services] · RouteSlot[routes] · OverflowSlot[routes] · Cell[cells] · names
//
// Each section starts on a multiple of 128 bytes. All that is counted is a lock-free 8-byte atomic, zero at the start.
// Names: for routes (without "unmatched"), services, methods in this order, each a 2-byte length and its bytes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "common/stats/schema.h"

namespace restgate::stats::layout {

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free);

inline constexpr uint64_t kMagic = 0x0153544154534752;  // "RGSTATS" and 1, little-endian
/// To be raised whenever the bytes change their place or meaning.
inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kAlignment = 128;

using Count = std::atomic<uint64_t>;
using Level = std::atomic<int64_t>;

/// How much of everything there is; the rest of the layout follows from it.
struct Counts {
  uint32_t routes = 0;  ///< "unmatched" included
  uint32_t services = 0;
  uint32_t methods = 0;
  uint32_t names_bytes = 0;

  bool operator==(const Counts&) const = default;
};

/// Where each section starts, in bytes from the start of the segment.
struct Offsets {
  uint64_t process = 0;
  uint64_t services = 0;
  uint64_t routes = 0;
  uint64_t overflow = 0;
  uint64_t cells = 0;
  uint64_t names = 0;
  uint64_t cell_count = 0;  ///< a power of two
  uint64_t total_size = 0;

  bool operator==(const Offsets&) const = default;
};

struct Header {
  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t header_bytes = 0;
  uint64_t fingerprint = 0;  ///< of the schema: numbers of counters, buckets, reasons
  Counts counts;
  Offsets offsets;
};

/// Non-cumulative bucket counts; the last one is +Inf.
struct HistogramSlot {
  std::array<Count, kDurationBucketCount + 1> buckets;
  Count sum_us;
};

struct alignas(kAlignment) ProcessSlot {
  std::array<Count, kCounterCount> counters;
  std::array<Level, kGaugeCount> gauges;
  Count cells_used;
};

struct alignas(kAlignment) ServiceSlot {
  HistogramSlot duration;
  std::array<Count, kServiceCounterCount> counters;
  std::array<Level, kServiceGaugeCount> gauges;
};

struct alignas(kAlignment) RouteSlot {
  HistogramSlot duration;
};
static_assert(sizeof(RouteSlot) == kAlignment);

/// What the table of cells had no room for, so that a route's sums stay right.
struct OverflowSlot {
  Count requests;
  Count errors;
};

/// One (route, method, code) or (route, reason). key 0: free. The key is stored after the first count, with release.
struct Cell {
  Count key;
  Count count;
};

enum class CellKind : uint8_t { Request = 1, Error = 2 };

/// Never 0. `detail`: method and code, or the reason.
[[nodiscard]] constexpr uint64_t cell_key(CellKind kind, uint32_t route, uint32_t detail) {
  return (static_cast<uint64_t>(kind) << 56) | (static_cast<uint64_t>(route) << 24) | (detail & 0xFFFFFFU);
}
[[nodiscard]] constexpr uint8_t cell_kind(uint64_t key) {
  return static_cast<uint8_t>(key >> 56);
}
[[nodiscard]] constexpr uint32_t cell_route(uint64_t key) {
  return static_cast<uint32_t>(key >> 24);
}
[[nodiscard]] constexpr uint32_t cell_detail(uint64_t key) {
  return static_cast<uint32_t>(key & 0xFFFFFFU);
}

/// A quarter of the table stays free, so that a search for what is not there ends soon.
[[nodiscard]] constexpr uint64_t cell_limit(uint64_t cell_count) {
  return cell_count - cell_count / 4;
}

/// The layout for `counts`; pure. REQUIRES: counts within the limits of schema.h.
[[nodiscard]] Offsets offsets_for(const Counts& counts);

/// Changes with the schema that this program was built with.
[[nodiscard]] uint64_t schema_fingerprint();

}  // namespace restgate::stats::layout
