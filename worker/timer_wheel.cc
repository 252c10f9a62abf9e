#include "worker/timer_wheel.h"

#include <algorithm>

namespace restgate::worker {

void Deadline::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
}

TimerWheel::TimerWheel(EventLoop& loop)
    : loop_(loop), timer_(loop, [this] { on_tick(); }), current_tick_(loop.now_ms() / kTickMs) {}

void TimerWheel::set(Deadline& deadline, int64_t when_ms) {
  deadline.when_ms_ = when_ms;
  // Rounded up, so that it never fires early; never in the slot being handled.
  const int64_t tick = std::max((when_ms + kTickMs - 1) / kTickMs, current_tick_ + 1);
  if (deadline.link_ != nullptr) {
    if (deadline.tick_ <= tick) return;
    deadline.unlink();
  }
  link(deadline, tick);
}

void TimerWheel::link(Deadline& deadline, int64_t tick) {
  tick = std::min(tick, current_tick_ + static_cast<int64_t>(kSlots) - 1);
  Deadline*& head = slots_[static_cast<size_t>(tick) % kSlots];
  deadline.tick_ = tick;
  deadline.next_ = head;
  deadline.link_ = &head;
  if (head != nullptr) head->link_ = &deadline.next_;
  head = &deadline;
  if (armed_tick_ == 0 || tick < armed_tick_) arm(tick);
}

void TimerWheel::arm(int64_t tick) {
  armed_tick_ = tick;
  const int64_t wait_us = tick * kTickMs * 1000 - loop_.now_us();
  timer_.arm(std::chrono::microseconds(std::max<int64_t>(wait_us, 0)));
}

void TimerWheel::on_tick() {
  armed_tick_ = 0;
  const int64_t now_ms = loop_.refresh_clock() / 1000;
  const int64_t last = now_ms / kTickMs;
  // After a long stop, one round handles every slot.
  int64_t tick = std::max(current_tick_ + 1, last - static_cast<int64_t>(kSlots) + 1);
  for (; tick <= last; ++tick) {
    current_tick_ = tick;
    Deadline*& head = slots_[static_cast<size_t>(tick) % kSlots];
    while (head != nullptr) {
      Deadline& due = *head;
      due.unlink();
      if (due.when_ms_ == 0) continue;
      if (due.when_ms_ > now_ms) {
        set(due, due.when_ms_);
        continue;
      }
      due.when_ms_ = 0;
      due.on_deadline();
    }
  }
  current_tick_ = std::max(current_tick_, last);
  const int64_t next = next_used_tick();
  if (next != 0 && (armed_tick_ == 0 || next < armed_tick_)) arm(next);
}

int64_t TimerWheel::next_used_tick() const {
  for (int64_t tick = current_tick_ + 1; tick < current_tick_ + static_cast<int64_t>(kSlots); ++tick)
    if (slots_[static_cast<size_t>(tick) % kSlots] != nullptr) return tick;
  return 0;
}

}  // namespace restgate::worker
