// Fleet: all worker processes that the master has forked and not yet reaped, and the sum of what they counted. Master.
//
// Does what it is told (spawn, drain, kill) and reports who died. Decides nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "common/event_loop.h"
#include "common/result.h"
#include "common/scoreboard.h"
#include "common/stats.h"
#include "master/crash_log.h"
#include "master/generation.h"
#include "master/mailbox_set.h"
#include "master/obituary.h"
#include "master/reconcile.h"
#include "master/spawner.h"
#include "master/upgrade_state.h"
#include "master/worker_handle.h"

namespace restgate::master {

struct Death {
  WorkerView last;
  Obituary obituary;
  Losses losses;
};

/// A child that was no worker.
struct Stranger {
  pid_t pid = 0;
  int status = 0;
};

struct Reaped {
  std::vector<Death> workers;
  std::vector<Stranger> others;
};

class Fleet {
 public:
  /// Both outlive the fleet.
  Fleet(EventLoop& loop, Spawner& spawner);
  /// Kills (SIGKILL) and reaps whoever is left.
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  /// `retired`: sockets of ports that are being given up.
  Status spawn(const Generation& generation, const std::vector<int>& retired, uint32_t index, TimePoint now);
  /// Tells all workers to take what waits on this port, which is given up, and to close it.
  void leave_port(uint16_t port);
  /// Tells all workers, and those to come, that the gateway will stop: answers say so to clients.
  void bid_farewell();
  /// Opens the files of access logs anew (who rotates logs has renamed them) and gives them to all workers.
  void reopen_access_logs();
  void drain(const action::Drain& order, TimePoint now);
  void kill(const action::Kill& order, TimePoint now);

  /// Takes in heartbeats and the like from shared memory.
  void observe(TimePoint now);
  /// Whether any worker still takes connections.
  [[nodiscard]] bool accepts() const;
  /// Every worker, as last observed.
  [[nodiscard]] std::vector<WorkerView> views() const;
  /// Reaps every child of this process that has ended.
  [[nodiscard]] Reaped reap();

  /// For a program that takes the master's place: the workers, the scoreboard, the sum of the dead.
  void save(UpgradeState& state) const;
  /// Takes over what another program left. The descriptors in `state` are from now on its own, also if it fails.
  Status resume(const UpgradeState& state);

  /// Counters since the start, of the dead and the living, and the gauges of the living.
  [[nodiscard]] stats::Accumulator statistics() const { return statistics_sources().sum(); }
  /// The same, not summed up yet: for another thread.
  [[nodiscard]] stats::Sources statistics_sources() const;
  /// The part of them that is the dead's. It changes with each of them: see deaths().
  [[nodiscard]] const stats::Snapshot& gone() const { return dead_->totals(); }
  [[nodiscard]] uint64_t deaths() const { return deaths_; }

  [[nodiscard]] std::span<const std::unique_ptr<WorkerHandle>> workers() const { return workers_; }
  /// Null: there is none of that number.
  [[nodiscard]] WorkerHandle* find(pid_t pid) const;

 private:
  struct Row {
    ScoreboardRow* row;
    uint32_t number;
  };
  [[nodiscard]] Result<Row> free_row() const;
  Death bury(pid_t pid, int status);

  EventLoop& loop_;
  Spawner& spawner_;
  ScoreboardMemory scoreboard_;  // before the workers, who refer to its rows
  MailboxSet mailboxes_;
  std::vector<std::unique_ptr<WorkerHandle>> workers_;
  std::shared_ptr<const stats::Accumulator> dead_;  // a scrape may be reading it: replaced, never changed
  uint64_t deaths_ = 0;
  bool farewell_ = false;
};

}  // namespace restgate::master
