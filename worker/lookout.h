// Lookout: finds the resets that an event did not tell of. Worker; owned by the Worker; single thread.
//
// libevent reports a connection's error as readiness to read and to write, which is what bytes look like too. When
// bytes and a reset come with one edge-triggered event, a read that brings less than it had room for has used up that
// event, the reset has not been seen, and no other event will come. To read once more after each such read would be a
// system call for every message. Who waits for more is put on a list instead, and one poll(), which tells an error by
// name, asks about all of them soon after. That is once for each read: what comes later than the read has its own
// event. So under constant traffic a connection is asked about once a period, and when there is no traffic, nobody is.
#pragma once

#include <poll.h>

#include <cstdint>
#include <vector>

#include "common/event_loop.h"
#include "worker/timer_wheel.h"

namespace restgate::worker {

class Connection;

class Lookout final : private Deadline {
 public:
  /// How long a reset may stay unseen, but for the timers' own coarseness.
  static constexpr int64_t kPeriodMs = 80;

  Lookout(EventLoop& loop, TimerWheel& timers) : loop_(loop), timers_(timers) {}

  /// Puts on the list one that is not on it (Connection::lookout_place_ is 0). If it has failed, it will be told in
  /// on_io(); then, and when it is destroyed, it is off the list.
  void add(Connection& connection);
  void forget(Connection& connection);

 private:
  void on_deadline() override;

  EventLoop& loop_;
  TimerWheel& timers_;
  std::vector<Connection*> watched_;
  std::vector<Connection*> failed_;  // these two have their place here for their memory only
  std::vector<pollfd> question_;
};

}  // namespace restgate::worker
