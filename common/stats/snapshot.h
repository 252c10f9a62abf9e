// Snapshot: the statistics of one worker, or a sum of many, as plain values by name. Master.
//
// Sparse: a route without traffic has no entry. Services are all there, since there are few. All histograms of a
// snapshot have its duration_bounds.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "common/stats/schema.h"

namespace restgate::stats {

struct Histogram {
  std::vector<uint64_t> buckets{};  ///< not cumulative, one for each bound and a last one for +Inf; empty: no counts
  uint64_t sum_us = 0;

  [[nodiscard]] uint64_t count() const { return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0}); }
};

struct RequestCount {
  std::string method;
  uint16_t code = 0;  ///< 0: not known by itself (the table was full, or no three-digit code)
  uint64_t count = 0;
};

struct ErrorCount {
  std::string reason;  ///< ReasonInfo::code, or "other" when the table was full
  uint64_t count = 0;
};

struct RouteStats {
  std::string name;
  std::vector<RequestCount> requests;  ///< by method, then code; each once
  std::vector<ErrorCount> errors;      ///< by reason; each once
  Histogram duration;
};

struct ServiceStats {
  std::string name;
  std::array<uint64_t, kServiceCounterCount> counters{};
  std::array<int64_t, kServiceGaugeCount> gauges{};
  Histogram duration;

  [[nodiscard]] uint64_t operator[](ServiceCounter counter) const { return counters[static_cast<size_t>(counter)]; }
  [[nodiscard]] int64_t operator[](ServiceGauge gauge) const { return gauges[static_cast<size_t>(gauge)]; }
};

/// What the workers of one index, one after the other, have counted.
struct WorkerStats {
  uint32_t index = 0;
  uint32_t processes = 0;  ///< those that live; gauges are theirs
  std::array<uint64_t, kCounterCount> counters{};
  std::array<int64_t, kGaugeCount> gauges{};

  [[nodiscard]] uint64_t operator[](Counter counter) const { return counters[static_cast<size_t>(counter)]; }
  [[nodiscard]] int64_t operator[](Gauge gauge) const { return gauges[static_cast<size_t>(gauge)]; }
};

struct Snapshot {
  std::array<uint64_t, kCounterCount> counters{};
  std::array<int64_t, kGaugeCount> gauges{};
  std::vector<RouteStats> routes;
  std::vector<ServiceStats> services;
  std::vector<WorkerStats> workers;  ///< by index; empty until it is said whose snapshot this is
  DurationBounds duration_bounds;
  uint32_t configured_routes = 0;  ///< of the block, with or without traffic

  /// It is of the worker of this index.
  void of_worker(uint32_t index) { workers = {{index, 1, counters, gauges}}; }

  [[nodiscard]] uint64_t operator[](Counter counter) const { return counters[static_cast<size_t>(counter)]; }
  [[nodiscard]] int64_t operator[](Gauge gauge) const { return gauges[static_cast<size_t>(gauge)]; }
};

}  // namespace restgate::stats
