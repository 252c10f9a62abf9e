// What /metrics shows, as prometheus-cpp's metric families and their text. Master.
//
// The names below are public (README). Label values are bounded by the configuration: routes and services by name, the
// methods it declares, three-digit codes, and the reasons of common/reason.h.
#pragma once

#include <prometheus/metric_family.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/stats.h"
#include "master/metrics_process.h"

namespace restgate::master {

/// What the master itself knows and the statistics segments do not.
struct MasterFacts {
  struct Exits {
    std::string reason;  ///< a short word of a fixed set, such as "drained" or "signal"
    uint64_t count = 0;
  };

  uint64_t generation = 0;
  uint32_t workers_starting = 0;
  uint32_t workers_ready = 0;
  uint32_t workers_draining = 0;
  uint32_t workers_killed = 0;  ///< sent a signal to end, not reaped yet
  uint64_t worker_restarts = 0;
  std::vector<Exits> worker_exits{};  ///< each reason once; those without an exit too, so that they show as 0
  uint64_t reloads_succeeded = 0;
  uint64_t reloads_failed = 0;
  uint64_t upgrades_succeeded = 0;
  uint64_t upgrades_failed = 0;
  bool last_reload_successful = true;
  std::chrono::system_clock::time_point last_reload{};  ///< of the last successful one; the start counts as one
  std::string config_hash{};
  std::vector<pid_t> workers{};             ///< the live ones
  stats::DurationBounds duration_bounds{};  ///< to show; empty: all that the totals have
};

/// All that one scrape shows, as it was at one moment.
struct Scrape {
  stats::Sources statistics;
  MasterFacts facts;
  ProcessTotals processes;
};

/// The families of one scrape; pure.
[[nodiscard]] std::vector<prometheus::MetricFamily> metric_families(const stats::Snapshot& totals,
                                                                    const MasterFacts& facts,
                                                                    const ProcessTotals& processes);

/// In the text exposition format, version 0.0.4. Any thread. `expected_bytes`: about so many it will be.
[[nodiscard]] std::string metrics_text(const Scrape& scrape, size_t expected_bytes = 0);

}  // namespace restgate::master
