// Snapshot: the statistics of one worker, or a sum of many, as plain values by name. Master.
//
// Sparse: a route without traffic has no entry. Services are all there, since there are few.
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "common/stats/schema.h"

namespace restgate::stats {

struct Histogram {
  std::array<uint64_t, kDurationBucketCount + 1> buckets{};  ///< not cumulative; the last one is +Inf
  uint64_t sum_us = 0;

  [[nodiscard]] uint64_t count() const { return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0}); }
  void add(const Histogram& other) {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
    sum_us += other.sum_us;
  }
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

struct Snapshot {
  std::array<uint64_t, kCounterCount> counters{};
  std::array<int64_t, kGaugeCount> gauges{};
  std::vector<RouteStats> routes;
  std::vector<ServiceStats> services;
  uint32_t configured_routes = 0;  ///< of the block, with or without traffic

  [[nodiscard]] uint64_t operator[](Counter counter) const { return counters[static_cast<size_t>(counter)]; }
  [[nodiscard]] int64_t operator[](Gauge gauge) const { return gauges[static_cast<size_t>(gauge)]; }
};

}  // namespace restgate::stats
