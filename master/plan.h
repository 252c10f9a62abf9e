// Plan: what the master wants, and how events change that. Pure: no clock, no process, no descriptor. Master.
//
// Owns the Desired that reconcile() compares with the workers. The supervisor reports what happens; tests do the same
// without forking.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "master/obituary.h"
#include "master/reconcile.h"

namespace restgate::master {

class Plan {
 public:
  /// A life at least this long was no failure to start.
  static constexpr std::chrono::milliseconds kLongLife{10'000};
  /// A worker that somebody kills is replaced at once; after a life as short as this, in kFirstBackoff.
  static constexpr std::chrono::milliseconds kTooShortToKill{100};
  static constexpr std::chrono::milliseconds kFirstBackoff{100};
  static constexpr std::chrono::milliseconds kLongestBackoff{10'000};
  /// So many workers of a new generation may be killed from outside before that is held against it.
  static constexpr uint32_t kKillsForgiven = 3;

  explicit Plan(GenerationPlan first);

  [[nodiscard]] const Desired& desired() const { return desired_; }
  [[nodiscard]] bool rolling() const { return desired_.previous.has_value(); }

  /// A good configuration waits for its roll; a later one takes an earlier one's place in the queue.
  void want_roll(TimePoint now);
  /// It cannot be had after all.
  void drop_roll() { desired_.pending_since.reset(); }
  /// action::BeginRoll was done. `slots`: those there were before it.
  void roll_begun(GenerationPlan next, uint32_t slots);
  /// action::AbortRoll was done. `slots`: those there are now.
  void roll_aborted(uint32_t slots);
  /// action::FinishRoll was done.
  void roll_finished() { desired_.previous.reset(); }

  /// Drains from `drain_at` on, and ends everything until `deadline`; a second call may only hasten it.
  void shut_down(TimePoint deadline, TimePoint drain_at = {});

  void worker_ready() { anyone_ever_ready_ = true; }
  /// `last`: the worker as it was known.
  void worker_died(const WorkerView& last, const Obituary& obituary, TimePoint now);
  void spawn_failed(uint64_t generation, uint32_t index, std::string_view why, TimePoint now);
  /// The master could not watch for a while before `now`.
  void was_away(TimePoint now) { desired_.watching_since = now; }

 private:
  void judge_roll(const WorkerView& last, const Obituary& obituary);
  /// Not failed: it may start at `time`. Failed: some time after it, the longer the more often in a row.
  void back_off(uint32_t index, bool failed, TimePoint time);

  Desired desired_;
  std::vector<uint32_t> failures_;  ///< by index: short lives in a row
  uint32_t kills_ = 0;              ///< from outside, in this roll
  bool anyone_ever_ready_ = false;
};

}  // namespace restgate::master
