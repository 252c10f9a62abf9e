#include "common/stats/accumulator.h"

#include <algorithm>
#include <tuple>

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

  const size_t route_limit = snapshot.configured_routes + kSpareNames;
  for (const RouteStats& from : snapshot.routes) {
    RouteStats& to = route(from.name, route_limit);
    merge_counts(to.requests, from.requests,
                 [](const RequestCount& entry) { return std::pair(std::string_view(entry.method), entry.code); });
    merge_counts(to.errors, from.errors, [](const ErrorCount& entry) { return std::string_view(entry.reason); });
    to.duration.add(from.duration);
  }

  const size_t service_limit = snapshot.services.size() + kSpareNames;
  for (const ServiceStats& from : snapshot.services) {
    ServiceStats& to = service(from.name, service_limit);
    for (size_t i = 0; i < kServiceCounterCount; ++i) to.counters[i] += from.counters[i];
    if (with_gauges)
      for (size_t i = 0; i < kServiceGaugeCount; ++i) to.gauges[i] += from.gauges[i];
    to.duration.add(from.duration);
  }
}

}  // namespace restgate::stats
