#include "master/status/tally.h"

namespace restgate::master {
namespace {

void add_service(ServiceTally& to, const stats::ServiceStats& from, const BucketPlaces& buckets, bool live) {
  buckets.add(to.duration, from.duration.buckets);
  for (size_t i = 0; i < to.counters.size(); ++i) to.counters[i] += from.counters[i];
  if (live)
    for (size_t i = 0; i < to.gauges.size(); ++i) to.gauges[i] += from.gauges[i];
}

void add_route(Tally& to, const stats::RouteStats& from, const BucketPlaces& buckets, RouteTally* route) {
  buckets.add(to.duration, from.duration.buckets);
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
  buckets.add(route->duration, from.duration.buckets);
  route->refused += refused;
  route->failed += failed;
}

}  // namespace

TallyNames::TallyNames(const stats::BlockSpec& spec) : bounds_(spec.duration_bounds) {
  route_names_.reserve(spec.routes.size() + 1);
  route_names_.emplace_back(stats::kUnmatchedRouteName);
  route_names_.insert(route_names_.end(), spec.routes.begin(), spec.routes.end());
  service_names_ = spec.services;
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
  const BucketPlaces buckets(counted.duration_bounds, names.bounds());
  for (size_t i = 0; i < to.counters.size(); ++i) to.counters[i] += counted.counters[i];
  if (live)
    for (size_t i = 0; i < to.gauges.size(); ++i) to.gauges[i] += counted.gauges[i];
  for (const stats::RouteStats& route : counted.routes) {
    const uint32_t place = names.route(route.name);
    add_route(to, route, buckets, place != TallyNames::kNone ? &to.routes[place] : nullptr);
  }
  for (const stats::ServiceStats& service : counted.services)
    if (const uint32_t place = names.service(service.name); place != TallyNames::kNone)
      add_service(to.services[place], service, buckets, live);
}

Tally rearranged(const Tally& from, const TallyNames& old_names, const Tally& latest, const TallyNames& names) {
  const BucketPlaces buckets(old_names.bounds(), names.bounds());
  const auto moved = [&buckets](const Durations& durations) {
    Durations made;
    buckets.add(made, durations.buckets);
    return made;
  };
  Tally tally = latest;
  for (size_t i = 0; i < names.routes(); ++i)
    if (const uint32_t place = old_names.route(names.route_name(i)); place != TallyNames::kNone) {
      tally.routes[i] = from.routes[place];
      tally.routes[i].duration = moved(from.routes[place].duration);
    }
  for (size_t i = 0; i < names.services(); ++i)
    if (const uint32_t place = old_names.service(names.service_name(i)); place != TallyNames::kNone) {
      tally.services[i] = from.services[place];
      tally.services[i].duration = moved(from.services[place].duration);
    }
  tally.duration = moved(from.duration);
  tally.classes = from.classes;
  tally.errors = from.errors;
  tally.counters = from.counters;
  tally.gauges = from.gauges;
  return tally;
}

}  // namespace restgate::master
