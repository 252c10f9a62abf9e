// Tally: all that was ever counted, summed over workers, in the order of one configuration: what a rate is the
// difference of. Pure; master.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/stats.h"
#include "master/status/durations.h"

namespace restgate::master {

/// Place of each route and service of a configuration, and its bounds of durations. Route 0 is "unmatched", route i of
/// the configuration is i + 1.
class TallyNames {
 public:
  TallyNames() = default;
  explicit TallyNames(const stats::BlockSpec& spec);

  static constexpr uint32_t kNone = UINT32_MAX;
  [[nodiscard]] uint32_t route(std::string_view name) const { return find(routes_, name); }
  [[nodiscard]] uint32_t service(std::string_view name) const { return find(services_, name); }
  [[nodiscard]] const Bounds& bounds() const { return bounds_; }
  [[nodiscard]] size_t routes() const { return route_names_.size(); }
  [[nodiscard]] size_t services() const { return service_names_.size(); }
  [[nodiscard]] const std::string& route_name(size_t place) const { return route_names_[place]; }
  [[nodiscard]] const std::string& service_name(size_t place) const { return service_names_[place]; }

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  using Places = std::unordered_map<std::string, uint32_t, NameHash, std::equal_to<>>;
  static uint32_t find(const Places& places, std::string_view name);

  Bounds bounds_;
  std::vector<std::string> route_names_;
  std::vector<std::string> service_names_;
  Places routes_;
  Places services_;
};

struct RouteTally {
  Durations duration;
  uint64_t refused = 0;  ///< 4xx: the request was not as it should have been
  uint64_t failed = 0;   ///< 5xx: we or the backend failed

  [[nodiscard]] uint64_t requests() const { return duration.count(); }
};

struct ServiceTally {
  Durations duration;
  std::array<uint64_t, stats::kServiceCounterCount> counters{};
  std::array<int64_t, stats::kServiceGaugeCount> gauges{};  ///< of the moment

  [[nodiscard]] uint64_t operator[](stats::ServiceCounter which) const { return counters[static_cast<size_t>(which)]; }
  [[nodiscard]] int64_t operator[](stats::ServiceGauge which) const { return gauges[static_cast<size_t>(which)]; }
};

struct Tally {
  std::vector<RouteTally> routes;  ///< by place; what is not in the configuration is in the sums below only
  std::vector<ServiceTally> services;
  Durations duration;
  std::array<uint64_t, 6> classes{};  ///< by the first digit of the status; 0: not known
  uint64_t errors = 0;                ///< with a reason, see restgate_errors_total
  std::array<uint64_t, stats::kCounterCount> counters{};
  std::array<int64_t, stats::kGaugeCount> gauges{};  ///< of the moment

  [[nodiscard]] uint64_t operator[](stats::Counter which) const { return counters[static_cast<size_t>(which)]; }
  [[nodiscard]] int64_t operator[](stats::Gauge which) const { return gauges[static_cast<size_t>(which)]; }
};

[[nodiscard]] Tally empty_tally(const TallyNames& names);
/// Adds what one worker, or all that are gone, have counted. `live`: gauges too.
void add(Tally& to, const stats::Snapshot& counted, const TallyNames& names, bool live);
/// The same numbers in the order of another configuration; what that does not have is dropped, what is new in it is
/// as in `latest`.
[[nodiscard]] Tally rearranged(const Tally& from, const TallyNames& old_names, const Tally& latest,
                               const TallyNames& names);
/// What was counted in between, as for durations.
[[nodiscard]] constexpr uint64_t difference(uint64_t later, uint64_t earlier) {
  return later > earlier ? later - earlier : 0;
}

}  // namespace restgate::master
