// The bytes of a statistics segment. Written by one worker, read by the master; both only through Writer and Block.
//
//   Header · ProcessSlot · ServiceSlot[services] · RouteSlot[routes] · OverflowSlot[routes] · Cell[cells] · names
//
// Each section starts on a multiple of 128 bytes, a RouteSlot on a line of the cache: with thousands of routes a
// request waits for each line that it counts in. All that is counted is a lock-free 8-byte atomic, zero at the start.
// Names, each a 2-byte length and its bytes: those of the schema (Schema, in its order), then routes (without
// "unmatched"), services, methods. So a program with other counters, buckets or reasons can read it (Translation).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "common/reason.h"
#include "common/stats/schema.h"

namespace restgate::stats::layout {

static_assert(std::atomic<uint64_t>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free);

inline constexpr uint64_t kMagic = 0x0153544154534752;  // "RGSTATS" and 1, little-endian
/// To be raised whenever the bytes change their place or meaning.
inline constexpr uint32_t kVersion = 3;
inline constexpr size_t kAlignment = 128;
inline constexpr size_t kCacheLine = 64;

using Count = std::atomic<uint64_t>;
using Level = std::atomic<int64_t>;

/// How much of everything there is; the rest of the layout follows from it.
struct Counts {
  uint32_t routes = 0;  ///< "unmatched" included
  uint32_t services = 0;
  uint32_t methods = 0;
  uint32_t names_bytes = 0;
  // Of the schema; as long as nothing else is said, ours.
  uint32_t counters = kCounterCount;
  uint32_t gauges = kGaugeCount;
  uint32_t service_counters = kServiceCounterCount;
  uint32_t service_gauges = kServiceGaugeCount;
  uint32_t buckets = 0;  ///< of BlockSpec::duration_bounds; +Inf left out
  uint32_t reasons = kReasons.size();

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
  Counts counts;
  Offsets offsets;
};

struct alignas(kAlignment) ProcessSlot {
  std::array<Count, kCounterCount> counters;
  std::array<Level, kGaugeCount> gauges;
  Count cells_used;
};

// The slots of services and routes have as many numbers as there are bounds:
//   ServiceSlot   histogram · counters · gauges
//   RouteSlot     a cell · histogram
//   histogram     the sum in microseconds · one count for each bucket, not cumulative, the last one +Inf's
// The cell is that of the (method, code) which the route had first, mostly the most frequent: in one line with the sum
// and the first five buckets.

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

/// What one of these slots takes; ProcessSlot is what it is with our schema.
[[nodiscard]] constexpr uint64_t aligned(uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}
[[nodiscard]] constexpr uint64_t histogram_numbers(const Counts& counts) {
  return uint64_t{counts.buckets} + 2;  // the sum and +Inf
}
[[nodiscard]] constexpr uint64_t process_slot_bytes(const Counts& counts) {
  return aligned(sizeof(Count) * (uint64_t{counts.counters} + counts.gauges + 1));
}
[[nodiscard]] constexpr uint64_t service_slot_bytes(const Counts& counts) {
  return aligned(sizeof(Count) * (histogram_numbers(counts) + counts.service_counters + counts.service_gauges));
}
[[nodiscard]] constexpr uint64_t route_slot_bytes(const Counts& counts) {
  return (sizeof(Cell) + sizeof(Count) * histogram_numbers(counts) + kCacheLine - 1) / kCacheLine * kCacheLine;
}
static_assert(process_slot_bytes({}) == sizeof(ProcessSlot));

/// The layout for `counts`; pure. REQUIRES: counts within the limits of schema.h and kMaxSchemaNames.
[[nodiscard]] Offsets offsets_for(const Counts& counts);

/// What the numbers of a block are, in their order.
struct Schema {
  std::vector<std::string> counters;
  std::vector<std::string> gauges;
  std::vector<std::string> service_counters;
  std::vector<std::string> service_gauges;
  std::vector<std::string> buckets;  ///< upper bounds in microseconds, +Inf left out
  std::vector<std::string> reasons;

  bool operator==(const Schema&) const = default;
};
/// The one that this program was built with, but for the bounds, which are the configuration's.
[[nodiscard]] Schema own_schema(const DurationBounds& bounds);
/// How many names a list of it may have.
inline constexpr uint32_t kMaxSchemaNames = 4096;

}  // namespace restgate::stats::layout
