#include "common/stats/accumulator.h"

#include <algorithm>
#include <tuple>

#include "common/stats/bounds.h"

namespace restgate::stats {
namespace {

/// Adds `from` to `to`, both sorted by `key` and without duplicates.
template <typename Entry, typename Key>
void merge_counts(std::vector<Entry>& to, const std::vector<Entry>& from, Key key) {
  size_t at = 0;
  for (const Entry& entry : from) {
    while (at < to.size() && key(to[at]) < key(entry)) ++at;
    if (at < to.size() && key(to[at]) == key(entry))
      to[at].count += entry.count;
    else
      to.insert(to.begin() + static_cast<std::ptrdiff_t>(at), entry);
  }
}

void add_histogram(Histogram& to, const Histogram& from, const std::vector<uint32_t>& places, size_t size) {
  if (from.buckets.empty()) return;
  to.buckets.resize(size);
  for (size_t i = 0; i < std::min(from.buckets.size(), places.size()); ++i) to.buckets[places[i]] += from.buckets[i];
  to.sum_us += from.sum_us;
}

void add_gauge(ServiceStats& to, const ServiceStats& from, ServiceGauge gauge) {
  int64_t& sum = to.gauges[static_cast<size_t>(gauge)];
  if (gauge == ServiceGauge::Endpoints)
    sum = std::max(sum, from[gauge]);  // each worker knows all of them
  else
    sum += from[gauge];
}

template <typename Entries, typename Index>
auto& find_or_add(Entries& entries, Index& index, std::string_view name, size_t limit) {
  const auto known = index.find(name);
  if (known != index.end()) return entries[known->second];
  if (entries.size() >= limit && name != kOther) return find_or_add(entries, index, kOther, limit);
  index.emplace(name, static_cast<uint32_t>(entries.size()));
  auto& entry = entries.emplace_back();
  entry.name = name;
  return entry;
}

}  // namespace

RouteStats& Accumulator::route(std::string_view name, size_t limit) {
  return find_or_add(totals_.routes, route_index_, name, limit);
}

ServiceStats& Accumulator::service(std::string_view name, size_t limit) {
  return find_or_add(totals_.services, service_index_, name, limit);
}

void Accumulator::fold(const Snapshot& snapshot, bool with_gauges) {
  for (size_t i = 0; i < kCounterCount; ++i) totals_.counters[i] += snapshot.counters[i];
  if (with_gauges)
    for (size_t i = 0; i < kGaugeCount; ++i) totals_.gauges[i] += snapshot.gauges[i];
  totals_.configured_routes = std::max(totals_.configured_routes, snapshot.configured_routes);
  fold_workers(snapshot, with_gauges);
  const std::vector<uint32_t> places = take_bounds(snapshot.duration_bounds);
  const size_t buckets = totals_.duration_bounds.size() + 1;

  const size_t route_limit = snapshot.configured_routes + kSpareNames;
  for (const RouteStats& from : snapshot.routes) {
    RouteStats& to = route(from.name, route_limit);
    merge_counts(to.requests, from.requests,
                 [](const RequestCount& entry) { return std::pair(std::string_view(entry.method), entry.code); });
    merge_counts(to.errors, from.errors, [](const ErrorCount& entry) { return std::string_view(entry.reason); });
    add_histogram(to.duration, from.duration, places, buckets);
  }

  const size_t service_limit = snapshot.services.size() + kSpareNames;
  for (const ServiceStats& from : snapshot.services) {
    ServiceStats& to = service(from.name, service_limit);
    for (size_t i = 0; i < kServiceCounterCount; ++i) to.counters[i] += from.counters[i];
    if (with_gauges)
      for (size_t i = 0; i < kServiceGaugeCount; ++i) add_gauge(to, from, static_cast<ServiceGauge>(i));
    add_histogram(to.duration, from.duration, places, buckets);
  }
}

void Accumulator::fold_workers(const Snapshot& snapshot, bool with_gauges) {
  for (const WorkerStats& from : snapshot.workers) {
    auto place = std::lower_bound(totals_.workers.begin(), totals_.workers.end(), from.index,
                                  [](const WorkerStats& entry, uint32_t index) { return entry.index < index; });
    if (place == totals_.workers.end() || place->index != from.index)
      place = totals_.workers.insert(place, WorkerStats{.index = from.index});
    for (size_t i = 0; i < kCounterCount; ++i) place->counters[i] += from.counters[i];
    if (!with_gauges) continue;
    place->processes += from.processes;
    for (size_t i = 0; i < kGaugeCount; ++i) place->gauges[i] += from.gauges[i];
  }
}

std::vector<uint32_t> Accumulator::take_bounds(const DurationBounds& theirs) {
  DurationBounds& ours = totals_.duration_bounds;
  DurationBounds all = all_bounds(ours, theirs);
  if (all.size() > kMaxBounds) all = theirs;
  if (all != ours) {
    const std::vector<uint32_t> places = bucket_places(ours, all);
    const auto move = [&](Histogram& histogram) {
      if (!histogram.buckets.empty()) histogram.buckets = moved_buckets(histogram.buckets, places, all.size() + 1);
    };
    for (RouteStats& entry : totals_.routes) move(entry.duration);
    for (ServiceStats& entry : totals_.services) move(entry.duration);
    ours = std::move(all);
  }
  return bucket_places(theirs, ours);
}

}  // namespace restgate::stats
