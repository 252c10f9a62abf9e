// Ledger: what the gateway has been doing of late, from the sums that its workers count: rates, latencies, the last 15
// minutes, recent errors, how the services answer. Pure: no clock, no process; master; owned by the StatusSampler.
//
// A sample is the sum of all workers at about one moment: begin(), add() for each worker that lives, finish(). The sums
// of a few moments are kept, so memory is bounded by the configuration: some 2 KiB a route.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/stats.h"
#include "master/status/durations.h"
#include "master/status/error_journal.h"
#include "master/status/history.h"
#include "master/status/tally.h"

namespace restgate::master {

/// When a sample was taken.
struct Moment {
  std::chrono::system_clock::time_point wall{};
  std::chrono::steady_clock::time_point steady{};
};

struct RouteFigures {
  uint64_t requests = 0;             ///< since the start
  uint64_t recent = 0;               ///< of these, in the window of latencies
  double rate = 0;                   ///< per second
  double refused = 0;                ///< share of `rate` that got 4xx
  double failed = 0;                 ///< share of `rate` that got 5xx
  std::optional<Quantiles> latency;  ///< nothing: no request of late
};

/// Told from what workers meet: nobody asks a backend just to know.
enum class Health : uint8_t {
  Unknown,   ///< nobody has asked it for anything yet
  Up,        ///< answers
  Degraded,  ///< answers, but some connections fail
  Down,      ///< connections fail, and there are no answers
};
[[nodiscard]] std::string_view to_string(Health health);

struct ServiceFigures {
  uint64_t requests = 0;  ///< answers since the start
  double rate = 0;        ///< answers per second
  std::optional<Quantiles> latency;
  Health health = Health::Unknown;
  std::optional<std::chrono::system_clock::time_point> health_since;
  ServiceTally totals;
};

class Ledger {
 public:
  static constexpr std::chrono::seconds kRateWindow{5};  ///< at least; up to a step more
  static constexpr size_t kKept = 7;                     ///< sums, a step apart: latencies are of the last 30 to 35 s

  /// From the next sample on, everything is in the order of this configuration. Drops a sample that is under way.
  void use(const stats::BlockSpec& spec);

  /// `gone`: the sum of the workers that are no more; the same as last time if `version` is.
  void begin(const stats::Snapshot& gone, uint64_t version);
  void add(const stats::Snapshot& live);
  void finish(Moment now);
  /// Drops the sample that is under way.
  void drop();

  /// What another program knew of the past; before the first sample.
  void restore(std::deque<HistoryPoint> points) { history_.restore(std::move(points)); }

  [[nodiscard]] bool has_sample() const { return !kept_.empty(); }
  [[nodiscard]] const Tally& latest() const { return latest_; }
  [[nodiscard]] Moment time() const { return time_; }
  [[nodiscard]] const TallyNames& names() const { return names_; }
  [[nodiscard]] const History& history() const { return history_; }
  [[nodiscard]] const std::deque<RecentError>& errors() const { return errors_.recent(); }

  /// The gateway as a whole, over the window of rates.
  [[nodiscard]] HistoryPoint now() const;
  /// `place`: see TallyNames.
  [[nodiscard]] RouteFigures route(size_t place) const;
  [[nodiscard]] bool busy(size_t place) const;  ///< whether a route had requests in the window of latencies
  [[nodiscard]] ServiceFigures service(size_t place) const;
  /// Lengths of the two windows in seconds, as they are at the moment.
  [[nodiscard]] double rate_seconds() const { return seconds_since(rate_base()); }
  [[nodiscard]] double latency_seconds() const { return seconds_since(kept_.front()); }

 private:
  struct Kept {
    std::chrono::steady_clock::time_point steady;
    Tally tally;
  };
  struct HealthState {
    Health health = Health::Unknown;
    std::optional<std::chrono::system_clock::time_point> since;
  };
  void change_names();
  void judge_services();
  [[nodiscard]] const Kept& rate_base() const;
  [[nodiscard]] double seconds_since(const Kept& kept) const {
    return std::chrono::duration<double>(time_.steady - kept.steady).count();
  }

  TallyNames names_;                     // of latest_ and kept_
  std::optional<TallyNames> new_names_;  // of the sample under way, when it is the first in another order
  std::optional<uint64_t> gone_version_;
  Tally gone_;
  Tally sum_;  // under way
  Tally latest_;
  Moment time_;
  std::deque<Kept> kept_;  // the oldest first
  std::vector<HealthState> health_;
  History history_;
  ErrorJournal errors_;
};

}  // namespace restgate::master
