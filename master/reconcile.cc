#include "master/reconcile.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <utility>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;

/// Without overflow: TimePoint::max() means never.
TimePoint after(TimePoint time, milliseconds span) {
  return time > TimePoint::max() - span ? TimePoint::max() : time + span;
}

/// Holds, or could soon hold, a place of its generation.
bool present(const WorkerView& worker) {
  return worker.state == WorkerState::Starting || worker.state == WorkerState::Ready;
}

std::string in_seconds(milliseconds span) {
  return std::to_string(span.count() / 1000) + " s";
}

/// One call of reconcile(). The phases run in turn; the first that has something to do ends the call, so that each sees
/// the workers as they are rather than as an earlier phase wants them.
class Reconciler {
 public:
  Reconciler(const Desired& desired, const std::vector<WorkerView>& workers, TimePoint now, const Limits& limits)
      : desired_(desired), workers_(workers), now_(now), limits_(limits), ready_(desired.current.workers, false) {
    for (const WorkerView& worker : workers_)
      if (is_current(worker) && accepting(worker) && worker.index < ready_.size()) ready_[worker.index] = true;
  }

  std::vector<Action> run() && {
    using Phase = void (Reconciler::*)();
    static constexpr Phase kServing[] = {&Reconciler::watch,
                                         &Reconciler::judge_roll,
                                         &Reconciler::drain_superseded,
                                         &Reconciler::keep_the_previous,
                                         &Reconciler::advance_roll,
                                         &Reconciler::keep_the_current,
                                         &Reconciler::begin_roll};
    static constexpr Phase kEnding[] = {&Reconciler::finish_shutdown, &Reconciler::watch, &Reconciler::drain_all};
    const auto go = [this](auto& phases) {
      for (const Phase phase : phases) {
        (this->*phase)();
        if (!actions_.empty()) return;
      }
    };
    if (desired_.shutdown && due(desired_.shutdown->drain_at)) {
      go(kEnding);
    } else if (desired_.stillborn >= limits_.stillborn) {
      give_up();
    } else {
      go(kServing);
    }
    if (actions_.empty() && wake_ != TimePoint::max()) actions_.emplace_back(action::WakeAt{wake_});
    return std::move(actions_);
  }

 private:
  [[nodiscard]] bool rolling() const { return desired_.previous.has_value(); }
  [[nodiscard]] bool is_current(const WorkerView& worker) const { return worker.generation == desired_.current.id; }

  /// Whether `time` has come; if not, it is a time to wake at.
  bool due(TimePoint time) {
    if (time <= now_) return true;
    wake_ = std::min(wake_, time);
    return false;
  }

  /// Every slot that worker `index` of `count` serves among `slots` has a ready worker of the current generation.
  [[nodiscard]] bool covered(uint32_t index, uint32_t count, uint32_t slots) const {
    for (uint32_t slot = index; slot < slots; slot += count)
      if (!ready_[slot % desired_.current.workers]) return false;
    return true;
  }
  [[nodiscard]] bool covered(const WorkerView& w) const { return covered(w.index, w.count, w.slots); }

  /// A configuration with which no worker ever got ready, at start: nothing to fall back to.
  void give_up() {
    for (const WorkerView& worker : workers_)
      if (worker.signal != SIGKILL) kill(worker, SIGKILL, action::KillCause::NeverReady);
    if (workers_.empty()) actions_.emplace_back(action::Exit{action::ExitCause::NeverServed});
  }

  /// Ends what hangs: never ready, no heartbeat, drain overdue, deaf to SIGABRT.
  void watch() {
    for (const WorkerView& worker : workers_) {
      switch (worker.state) {
        case WorkerState::Starting:
          if (due(after(std::max(worker.started, desired_.watching_since), limits_.start)))
            kill(worker, SIGABRT, action::KillCause::NeverReady);
          break;
        case WorkerState::Draining:
          if (end_drain(worker)) break;
          [[fallthrough]];
        case WorkerState::Ready:
          if (due(after(std::max(worker.heartbeat, desired_.watching_since), limits_.hang)))
            kill(worker, SIGABRT, action::KillCause::Hung);
          break;
        case WorkerState::Killed:
          if (worker.signal != SIGKILL && due(after(worker.killed_at, limits_.abort_to_kill)))
            kill(worker, SIGKILL, action::KillCause::AbortIgnored);
          break;
      }
    }
  }

  /// A worker that drains for too long is told to end; if that does not help, it is ended.
  bool end_drain(const WorkerView& worker) {
    if (worker.drain_mode == DrainMode::Roll) {
      if (!due(worker.drain_deadline)) return false;
      actions_.emplace_back(action::Drain{worker.pid, after(now_, limits_.cut_short), DrainMode::End});
      return true;
    }
    if (!due(after(worker.drain_deadline, limits_.force_grace))) return false;
    kill(worker, SIGKILL, action::KillCause::DrainOverdue);
    return true;
  }

  void kill(const WorkerView& worker, int signal, action::KillCause cause) {
    actions_.emplace_back(action::Kill{worker.pid, signal, cause});
    if (!rolling() || !is_current(worker) || desired_.shutdown || abort_decided_) return;
    const std::string who = "worker " + std::to_string(worker.index) + " of the new generation ";
    if (cause == action::KillCause::NeverReady)
      abort(who + "was not ready within " + in_seconds(limits_.start));
    else if (cause == action::KillCause::Hung)
      abort(who + "hung for " + in_seconds(limits_.hang));
  }

  void abort(std::string reason) {
    abort_decided_ = true;
    actions_.emplace_back(action::AbortRoll{std::move(reason)});
  }

  void judge_roll() {
    if (rolling() && !desired_.failure.empty()) abort(desired_.failure);
  }

  void drain_superseded() {
    for (const WorkerView& worker : workers_) {
      if (is_current(worker) || !present(worker)) continue;
      // What was starting for a generation that was then discarded serves nobody yet.
      const bool discarded = !rolling() || worker.generation != desired_.previous->id;
      if (covered(worker) || (discarded && worker.state == WorkerState::Starting))
        actions_.emplace_back(action::Drain{worker.pid, after(now_, worker.drain_limit), DrainMode::Roll});
    }
  }

  /// In a roll, the previous generation stays at full strength wherever the new one does not serve yet.
  void keep_the_previous() {
    if (!rolling()) return;
    const GenerationPlan& plan = *desired_.previous;
    spawn_missing(plan, [&](uint32_t index) { return covered(index, plan.workers, plan.slots); });
  }

  void keep_the_current() {
    if (!rolling()) spawn_missing(desired_.current, [](uint32_t) { return false; });
  }

  template <typename NotNeeded>
  void spawn_missing(const GenerationPlan& plan, NotNeeded not_needed) {
    std::vector<uint32_t> missing;
    const std::vector<bool> taken = places_taken(plan);
    for (uint32_t i = 0; i < plan.workers; ++i)
      if (!taken[i] && !not_needed(i)) missing.push_back(i);
    if (missing.empty()) return;
    // While nobody serves at all, one back-off is shorter.
    const uint32_t first = *std::min_element(missing.begin(), missing.end(),
                                             [this](uint32_t a, uint32_t b) { return not_before(a) < not_before(b); });
    const bool alone = std::none_of(workers_.begin(), workers_.end(), present);
    for (const uint32_t index : missing) {
      TimePoint time = not_before(index);
      if (alone && index == first) time = std::min(time, after(desired_.alone_since, limits_.lone_backoff));
      if (due(time)) actions_.emplace_back(action::Spawn{plan.id, index});
    }
  }

  [[nodiscard]] std::vector<bool> places_taken(const GenerationPlan& plan) const {
    std::vector<bool> taken(plan.workers, false);
    for (const WorkerView& worker : workers_)
      if (worker.generation == plan.id && present(worker) && worker.index < plan.workers) taken[worker.index] = true;
    return taken;
  }

  [[nodiscard]] TimePoint not_before(uint32_t index) const {
    return index < desired_.not_before.size() ? desired_.not_before[index] : TimePoint::min();
  }

  /// The canary, then the others one by one, each when the one before is ready; then the roll is done. The end of one
  /// that is being killed is its verdict: waited for.
  void advance_roll() {
    if (!rolling()) return;
    for (const WorkerView& worker : workers_)
      if (is_current(worker) && (worker.state == WorkerState::Starting || worker.state == WorkerState::Killed)) return;
    const auto missing = std::find(ready_.begin(), ready_.end(), false);
    if (missing == ready_.end()) {
      actions_.emplace_back(action::FinishRoll{});
      return;
    }
    const auto index = static_cast<uint32_t>(missing - ready_.begin());
    if (due(not_before(index))) actions_.emplace_back(action::Spawn{desired_.current.id, index});
  }

  void begin_roll() {
    if (!desired_.pending_since || rolling() || desired_.shutdown) return;
    std::set<uint64_t> old;
    for (const WorkerView& worker : workers_)
      if (!is_current(worker) && worker.state != WorkerState::Killed) old.insert(worker.generation);
    if (old.size() < limits_.draining_generations) {
      actions_.emplace_back(action::BeginRoll{});
      return;
    }
    if (!due(after(*desired_.pending_since, limits_.roll_patience))) return;
    const TimePoint deadline = after(now_, limits_.cut_short);
    for (const WorkerView& worker : workers_)
      if (worker.generation == *old.begin() && worker.state != WorkerState::Killed && worker.drain_deadline > deadline)
        actions_.emplace_back(action::Drain{worker.pid, deadline, DrainMode::End});
  }

  void finish_shutdown() {
    if (!workers_.empty()) return;
    const bool late = desired_.shutdown->deadline <= now_;
    actions_.emplace_back(action::Exit{late ? action::ExitCause::Forced : action::ExitCause::Drained});
  }

  void drain_all() {
    const TimePoint deadline = desired_.shutdown->deadline;
    for (const WorkerView& worker : workers_) {
      const bool told = worker.state == WorkerState::Draining && worker.drain_mode == DrainMode::End &&
                        worker.drain_deadline <= deadline;
      if (!told && worker.state != WorkerState::Killed)
        actions_.emplace_back(action::Drain{worker.pid, deadline, DrainMode::End});
    }
  }

  const Desired& desired_;
  const std::vector<WorkerView>& workers_;
  const TimePoint now_;
  const Limits& limits_;
  std::vector<bool> ready_;  ///< by index, of the current generation
  std::vector<Action> actions_;
  TimePoint wake_ = TimePoint::max();
  bool abort_decided_ = false;
};

}  // namespace

bool accepting(const WorkerView& worker) {
  return worker.state == WorkerState::Ready;
}

std::vector<Action> reconcile(const Desired& desired, const std::vector<WorkerView>& workers, TimePoint now,
                              const Limits& limits) {
  return Reconciler(desired, workers, now, limits).run();
}

}  // namespace restgate::master
