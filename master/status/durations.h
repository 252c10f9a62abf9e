// Durations: histograms of the status, and what they say of the median and the slow end. Pure; master.
//
// Whatever bounds a worker's block has (that of another generation, of another program), its counts go to the bucket of
// the same bound, or the next one upwards.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

#include "common/stats.h"

namespace restgate::master {

/// Upper bounds of buckets in microseconds, ascending, +Inf left out.
using Bounds = stats::DurationBounds;

struct Durations {
  static constexpr size_t kMostBuckets = stats::kMaxDurationBounds + 1;  ///< +Inf included

  std::array<uint64_t, kMostBuckets> buckets{};  ///< not cumulative, in the order of the bounds; then +Inf

  [[nodiscard]] uint64_t count() const { return std::accumulate(buckets.begin(), buckets.end(), uint64_t{0}); }
  bool operator==(const Durations&) const = default;
};

/// For each bucket of one list of bounds its place in another.
class BucketPlaces {
 public:
  BucketPlaces(const Bounds& from, const Bounds& to);

  /// `from`: the buckets of a histogram of the first one.
  template <typename Buckets>
  void add(Durations& to, const Buckets& from) const {
    for (size_t i = 0; i < std::min(from.size(), places_.size()); ++i) to.buckets[places_[i]] += from[i];
  }

 private:
  std::vector<size_t> places_;
};

/// What was counted in between; 0 for what has become less (a worker that wrote over its numbers).
[[nodiscard]] Durations difference(const Durations& later, const Durations& earlier);

/// Seconds.
struct Quantiles {
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  bool operator==(const Quantiles&) const = default;
};

/// The duration in seconds that a share `q` (0 to 1) of all does not exceed, on a straight line between a bucket's
/// bounds, as Prometheus does it; for the bucket without an upper bound its lower one. Nothing: nothing was counted.
[[nodiscard]] std::optional<double> quantile(const Durations& durations, const Bounds& bounds, double q);

[[nodiscard]] std::optional<Quantiles> quantiles(const Durations& durations, const Bounds& bounds);

}  // namespace restgate::master
