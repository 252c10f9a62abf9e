// Accumulator: sums of statistics by route and service name, across workers, generations and programs. Master.
//
// The master adds the last snapshot of every reaped worker to one, so that no counter ever goes back. A copy of it with
// the live workers added is what a scrape shows. Bounded: see kSpareNames.
//
// It keeps the bounds of all histograms that it has been given, so that counts stay what they are through changes of
// them and back; who shows it chooses among them (bounds.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/result.h"
#include "common/stats/snapshot.h"

namespace restgate::stats {

class Accumulator {
 public:
  /// Routes (and services) that left the configuration keep their counters, up to this many; what comes after is
  /// summed up under the name "other", so that a configuration with ever new names cannot fill the memory.
  static constexpr size_t kSpareNames = 10'000;

  /// Beyond so many bounds, only the latest ones are kept, and counts move to the next one upwards.
  static constexpr size_t kMaxBounds = kMaxForeignBounds;

  /// Adds the counters and histograms of a worker that is gone; gauges die with it.
  void add(const Snapshot& snapshot) { fold(snapshot, false); }
  /// Adds a live worker, gauges too: for a copy that is shown and dropped.
  void add_live(const Snapshot& snapshot) { fold(snapshot, true); }

  [[nodiscard]] const Snapshot& totals() const { return totals_; }

  /// The counters (no gauges) as bytes that another build can read: everything goes by name.
  [[nodiscard]] std::string serialize() const;
  /// The reverse. Fails on anything that serialize() does not write, now or in the version before; ignores counters
  /// that this build does not know.
  static Result<Accumulator> deserialize(std::string_view bytes);

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  using Index = std::unordered_map<std::string, uint32_t, NameHash, std::equal_to<>>;

  void fold(const Snapshot& snapshot, bool with_gauges);
  void fold_workers(const Snapshot& snapshot, bool with_gauges);
  /// Takes in the bounds of what is to be added; returns where its buckets are among ours from then on.
  std::vector<uint32_t> take_bounds(const DurationBounds& theirs);
  RouteStats& route(std::string_view name, size_t limit);
  ServiceStats& service(std::string_view name, size_t limit);

  Snapshot totals_;
  Index route_index_;
  Index service_index_;
};

}  // namespace restgate::stats
