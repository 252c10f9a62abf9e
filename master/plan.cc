#include "master/plan.h"

#include <algorithm>
#include <utility>

namespace restgate::master {

using std::chrono::milliseconds;

Plan::Plan(GenerationPlan first) {
  desired_.current = first;
}

void Plan::want_roll(TimePoint now) {
  if (!desired_.pending_since) desired_.pending_since = now;
}

void Plan::roll_begun(GenerationPlan next, uint32_t slots) {
  desired_.pending_since.reset();
  desired_.current.slots = slots;
  desired_.previous = std::exchange(desired_.current, next);
  desired_.failure.clear();
  desired_.not_before.clear();
  failures_.clear();
  kills_ = 0;
}

void Plan::roll_aborted(uint32_t slots) {
  desired_.current = *desired_.previous;
  desired_.current.slots = slots;
  desired_.previous.reset();
  desired_.failure.clear();
  desired_.not_before.clear();
  failures_.clear();
}

void Plan::shut_down(TimePoint deadline, TimePoint drain_at) {
  if (!desired_.shutdown) desired_.shutdown = Shutdown{deadline, drain_at};
  desired_.shutdown->deadline = std::min(desired_.shutdown->deadline, deadline);
  desired_.shutdown->drain_at = std::min(desired_.shutdown->drain_at, drain_at);
}

void Plan::worker_died(const WorkerView& last, const Obituary& obituary, TimePoint now) {
  desired_.alone_since = now;
  const auto life = now - last.started;
  if (!anyone_ever_ready_) ++desired_.stillborn;
  const bool wanted =
      last.generation == desired_.current.id || (desired_.previous && last.generation == desired_.previous->id);
  if (!wanted) return;
  if (last.generation == desired_.current.id && rolling()) judge_roll(last, obituary);
  if (own_fault(obituary.reason)) return back_off(last.index, life < kLongLife, now);
  // Who kills faster than workers start must not make the master a busy loop; it is no reason to wait for long.
  back_off(last.index, false, life < kTooShortToKill ? now + kFirstBackoff : now);
}

/// A new generation fails with a worker that fails. Being killed from outside says nothing about it, unless it repeats
/// itself (the kernel, when memory is short).
void Plan::judge_roll(const WorkerView& last, const Obituary& obituary) {
  if (!desired_.failure.empty()) return;
  if (!own_fault(obituary.reason) && ++kills_ <= kKillsForgiven) return;
  desired_.failure = "worker " + std::to_string(last.index) + " of the new generation ";
  desired_.failure += obituary.signal != 0 ? "was ended by " + signal_name(obituary.signal)
                                           : "exited with code " + std::to_string(obituary.exit_code);
  if (last.state == WorkerState::Starting) desired_.failure += " before it was ready";
}

void Plan::spawn_failed(uint64_t generation, uint32_t index, std::string_view why, TimePoint now) {
  if (!anyone_ever_ready_) ++desired_.stillborn;
  if (rolling() && generation == desired_.current.id && desired_.failure.empty())
    desired_.failure =
        "worker " + std::to_string(index) + " of the new generation could not be started: " + std::string(why);
  back_off(index, true, now);
}

void Plan::back_off(uint32_t index, bool failed, TimePoint time) {
  if (index >= failures_.size()) failures_.resize(index + 1, 0);
  if (index >= desired_.not_before.size()) desired_.not_before.resize(index + 1, TimePoint::min());
  if (!failed) {
    failures_[index] = 0;
    desired_.not_before[index] = time;
    return;
  }
  const uint32_t doublings = std::min(failures_[index]++, 10U);
  desired_.not_before[index] = time + std::min(kLongestBackoff, kFirstBackoff * (1U << doublings));
}

}  // namespace restgate::master
