#include "master/status/durations.h"

namespace restgate::master {

BucketPlaces::BucketPlaces(const Bounds& from, const Bounds& to) {
  // What has more buckets than there is room for ends in the last one.
  const size_t last = std::min(to.size(), Durations::kMostBuckets - 1);
  places_.reserve(from.size() + 1);
  for (const uint64_t bound : from) {
    const auto place = static_cast<size_t>(std::lower_bound(to.begin(), to.end(), bound) - to.begin());
    places_.push_back(std::min(place, last));
  }
  places_.push_back(last);
}

Durations difference(const Durations& later, const Durations& earlier) {
  Durations between;
  for (size_t i = 0; i < between.buckets.size(); ++i)
    between.buckets[i] = later.buckets[i] > earlier.buckets[i] ? later.buckets[i] - earlier.buckets[i] : 0;
  return between;
}

std::optional<double> quantile(const Durations& durations, const Bounds& bounds, double q) {
  constexpr double kMicrosecond = 1e-6;
  const uint64_t count = durations.count();
  if (count == 0) return std::nullopt;
  const double rank = q * static_cast<double>(count);
  double lower = 0;
  uint64_t below = 0;
  for (size_t i = 0; i < std::min(bounds.size(), Durations::kMostBuckets - 1); ++i) {
    const double upper = static_cast<double>(bounds[i]) * kMicrosecond;
    const uint64_t here = durations.buckets[i];
    if (here != 0 && static_cast<double>(below + here) >= rank)
      return lower + (upper - lower) * (rank - static_cast<double>(below)) / static_cast<double>(here);
    below += here;
    lower = upper;
  }
  return lower;
}

std::optional<Quantiles> quantiles(const Durations& durations, const Bounds& bounds) {
  const std::optional<double> p50 = quantile(durations, bounds, 0.50);
  if (!p50) return std::nullopt;
  return Quantiles{*p50, *quantile(durations, bounds, 0.95), *quantile(durations, bounds, 0.99)};
}

}  // namespace restgate::master
