#include "master/supervisor.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// At least so often the workers are looked at.
constexpr milliseconds kTick{1'000};
/// Woken so much later than asked for, the master was stopped itself, and so perhaps were its workers.
constexpr milliseconds kLate{1'000};
/// In a shutdown: how long a worker that hangs keeps the others' clients waiting in a queue that nobody empties.
constexpr milliseconds kLeaveGrace{1'000};
/// More passes than any honest sequence of actions takes.
constexpr int kMaxPasses = 5'000;

/// Whether a death in a shutdown means that somebody's request was lost.
bool lost_work(ExitReason reason) {
  return own_fault(reason) || reason == ExitReason::Cut || reason == ExitReason::DrainOverdue;
}

/// "worker 1 (pid 4711) crashed: SIGSEGV"
std::string sentence_about(const Death& death) {
  const Obituary& obituary = death.obituary;
  std::string reason(to_string(obituary.reason));
  std::replace(reason.begin(), reason.end(), '_', ' ');
  return "worker " + std::to_string(death.last.index) + " (pid " + std::to_string(death.last.pid) + ") " + reason +
         ": " +
         (obituary.signal != 0 ? signal_name(obituary.signal) : "exit code " + std::to_string(obituary.exit_code));
}

}  // namespace

Supervisor::Supervisor(EventLoop& loop, Spawner& spawner, Setup setup)
    : loop_(loop), setup_(std::move(setup)), fleet_(loop, spawner), wake_(loop, [] {}) {}

Supervisor::~Supervisor() = default;

void Supervisor::step() {
  const TimePoint now = Clock::now();
  if (wake_at_ != TimePoint::max() && now > wake_at_ + kLate) plan_->was_away(now);
  wake_at_ = now + kTick;
  bury_the_dead(now);
  if (std::exchange(rotation_noted_, false)) fleet_.reopen_access_logs();
  if (shutdowns_noted_ > 0) begin_shutdown(now);
  tell_of_drain(now);
  if (!hold_reloads_) take_requests(now);
  for (int pass = 0; pass < kMaxPasses; ++pass) {
    fleet_.observe(now);
    const std::vector<WorkerView> views = fleet_.views();
    if (std::any_of(views.begin(), views.end(), accepting)) plan_->worker_ready();
    bool changed = false;
    for (const Action& next : reconcile(plan_->desired(), views, now, setup_.limits))
      changed = std::visit([&](const auto& order) { return apply(order, now); }, next) || changed;
    if (!changed) break;
  }
  close_listeners(now);
  close_retired_listeners(now);
  announce();
  tell_of_waiting();
  tickets_.tell();
  wake_.arm(duration_cast<microseconds>(std::max(wake_at_ - now, Clock::duration::zero())));
}

bool Supervisor::apply(const action::Spawn& order, TimePoint now) {
  const Status spawned =
      fleet_.spawn(*generation(order.generation), retired_descriptors(order.generation), order.index, now);
  if (spawned) return true;
  log::error("cannot start a worker",
             {{"worker", order.index}, {"generation", order.generation}, {"error", spawned.error().message}});
  plan_->spawn_failed(order.generation, order.index, spawned.error().message, now);
  return true;
}

bool Supervisor::apply(const action::Drain& order, TimePoint now) {
  fleet_.drain(order, now);
  return true;
}

bool Supervisor::apply(const action::Kill& order, TimePoint now) {
  fleet_.kill(order, now);
  return true;
}

bool Supervisor::apply(const action::WakeAt& order, TimePoint /*now*/) {
  wake_at_ = std::min(wake_at_, order.time);
  return false;
}

bool Supervisor::apply(const action::Exit& order, TimePoint /*now*/) {
  switch (order.cause) {
    case action::ExitCause::Drained:
      exit_code_ = cut_short_ ? 1 : 0;
      break;
    case action::ExitCause::Forced:
      exit_code_ = 1;
      break;
    case action::ExitCause::NeverServed:
      log::error("no worker ever got ready: giving up");
      tickets_.close(Verdict::aborted("no worker ever got ready"));
      exit_code_ = 1;
      break;
  }
  if (order.cause != action::ExitCause::NeverServed) {
    log::write(exit_code_ == 0 ? LogLevel::Info : LogLevel::Warn,
               exit_code_ == 0 ? "stopped" : "stopped before all work was done");
  }
  loop_.stop();
  return false;
}

void Supervisor::bury_the_dead(TimePoint now) {
  const Reaped reaped = fleet_.reap();
  for (const Death& death : reaped.workers) on_death(death, now);
  if (setup_.on_stranger)
    for (const Stranger& stranger : reaped.others) setup_.on_stranger(stranger);
}

void Supervisor::on_death(const Death& death, TimePoint now) {
  Crash crash{death.last, death.obituary, std::chrono::system_clock::now(),
              duration_cast<milliseconds>(now - death.last.started), death.losses};
  log_end(crash);
  if (crashes_.add(std::move(crash))) chronicle_.add(EventKind::Crash, death.last.generation, sentence_about(death));
  ++exits_[static_cast<size_t>(death.obituary.reason)];
  if (draining(now)) {
    cut_short_ = cut_short_ || lost_work(death.obituary.reason);
  } else if (own_fault(death.obituary.reason) || death.obituary.reason == ExitReason::Killed) {
    if (generation(death.last.generation) != nullptr) ++restarts_;
  }
  plan_->worker_died(death.last, death.obituary, now);
}

void Supervisor::begin_shutdown(TimePoint now) {
  const milliseconds timeout = serving().config.shutdown_timeout;
  const milliseconds delay = serving().config.pre_drain_delay;
  for (; shutdowns_noted_ > 0; --shutdowns_noted_) {
    if (draining(now)) {
      log::warn("asked to stop a second time: stopping at once");
      plan_->shut_down(now);
    } else if (plan_->desired().shutdown) {
      log::info("asked to stop a second time: not accepting any longer");
      plan_->shut_down(now + timeout, now);
    } else {
      chronicle_.add(EventKind::Stop, serving().id, "asked to stop");
      plan_->shut_down(now + delay + timeout, now + delay);
      if (delay.count() == 0) continue;
      log::info("stopping: accepting for a while yet", {{"delay_ms", delay.count()}});
      fleet_.bid_farewell();
    }
  }
}

bool Supervisor::draining(TimePoint now) const {
  const std::optional<Shutdown>& shutdown = plan_->desired().shutdown;
  return shutdown && shutdown->drain_at <= now;
}

void Supervisor::tell_of_drain(TimePoint now) {
  if (!draining(now) || std::exchange(drain_told_, true)) return;
  log::info("stopping: finishing what is in flight", {{"timeout_ms", serving().config.shutdown_timeout.count()}});
}

/// In a shutdown, once the workers have taken what waited: whoever comes now is refused, not left waiting; unless the
/// service manager keeps the sockets, for then a later life of this gateway takes what waits.
void Supervisor::close_listeners(TimePoint now) {
  if (!draining(now) || listener_sets_.empty()) return;
  if (close_listeners_at_ == TimePoint::max()) close_listeners_at_ = now + kLeaveGrace;
  if (fleet_.accepts() && now < close_listeners_at_) {
    wake_at_ = std::min(wake_at_, close_listeners_at_);
    return;
  }
  for (const auto& set : listener_sets_) {
    if (setup_.sockets_are_stored)
      set->let_go();
    else
      set->close();
  }
  for (const Retired& retired : retired_) retired.set->close();
}

const Generation* Supervisor::generation(uint64_t id) const {
  if (current_->id == id) return current_.get();
  return previous_ && previous_->id == id ? previous_.get() : nullptr;
}

void Supervisor::announce() {
  if (announced_ || plan_->rolling()) return;
  uint32_t ready = 0;
  for (const WorkerView& worker : fleet_.views())
    if (worker.generation == current_->id && accepting(worker)) ++ready;
  if (ready < current_->workers) return;
  announced_ = true;
  if (setup_.on_serving) setup_.on_serving(*current_);
}

void Supervisor::tell_of_waiting() {
  const bool waits = plan_->desired().pending_since.has_value() && !plan_->desired().shutdown;
  if (waits && !waiting_told_)
    log::info(plan_->rolling() ? "reload: waits for the one that is going on"
                               : "reload: waits for workers that still drain since earlier ones");
  waiting_told_ = waits;
}

std::string Supervisor::not_ready_reason() const {
  if (plan_->desired().shutdown || shutdowns_noted_ > 0) return "shutting down";
  const std::vector<WorkerView> views = fleet_.views();
  return std::any_of(views.begin(), views.end(), accepting) ? "" : "no worker is ready";
}

MasterFacts Supervisor::facts() const {
  MasterFacts facts;
  facts.generation = serving().id;
  facts.config_hash = serving().config_hash;
  facts.duration_bounds = serving().statistics.duration_bounds;
  for (const WorkerView& worker : fleet_.views()) {
    facts.workers.push_back(worker.pid);
    switch (worker.state) {
      case WorkerState::Starting:
        ++facts.workers_starting;
        break;
      case WorkerState::Ready:
        ++facts.workers_ready;
        break;
      case WorkerState::Draining:
        ++facts.workers_draining;
        break;
      case WorkerState::Killed:
        ++facts.workers_killed;
        break;
    }
  }
  facts.worker_restarts = restarts_;
  for (size_t i = 0; i < kExitReasonCount; ++i)
    facts.worker_exits.push_back({std::string(to_string(static_cast<ExitReason>(i))), exits_[i]});
  facts.reloads_succeeded = reloads_succeeded_;
  facts.reloads_failed = reloads_failed_;
  facts.upgrades_succeeded = upgrades_succeeded_;
  facts.upgrades_failed = upgrades_failed_;
  facts.last_reload_successful = last_reload_successful_;
  facts.last_reload = last_reload_;
  return facts;
}

}  // namespace restgate::master
