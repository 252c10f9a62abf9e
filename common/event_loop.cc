#include "common/event_loop.h"

#include <event2/event.h>

#include <algorithm>
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

// An error, or the end of both directions without the news that the peer has ended its own, is told by whatever is
// tried next.
IoReady ready_of(uint32_t events) {
  IoReady ready;
  const bool broken = (events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && (events & EPOLLRDHUP) == 0);
  ready.peer_closed = !broken && (events & EPOLLRDHUP) != 0;
  ready.readable = broken || ready.peer_closed || (events & EPOLLIN) != 0;
  ready.writable = broken || (events & EPOLLOUT) != 0;
  return ready;
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
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);  // one thread owns a base
  base_.reset(event_base_new_with_config(config));
  event_config_free(config);
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!base_ || !epoll_) throw std::runtime_error("cannot make an event loop");
  epoll_event_.reset(event_new(
      base_.get(), epoll_.get(), EV_READ | EV_PERSIST,
      [](evutil_socket_t, short, void* loop) { static_cast<EventLoop*>(loop)->report_io(); }, this));
  if (!epoll_event_ || event_add(epoll_event_.get(), nullptr) != 0) throw std::bad_alloc();
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

void EventLoop::report_io() {
  const int count = epoll_wait(epoll_.get(), ready_.data(), static_cast<int>(ready_.size()), 0);
  next_ = 0;
  end_ = static_cast<size_t>(std::max(count, 0));
  while (next_ < end_) {
    const epoll_event& event = ready_[next_++];
    if (event.data.ptr == nullptr) continue;
    static_cast<IoEvent*>(event.data.ptr)->handler_->on_io(ready_of(event.events));
  }
}

void EventLoop::forget(const IoEvent& gone) {
  for (size_t i = next_; i < end_; ++i)
    if (ready_[i].data.ptr == &gone) ready_[i].data.ptr = nullptr;
}

bool IoEvent::add(EventLoop& loop, int fd, uint32_t what, IoHandler& handler) {
  stop();
  epoll_event event{};
  event.events = what;
  event.data.ptr = this;
  if (epoll_ctl(loop.epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
  loop_ = &loop;
  handler_ = &handler;
  fd_ = fd;
  return true;
}

bool IoEvent::start(EventLoop& loop, int fd, IoHandler& handler) {
  return add(loop, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, handler);
}

bool IoEvent::start_reading(EventLoop& loop, int fd, IoHandler& handler) {
  return add(loop, fd, EPOLLIN, handler);
}

void IoEvent::stop() {
  if (loop_ == nullptr) return;
  epoll_ctl(loop_->epoll_.get(), EPOLL_CTL_DEL, fd_, nullptr);
  stop_with_close();
}

void IoEvent::stop_with_close() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->forget(*this);
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
