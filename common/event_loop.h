// RAII over libevent: EventLoop, IoEvent, TimerEvent, SignalEvent. Master and workers.
//
// A process creates its EventLoop after fork and never shares it. All callbacks run on the thread that calls run().
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

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
  std::unique_ptr<event_base, EventBaseDeleter> base_;
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
  [[nodiscard]] bool active() const { return active_; }

 private:
  bool add(EventLoop& loop, int fd, short what, IoHandler& handler);

  // libevent's struct event, in place: one allocation less for each connection, and its memory near the handler's.
  static constexpr size_t kEventBytes = 128;
  alignas(8) std::array<std::byte, kEventBytes> event_;
  bool active_ = false;
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
