#include "common/stats/translation.h"

#include <algorithm>
#include <charconv>

namespace restgate::stats {
namespace {

template <typename Names>
std::vector<uint32_t> places(const std::vector<std::string>& theirs, const Names& ours) {
  std::vector<uint32_t> places;
  places.reserve(theirs.size());
  for (const std::string& name : theirs) {
    const auto found = std::find(ours.begin(), ours.end(), name);
    places.push_back(found != ours.end() ? static_cast<uint32_t>(found - ours.begin()) : Translation::kUnknown);
  }
  return places;
}

/// A bound that is no number counts as +Inf.
uint32_t bucket_of(const std::string& bound) {
  uint64_t micros = 0;
  const auto [end, error] = std::from_chars(bound.data(), bound.data() + bound.size(), micros);
  if (error != std::errc() || end != bound.data() + bound.size()) return kDurationBucketCount;
  const auto* ours = std::lower_bound(kDurationBucketMicros.begin(), kDurationBucketMicros.end(), micros);
  return static_cast<uint32_t>(ours - kDurationBucketMicros.begin());
}

}  // namespace

Translation Translation::of(const layout::Schema& theirs) {
  Translation translation;
  translation.counters = places(theirs.counters, kCounterNames);
  translation.gauges = places(theirs.gauges, kGaugeNames);
  translation.service_counters = places(theirs.service_counters, kServiceCounterNames);
  translation.service_gauges = places(theirs.service_gauges, kServiceGaugeNames);
  for (const std::string& bound : theirs.buckets) translation.buckets.push_back(bucket_of(bound));
  translation.buckets.push_back(kDurationBucketCount);
  translation.reasons = theirs.reasons;
  return translation;
}

}  // namespace restgate::stats
