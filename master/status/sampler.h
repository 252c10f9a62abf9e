// StatusSampler: looks at all workers once a second, for the Ledger. Master; its one thread; owned by the Management.
//
// It shares that thread with the supervision: no turn of the loop is held for longer than kTurn and the reading of one
// worker, and no more than a twentieth of all time goes into it, however many routes and workers there are.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "master/status/ledger.h"
#include "master/supervisor.h"

namespace restgate::master {

/// One worker at the time of a sample.
struct WorkerFigures {
  WorkerView view;
  uint32_t connections = 0;  ///< of clients, tunnels included
  uint64_t requests = 0;     ///< finished, in its life
  int64_t in_flight = 0;
  double cpu_seconds = 0;
  double cpu_share = 0;  ///< of one CPU, since the sample before
  uint64_t resident_bytes = 0;
};

class StatusSampler {
 public:
  static constexpr std::chrono::milliseconds kPeriod{1'000};
  static constexpr std::chrono::milliseconds kTurn{5};   ///< of work in one turn of the loop, and a worker's more
  static constexpr std::chrono::milliseconds kPause{5};  ///< between two turns of work
  static constexpr int kRest = 19;                       ///< times the length of the work, before the next sample

  /// Both outlive it. `on_sample`: called after each sample, in the loop.
  StatusSampler(EventLoop& loop, const Supervisor& supervisor, std::function<void()> on_sample);

  /// Takes a sample at once if that is quick, so that what is asked for is of now; in any case if there is none of the
  /// generation that serves. Afterwards the ledger is in the order of its configuration.
  void refresh();

  /// See Ledger::restore().
  void restore(std::deque<HistoryPoint> points) { ledger_.restore(std::move(points)); }

  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] const std::vector<WorkerFigures>& workers() const { return workers_; }

 private:
  struct CpuTime {
    double seconds = 0;
    std::chrono::steady_clock::time_point at{};
  };
  void work();
  /// False: the sample is under way, its next part is due in kPause.
  bool advance(std::chrono::steady_clock::time_point until);
  void begin();
  void look_at(const WorkerHandle& worker);
  void finish();

  EventLoop& loop_;
  const Supervisor& supervisor_;
  std::function<void()> on_sample_;
  TimerEvent timer_;
  Ledger ledger_;
  std::vector<WorkerFigures> workers_;  // as of the last sample
  std::unordered_map<pid_t, CpuTime> cpu_times_;

  bool under_way_ = false;
  std::vector<pid_t> left_;  // whom the sample under way has still to look at
  std::vector<WorkerFigures> looked_at_;
  uint64_t deaths_ = 0;  // when it began
  uint64_t generation_ = 0;
  uint64_t sampled_generation_ = 0;
  std::chrono::steady_clock::time_point began_{};
  std::chrono::steady_clock::duration worked_{};  // on it, without pauses
  std::chrono::steady_clock::duration took_{};    // the last one
};

}  // namespace restgate::master
