#include "master/status/quantiles.h"

#include <cstddef>

#include "common/stats/schema.h"

namespace restgate::master {

std::optional<double> quantile(const stats::Histogram& histogram, const stats::DurationBounds& bounds, double q) {
  const uint64_t count = histogram.count();
  if (count == 0) return std::nullopt;
  const double rank = q * static_cast<double>(count);
  double lower = 0;
  uint64_t below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const double upper = static_cast<double>(bounds[i]) * 1e-6;
    const uint64_t here = histogram.buckets[i];
    if (here != 0 && static_cast<double>(below + here) >= rank)
      return lower + (upper - lower) * (rank - static_cast<double>(below)) / static_cast<double>(here);
    below += here;
    lower = upper;
  }
  return lower;
}

std::optional<Quantiles> quantiles(const stats::Histogram& histogram, const stats::DurationBounds& bounds) {
  const std::optional<double> p50 = quantile(histogram, bounds, 0.50);
  if (!p50) return std::nullopt;
  return Quantiles{*p50, *quantile(histogram, bounds, 0.95), *quantile(histogram, bounds, 0.99)};
}

}  // namespace restgate::master
