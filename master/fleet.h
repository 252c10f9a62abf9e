// Fleet: all worker processes that the master has forked and not yet reaped, and the sum of what they counted. Master.
//
// Does what it is told (spawn, drain, kill) and reports who died. Decides nothing.
#pragma once

#include <memory>
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
#include "master/worker_handle.h"

namespace restgate::master {

struct Death {
  WorkerView last;
  Obituary obituary;
  Losses losses;
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
  void drain(const action::Drain& order, TimePoint now);
  void kill(const action::Kill& order, TimePoint now);

  /// Takes in heartbeats and the like from shared memory.
  void observe(TimePoint now, const Limits& limits);
  /// Whether any worker still takes connections.
  [[nodiscard]] bool accepts() const;
  /// Every worker, as last observed.
  [[nodiscard]] std::vector<WorkerView> views() const;
  /// Reaps every child of this process that has ended; those that are no workers are reaped without a word.
  [[nodiscard]] std::vector<Death> reap();

  /// Counters since the start, of the dead and the living, and the gauges of the living.
  [[nodiscard]] stats::Accumulator statistics() const;

 private:
  struct Row {
    ScoreboardRow* row;
    uint32_t number;
  };
  [[nodiscard]] Result<Row> free_row() const;
  [[nodiscard]] WorkerHandle* find(pid_t pid) const;
  Death bury(pid_t pid, int status);

  EventLoop& loop_;
  Spawner& spawner_;
  Scoreboard* scoreboard_;  // never unmapped
  MailboxSet mailboxes_;
  std::vector<std::unique_ptr<WorkerHandle>> workers_;
  stats::Accumulator dead_;
};

}  // namespace restgate::master
