#include "master/status/tally.h"

#include <algorithm>
#include <utility>

#include "common/stats/bounds.h"

namespace restgate::master {
namespace {

/// Adds histograms with some bounds to those with others.
class Adder {
 public:
  Adder(const stats::DurationBounds& from, const stats::DurationBounds& to)
      : places_(stats::bucket_places(from, to)), size_(to.size() + 1) {}

  void operator()(stats::Histogram& to, const stats::Histogram& from) const {
    to.sum_us += from.sum_us;
    if (from.buckets.empty()) return;
    to.buckets.resize(size_);
    for (size_t i = 0; i < from.buckets.size(); ++i) to.buckets[places_[i]] += from.buckets[i];
  }

 private:
  std::vector<uint32_t> places_;
  size_t size_;
};

void add_service(ServiceTally& to, const stats::ServiceStats& from, const Adder& adder, bool live) {
  adder(to.duration, from.duration);
  for (size_t i = 0; i < to.counters.size(); ++i) to.counters[i] += from.counters[i];
  if (live)
    for (size_t i = 0; i < to.gauges.size(); ++i) to.gauges[i] += from.gauges[i];
}

void add_route(Tally& to, const stats::RouteStats& from, const Adder& adder, RouteTally* route) {
  adder(to.duration, from.duration);
  for (const stats::ErrorCount& entry : from.errors) to.errors += entry.count;
  uint64_t refused = 0;
  uint64_t failed = 0;
  for (const stats::RequestCount& entry : from.requests) {
    const size_t first_digit = entry.code / 100U;
    to.classes[first_digit < to.classes.size() ? first_digit : 0] += entry.count;
    if (first_digit == 4) refused += entry.count;
    if (first_digit == 5) failed += entry.count;
  }
  if (route == nullptr) return;
  adder(route->duration, from.duration);
  route->refused += refused;
  route->failed += failed;
}

}  // namespace

TallyNames::TallyNames(const stats::BlockSpec& spec) {
  route_names_.reserve(spec.routes.size() + 1);
  route_names_.emplace_back(stats::kUnmatchedRouteName);
  route_names_.insert(route_names_.end(), spec.routes.begin(), spec.routes.end());
  service_names_ = spec.services;
  bounds_ = spec.duration_bounds;
  for (size_t i = 0; i < route_names_.size(); ++i) routes_.emplace(route_names_[i], static_cast<uint32_t>(i));
  for (size_t i = 0; i < service_names_.size(); ++i) services_.emplace(service_names_[i], static_cast<uint32_t>(i));
}

uint32_t TallyNames::find(const Places& places, std::string_view name) {
  const auto found = places.find(name);
  return found != places.end() ? found->second : kNone;
}

Tally empty_tally(const TallyNames& names) {
  Tally tally;
  tally.routes.resize(names.routes());
  tally.services.resize(names.services());
  return tally;
}

void add(Tally& to, const stats::Snapshot& counted, const TallyNames& names, bool live) {
  for (size_t i = 0; i < to.counters.size(); ++i) to.counters[i] += counted.counters[i];
  if (live)
    for (size_t i = 0; i < to.gauges.size(); ++i) to.gauges[i] += counted.gauges[i];
  const Adder adder(counted.duration_bounds, names.bounds());
  for (const stats::RouteStats& route : counted.routes) {
    const uint32_t place = names.route(route.name);
    add_route(to, route, adder, place != TallyNames::kNone ? &to.routes[place] : nullptr);
  }
  for (const stats::ServiceStats& service : counted.services)
    if (const uint32_t place = names.service(service.name); place != TallyNames::kNone)
      add_service(to.services[place], service, adder, live);
}

Tally rearranged(const Tally& from, const TallyNames& old_names, const Tally& latest, const TallyNames& names) {
  Tally tally = latest;
  const Adder adder(old_names.bounds(), names.bounds());
  const auto rebucket = [&adder](stats::Histogram& histogram) {
    stats::Histogram moved;
    adder(moved, histogram);
    histogram = std::move(moved);
  };
  for (size_t i = 0; i < names.routes(); ++i)
    if (const uint32_t place = old_names.route(names.route_name(i)); place != TallyNames::kNone) {
      tally.routes[i] = from.routes[place];
      rebucket(tally.routes[i].duration);
    }
  for (size_t i = 0; i < names.services(); ++i)
    if (const uint32_t place = old_names.service(names.service_name(i)); place != TallyNames::kNone) {
      tally.services[i] = from.services[place];
      rebucket(tally.services[i].duration);
    }
  tally.duration = from.duration;
  rebucket(tally.duration);
  tally.classes = from.classes;
  tally.errors = from.errors;
  tally.counters = from.counters;
  tally.gauges = from.gauges;
  return tally;
}

stats::Histogram difference(const stats::Histogram& later, const stats::Histogram& earlier) {
  stats::Histogram between;
  between.buckets = later.buckets;
  for (size_t i = 0; i < std::min(between.buckets.size(), earlier.buckets.size()); ++i)
    between.buckets[i] = difference(later.buckets[i], earlier.buckets[i]);
  between.sum_us = difference(later.sum_us, earlier.sum_us);
  return between;
}

}  // namespace restgate::master
