// Pulse: a worker's sign of life in the midst of a long turn of its loop. Worker; one per process.
//
// A turn in which thousands of connections have work may last longer than the master is prepared to wait for a
// heartbeat, more so on a machine that is short of CPUs. Whoever does a piece of work says so, and the heartbeat goes
// on.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/event_loop.h"

namespace restgate::worker {

class Pulse {
 public:
  /// Nobody listens.
  Pulse() = default;
  /// The worker's row of the scoreboard; outlives this.
  explicit Pulse(std::atomic<int64_t>& heartbeat_ms) : heartbeat_ms_(&heartbeat_ms) {}

  /// A connection has had its share of the turn. Reads the clock every now and then only.
  void work_done() {
    if (++pieces_ % kPiecesPerBeat != 0 || heartbeat_ms_ == nullptr) return;
    heartbeat_ms_->store(EventLoop::clock_us() / 1000, std::memory_order_relaxed);
  }

  static constexpr uint32_t kPiecesPerBeat = 16;

 private:
  std::atomic<int64_t>* heartbeat_ms_ = nullptr;
  uint32_t pieces_ = 0;
};

}  // namespace restgate::worker
