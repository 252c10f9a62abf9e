// TimerWheel and Deadline: coarse timeouts that cost nothing while nothing times out. Worker; single thread.
//
// Putting a deadline off only writes a number: the wheel looks at it when the old slot comes up and moves it on.
// A deadline fires at most one tick late, never early.
#pragma once

#include <array>
#include <cstdint>

#include "common/event_loop.h"

namespace restgate::worker {

class TimerWheel;

/// One timeout of its owner. Base class; unlinks itself when destroyed.
class Deadline {
 public:
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 protected:
  Deadline() = default;
  ~Deadline() { unlink(); }
  /// The time set has come. The deadline is clear; it may be set again, and the owner may be destroyed.
  virtual void on_deadline() = 0;

 private:
  friend class TimerWheel;
  void unlink();

  Deadline* next_ = nullptr;
  Deadline** link_ = nullptr;  // what points at this one; null: in no slot
  int64_t when_ms_ = 0;        // 0: clear
  int64_t tick_ = 0;           // the slot it is in
};

class TimerWheel {
 public:
  static constexpr int64_t kTickMs = 10;

  explicit TimerWheel(EventLoop& loop);

  /// `when_ms` on the loop's clock. Sets anew, earlier or later.
  void set(Deadline& deadline, int64_t when_ms);
  static void clear(Deadline& deadline) { deadline.when_ms_ = 0; }

 private:
  static constexpr size_t kSlots = 2048;  // a horizon of 20 s; what is farther off is looked at again then
  void link(Deadline& deadline, int64_t tick);
  void arm(int64_t tick);
  void on_tick();
  [[nodiscard]] int64_t next_used_tick() const;

  EventLoop& loop_;
  TimerEvent timer_;
  int64_t current_tick_;    // all slots up to this one have been handled
  int64_t armed_tick_ = 0;  // when the timer comes; 0: not armed
  std::array<Deadline*, kSlots> slots_{};
};

}  // namespace restgate::worker
