// RAII over libevent: EventLoop, IoEvent, TimerEvent, SignalEvent. Master and workers.
//
// A process creates its EventLoop after fork and never shares it. All callbacks run on the thread that calls run().
//
// libevent waits, and has timers, signals and whatever the admin server needs. The descriptors of IoEvents are in an
// epoll set of our own, which is one event to libevent: an event goes from the kernel straight to its handler, a
// connection needs a few words of memory instead of libevent's 200 bytes, and a turn takes a bounded number of events.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "common/unique_fd.h"

struct event;
struct event_base;

namespace restgate {

struct EventBaseDeleter {
  void operator()(event_base* base) const;
};
struct EventDeleter {
  void operator()(event* ev) const;
};
using EventPtr = std::unique_ptr<event, EventDeleter>;

class IoEvent;

class EventLoop {
 public:
  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop();

  /// Runs turns until stop(). A turn waits for events, runs their callbacks, then the turn hook.
  void run();
  /// Ends run() after the present turn.
  void stop() { stopped_ = true; }
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// Called once after each turn's callbacks: the place for batched writes and delayed deletion.
  void set_turn_hook(std::function<void()> hook) { turn_hook_ = std::move(hook); }

  /// Makes the next turn not wait for events: the turn hook has more to do.
  void request_turn() { turn_requested_ = true; }

  /// Counts the turns. What a turn's callbacks are told happened before any of them ran.
  [[nodiscard]] uint64_t turn() const { return turn_; }

  /// CLOCK_MONOTONIC, read at most once a turn (at its first use). Cheap; as old as the turn.
  [[nodiscard]] int64_t now_us() {
    if (!clock_fresh_) refresh_clock();
    return now_us_;
  }
  [[nodiscard]] int64_t now_ms() { return now_us() / 1000; }
  /// Reads the clock anew.
  int64_t refresh_clock();
  /// CLOCK_MONOTONIC of this moment; does not touch the turn's.
  static int64_t clock_us();

  [[nodiscard]] event_base* base() const { return base_.get(); }

 private:
  friend class IoEvent;
  static constexpr size_t kEventsPerTurn = 256;

  void report_io();
  /// What has been taken from the kernel for it is not reported.
  void forget(const IoEvent& gone);

  std::unique_ptr<event_base, EventBaseDeleter> base_;
  UniqueFd epoll_;
  EventPtr epoll_event_;
  std::array<epoll_event, kEventsPerTurn> ready_;  // [next_, end_) are still to be reported
  size_t next_ = 0;
  size_t end_ = 0;
  std::function<void()> turn_hook_;
  int64_t now_us_ = 0;
  uint64_t turn_ = 0;
  bool stopped_ = false;
  bool clock_fresh_ = false;
  bool turn_requested_ = false;
};

/// What happened on a descriptor; several may be true at once.
struct IoReady {
  bool readable = false;
  bool writable = false;
  bool peer_closed = false;  ///< the peer has shut down its sending side, or the connection is gone
};

/// Something that a persistent, edge-triggered event reports to.
class IoHandler {
 public:
  virtual void on_io(IoReady ready) = 0;

 protected:
  ~IoHandler() = default;
};

/// One persistent edge-triggered registration (read, write and peer-closed) of a descriptor: one epoll_ctl in its life.
/// The descriptor must stay open until the IoEvent is destroyed or reset.
class IoEvent {
 public:
  IoEvent() = default;
  IoEvent(const IoEvent&) = delete;
  IoEvent& operator=(const IoEvent&) = delete;
  ~IoEvent() { stop(); }
  /// Registers, in place of what was registered before. False: the kernel refused (see errno).
  [[nodiscard]] bool start(EventLoop& loop, int fd, IoHandler& handler);
  /// Level-triggered and for reading only: listeners, pipes.
  [[nodiscard]] bool start_reading(EventLoop& loop, int fd, IoHandler& handler);
  void stop();
  /// Likewise, without the system call: the descriptor is closed next, and no other process or descriptor has the same
  /// open file, so that the kernel ends the registration.
  void stop_with_close();
  [[nodiscard]] bool active() const { return loop_ != nullptr; }

 private:
  friend class EventLoop;
  bool add(EventLoop& loop, int fd, uint32_t what, IoHandler& handler);

  EventLoop* loop_ = nullptr;  // null: not registered
  IoHandler* handler_ = nullptr;
  int fd_ = -1;
};

/// A one-shot or repeating timer with a callback.
class TimerEvent {
 public:
  TimerEvent(EventLoop& loop, std::function<void()> on_timeout);
  void arm(std::chrono::microseconds after);
  void arm_every(std::chrono::microseconds period);
  void cancel();

 private:
  struct State {
    std::function<void()> on_timeout;
    bool repeat = false;
    std::chrono::microseconds period{};
    event* ev = nullptr;
  };
  std::unique_ptr<State> state_;
  EventPtr event_;
};

/// A POSIX signal delivered as an event.
class SignalEvent {
 public:
  SignalEvent(EventLoop& loop, int signo, std::function<void()> on_signal);

 private:
  std::unique_ptr<std::function<void()>> on_signal_;
  EventPtr event_;
};

}  // namespace restgate
