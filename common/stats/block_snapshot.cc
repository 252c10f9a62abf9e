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

/// Adds a row of numbers to where they belong; returns what comes after it.
template <typename Number, typename Values>
const Number* add_all(const Number* from, const std::vector<uint32_t>& places, Values& to) {
  for (const uint32_t place : places) {
    if (place < to.size()) to[place] += read(*from);
    ++from;
  }
  return from;
}

/// Takes the histogram of a slot; returns what comes after it.
const layout::Count* read_histogram(const layout::Count* from, size_t buckets, Histogram& to) {
  to.sum_us = read(*from++);
  to.buckets.resize(buckets);
  for (uint64_t& bucket : to.buckets) bucket = read(*from++);
  return from;
}

const layout::Level* as_levels(const layout::Count* at) {
  return reinterpret_cast<const layout::Level*>(at);
}

/// Nothing observed.
bool is_empty(const layout::Count* histogram, size_t buckets) {
  return std::all_of(histogram + 1, histogram + 1 + buckets,
                     [](const layout::Count& bucket) { return read(bucket) == 0; });
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
  RouteGatherer(const BlockSpec& spec, const std::vector<std::string>& reasons, std::vector<RouteStats>& routes)
      : spec_(spec), reasons_(reasons), routes_(routes), entry_of_(spec.routes.size() + 1, kNone) {}

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
  void add_cell(const layout::Cell& cell) {
    const uint64_t key = cell.key.load(std::memory_order_acquire);
    if (key != 0) add(key, read(cell.count));
  }

  void add(uint64_t key, uint64_t count) {
    const uint32_t route = layout::cell_route(key);
    const uint32_t detail = layout::cell_detail(key);
    if (route >= entry_of_.size()) return;
    if (layout::cell_kind(key) == static_cast<uint8_t>(layout::CellKind::Request)) {
      const uint32_t method = detail >> 16;
      const uint32_t code = detail & 0xFFFFU;
      if (code > 999) return;
      const std::string_view name = method < spec_.methods.size() ? std::string_view(spec_.methods[method]) : kOther;
      entry(route).requests.push_back({std::string(name), static_cast<uint16_t>(code), count});
    } else if (detail < reasons_.size()) {
      entry(route).errors.push_back({reasons_[detail], count});
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
  const std::vector<std::string>& reasons_;
  std::vector<RouteStats>& routes_;
  std::vector<uint32_t> entry_of_;  ///< route → its index in routes_
};

}  // namespace

Snapshot Block::snapshot() const {
  Snapshot snapshot;
  if (mapping_.bytes().empty()) return snapshot;
  snapshot.configured_routes = counts_.routes;
  snapshot.duration_bounds = spec_.duration_bounds;
  const size_t buckets = spec_.duration_bounds.size() + 1;
  const layout::Count* process =
      add_all(section<const layout::Count>(offsets_.process), translation_.counters, snapshot.counters);
  add_all(as_levels(process), translation_.gauges, snapshot.gauges);

  snapshot.services.resize(counts_.services);
  for (uint32_t i = 0; i < counts_.services; ++i) {
    ServiceStats& service = snapshot.services[i];
    service.name = spec_.services[i];
    const auto* at = section<const layout::Count>(offsets_.services + i * layout::service_slot_bytes(counts_));
    at = read_histogram(at, buckets, service.duration);
    at = add_all(at, translation_.service_counters, service.counters);
    add_all(as_levels(at), translation_.service_gauges, service.gauges);
  }

  const auto* overflow = section<const layout::OverflowSlot>(offsets_.overflow);
  RouteGatherer gatherer(spec_, translation_.reasons, snapshot.routes);
  for (uint32_t i = 0; i < counts_.routes; ++i) {
    const auto* cell = section<const layout::Cell>(offsets_.routes + i * layout::route_slot_bytes(counts_));
    gatherer.add_cell(*cell);
    const auto* at = reinterpret_cast<const layout::Count*>(cell + 1);
    if (!is_empty(at, buckets)) read_histogram(at, buckets, gatherer.entry(i).duration);
    gatherer.add_overflow(i, read(overflow[i].requests), read(overflow[i].errors));
  }
  const auto* cells = section<const layout::Cell>(offsets_.cells);
  for (uint64_t i = 0; i < offsets_.cell_count; ++i) gatherer.add_cell(cells[i]);
  gatherer.finish();
  return snapshot;
}

}  // namespace restgate::stats
