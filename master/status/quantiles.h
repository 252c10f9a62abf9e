// Quantiles: what a histogram of durations says of its median and its slow end. Pure; master.
#pragma once

#include <optional>

#include "common/stats/snapshot.h"

namespace restgate::master {

/// Seconds.
struct Quantiles {
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
  bool operator==(const Quantiles&) const = default;
};

/// The duration in seconds that a share `q` (0 to 1) of all does not exceed, on a straight line between a bucket's
/// bounds, as Prometheus does it; for the bucket without an upper bound its lower one. Nothing: nothing was counted.
/// `bounds`: those of the histogram, in microseconds.
[[nodiscard]] std::optional<double> quantile(const stats::Histogram& histogram, const stats::DurationBounds& bounds,
                                             double q);

[[nodiscard]] std::optional<Quantiles> quantiles(const stats::Histogram& histogram,
                                                 const stats::DurationBounds& bounds);

}  // namespace restgate::master
