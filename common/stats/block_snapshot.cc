// Block::snapshot: copies what is not zero out of the segment, by name.
#include <algorithm>
#include <string_view>
#include <tuple>

#include "common/stats/block.h"

namespace restgate::stats {
namespace {

uint64_t read(const layout::Count& count) {
  return count.load(std::memory_order_relaxed);
}
int64_t read(const layout::Level& level) {
  return level.load(std::memory_order_relaxed);
}

template <typename Slots, typename Values>
void copy_all(const Slots& from, Values& to) {
  std::transform(from.begin(), from.end(), to.begin(), [](const auto& slot) { return read(slot); });
}

Histogram copy_histogram(const layout::HistogramSlot& from) {
  Histogram to;
  copy_all(from.buckets, to.buckets);
  to.sum_us = read(from.sum_us);
  return to;
}

bool is_empty(const layout::HistogramSlot& histogram) {
  return std::all_of(histogram.buckets.begin(), histogram.buckets.end(), [](const auto& b) { return read(b) == 0; });
}

/// Makes each key occur once in a sorted list, its counts summed.
template <typename Entry, typename Key>
void sort_and_merge(std::vector<Entry>& entries, Key key) {
  std::sort(entries.begin(), entries.end(), [key](const Entry& a, const Entry& b) { return key(a) < key(b); });
  size_t kept = 0;
  for (size_t i = 1; i < entries.size(); ++i) {
    if (key(entries[kept]) == key(entries[i]))
      entries[kept].count += entries[i].count;
    else if (++kept != i)
      entries[kept] = std::move(entries[i]);
  }
  if (!entries.empty()) entries.resize(kept + 1);
}

/// Gathers the sparse route entries of a snapshot.
class RouteGatherer {
 public:
  RouteGatherer(const BlockSpec& spec, std::vector<RouteStats>& routes)
      : spec_(spec), routes_(routes), entry_of_(spec.routes.size() + 1, kNone) {}

  [[nodiscard]] RouteStats& entry(uint32_t route) {
    uint32_t& entry = entry_of_[route];
    if (entry == kNone) {
      entry = static_cast<uint32_t>(routes_.size());
      RouteStats& made = routes_.emplace_back();
      made.name = route == kUnmatchedRoute ? kUnmatchedRouteName : spec_.routes[route - 1];
      made.requests.reserve(4);  // few routes see more
    }
    return routes_[entry];
  }

  /// One cell as found; a key that no writer makes is skipped.
  void add_cell(uint64_t key, uint64_t count) {
    const uint32_t route = layout::cell_route(key);
    const uint32_t detail = layout::cell_detail(key);
    if (route >= entry_of_.size()) return;
    if (layout::cell_kind(key) == static_cast<uint8_t>(layout::CellKind::Request)) {
      const uint32_t method = detail >> 16;
      const uint32_t code = detail & 0xFFFFU;
      if (code > 999) return;
      const std::string_view name = method < spec_.methods.size() ? std::string_view(spec_.methods[method]) : kOther;
      entry(route).requests.push_back({std::string(name), static_cast<uint16_t>(code), count});
    } else if (detail < kReasons.size()) {
      entry(route).errors.push_back({std::string(kReasons[detail].code), count});
    }
  }

  void add_overflow(uint32_t route, uint64_t requests, uint64_t errors) {
    if (requests != 0) entry(route).requests.push_back({std::string(kOther), 0, requests});
    if (errors != 0) entry(route).errors.push_back({std::string(kOther), errors});
  }

  void finish() {
    for (RouteStats& route : routes_) {
      sort_and_merge(route.requests,
                     [](const RequestCount& entry) { return std::pair(std::string_view(entry.method), entry.code); });
      sort_and_merge(route.errors, [](const ErrorCount& entry) { return std::string_view(entry.reason); });
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  const BlockSpec& spec_;
  std::vector<RouteStats>& routes_;
  std::vector<uint32_t> entry_of_;  ///< route → its index in routes_
};

}  // namespace

Snapshot Block::snapshot() const {
  Snapshot snapshot;
  if (mapping_.bytes().empty()) return snapshot;
  snapshot.configured_routes = counts_.routes;
  const auto& process = *section<const layout::ProcessSlot>(offsets_.process);
  copy_all(process.counters, snapshot.counters);
  copy_all(process.gauges, snapshot.gauges);

  const auto* services = section<const layout::ServiceSlot>(offsets_.services);
  snapshot.services.resize(counts_.services);
  for (uint32_t i = 0; i < counts_.services; ++i) {
    ServiceStats& service = snapshot.services[i];
    service.name = spec_.services[i];
    copy_all(services[i].counters, service.counters);
    copy_all(services[i].gauges, service.gauges);
    service.duration = copy_histogram(services[i].duration);
  }

  const auto* routes = section<const layout::RouteSlot>(offsets_.routes);
  const auto* overflow = section<const layout::OverflowSlot>(offsets_.overflow);
  RouteGatherer gatherer(spec_, snapshot.routes);
  for (uint32_t i = 0; i < counts_.routes; ++i) {
    if (!is_empty(routes[i].duration)) gatherer.entry(i).duration = copy_histogram(routes[i].duration);
    gatherer.add_overflow(i, read(overflow[i].requests), read(overflow[i].errors));
  }
  const auto* cells = section<const layout::Cell>(offsets_.cells);
  for (uint64_t i = 0; i < offsets_.cell_count; ++i) {
    if (const uint64_t key = cells[i].key.load(std::memory_order_acquire); key != 0)
      gatherer.add_cell(key, read(cells[i].count));
  }
  gatherer.finish();
  return snapshot;
}

}  // namespace restgate::stats
