#include "common/stats/translation.h"

#include <algorithm>

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

}  // namespace

Translation Translation::of(const layout::Schema& theirs) {
  Translation translation;
  translation.counters = places(theirs.counters, kCounterNames);
  translation.gauges = places(theirs.gauges, kGaugeNames);
  translation.service_counters = places(theirs.service_counters, kServiceCounterNames);
  translation.service_gauges = places(theirs.service_gauges, kServiceGaugeNames);
  translation.reasons = theirs.reasons;
  return translation;
}

}  // namespace restgate::stats
