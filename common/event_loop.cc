#include "common/event_loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <ctime>
#include <stdexcept>
#include <utility>

namespace restgate {
namespace {

timeval to_timeval(std::chrono::microseconds duration) {
  timeval tv{};
  tv.tv_sec = static_cast<time_t>(duration.count() / 1'000'000);
  tv.tv_usec = static_cast<suseconds_t>(duration.count() % 1'000'000);
  return tv;
}

void on_io_event(evutil_socket_t /*fd*/, short what, void* arg) {
  IoReady ready;
  ready.readable = (what & (EV_READ | EV_CLOSED)) != 0;
  ready.writable = (what & EV_WRITE) != 0;
  ready.peer_closed = (what & EV_CLOSED) != 0;
  static_cast<IoHandler*>(arg)->on_io(ready);
}

}  // namespace

void EventBaseDeleter::operator()(event_base* base) const {
  event_base_free(base);
}
void EventDeleter::operator()(event* ev) const {
  event_free(ev);
}

EventLoop::EventLoop() {
  event_config* config = event_config_new();
  if (config == nullptr) throw std::bad_alloc();
  // One thread owns a base, so no locks; epoll is needed for edge triggers and early close.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1 | EV_FEATURE_EARLY_CLOSE);
  base_.reset(event_base_new_with_config(config));
  event_config_free(config);
  if (!base_) throw std::runtime_error("libevent has no edge-triggered backend on this system");
}

EventLoop::~EventLoop() = default;

int64_t EventLoop::clock_us() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1000;
}

int64_t EventLoop::refresh_clock() {
  now_us_ = clock_us();
  clock_fresh_ = true;
  return now_us_;
}

void EventLoop::run() {
  while (!stopped_) {
    clock_fresh_ = false;  // the wait may be long
    ++turn_;
    // Without EVLOOP_ONCE, libevent would go on as long as there are events.
    const int how = EVLOOP_ONCE | (std::exchange(turn_requested_, false) ? EVLOOP_NONBLOCK : 0);
    if (event_base_loop(base_.get(), how | EVLOOP_NO_EXIT_ON_EMPTY) < 0) break;
    if (turn_hook_) turn_hook_();
  }
}

static_assert(sizeof(event) <= 128, "IoEvent has room for it");

bool IoEvent::add(EventLoop& loop, int fd, short what, IoHandler& handler) {
  stop();
  auto* ev = reinterpret_cast<event*>(event_.data());
  if (event_assign(ev, loop.base(), fd, what, on_io_event, &handler) != 0) return false;
  active_ = event_add(ev, nullptr) == 0;
  return active_;
}

bool IoEvent::start(EventLoop& loop, int fd, IoHandler& handler) {
  return add(loop, fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, handler);
}

bool IoEvent::start_reading(EventLoop& loop, int fd, IoHandler& handler) {
  return add(loop, fd, EV_READ | EV_PERSIST, handler);
}

void IoEvent::stop() {
  if (std::exchange(active_, false)) event_del(reinterpret_cast<event*>(event_.data()));
}

TimerEvent::TimerEvent(EventLoop& loop, std::function<void()> on_timeout) : state_(std::make_unique<State>()) {
  state_->on_timeout = std::move(on_timeout);
  event_.reset(event_new(
      loop.base(), -1, 0,
      [](evutil_socket_t, short, void* arg) {
        auto* state = static_cast<State*>(arg);
        if (state->repeat) {
          const timeval tv = to_timeval(state->period);
          event_add(state->ev, &tv);
        }
        state->on_timeout();
      },
      state_.get()));
  if (!event_) throw std::bad_alloc();
  state_->ev = event_.get();
}

void TimerEvent::arm(std::chrono::microseconds after) {
  state_->repeat = false;
  const timeval tv = to_timeval(after);
  event_add(event_.get(), &tv);
}

void TimerEvent::arm_every(std::chrono::microseconds period) {
  state_->repeat = true;
  state_->period = period;
  const timeval tv = to_timeval(period);
  event_add(event_.get(), &tv);
}

void TimerEvent::cancel() {
  state_->repeat = false;
  event_del(event_.get());
}

SignalEvent::SignalEvent(EventLoop& loop, int signo, std::function<void()> on_signal)
    : on_signal_(std::make_unique<std::function<void()>>(std::move(on_signal))) {
  event_.reset(event_new(
      loop.base(), signo, EV_SIGNAL | EV_PERSIST,
      [](evutil_socket_t, short, void* arg) { (*static_cast<std::function<void()>*>(arg))(); }, on_signal_.get()));
  if (!event_ || event_add(event_.get(), nullptr) != 0) throw std::runtime_error("cannot watch a signal");
}

}  // namespace restgate
