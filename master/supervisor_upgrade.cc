// The part of the Supervisor that outlives the program: it writes down what is under its care, and goes on with what
// another program wrote down.
#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/platform/inherited_listener.h"
#include "common/version.h"
#include "master/supervisor.h"

namespace restgate::master {
namespace {

/// Takes every descriptor, whatever comes of it.
Result<std::unique_ptr<ListenerSet>> adopt_set(const UpgradeState::Listeners& saved) {
  std::vector<ListenerSet::Slot> slots;
  for (const UpgradeState::Slot& slot : saved.slots) slots.push_back({UniqueFd(slot.fd), slot.name});
  const auto port = platform::listening_port(slots.front().fd.get());
  for (const ListenerSet::Slot& slot : slots) {
    if (!port || platform::listening_port(slot.fd.get()) != port)
      return Error{"a descriptor is not the listening socket that it should be", EINVAL};
    platform::adopt_listener(slot.fd.get());
  }
  return std::make_unique<ListenerSet>(ListenerSet::adopt(saved.wanted_port, std::move(slots)));
}

}  // namespace

void Supervisor::hold_reloads(bool hold) {
  hold_reloads_ = hold;
  loop_.request_turn();
}

bool Supervisor::settled() const {
  const std::vector<WorkerView> views = fleet_.views();
  return !plan_->rolling() && retired_.empty() &&
         std::none_of(views.begin(), views.end(),
                      [](const WorkerView& worker) { return worker.state == WorkerState::Starting; });
}

void Supervisor::save(UpgradeState& state) const {
  fleet_.save(state);
  for (const auto& set : listener_sets_) {
    if (set.get() == &current_->listeners) state.generation.listeners = static_cast<uint32_t>(state.listeners.size());
    UpgradeState::Listeners& saved = state.listeners.emplace_back();
    saved.wanted_port = set->wanted_port();
    for (const ListenerSet::Slot& slot : set->all()) saved.slots.push_back({slot.fd.get(), slot.name});
  }
  state.generation.id = current_->id;
  state.generation.workers = current_->workers;
  state.generation.file = current_->config.file;
  state.generation.config = current_->config_text;
  state.last_generation = last_generation_;
  state.counters = {.restarts = restarts_,
                    .reloads_succeeded = reloads_succeeded_,
                    .reloads_failed = reloads_failed_,
                    .upgrades_succeeded = upgrades_succeeded_,
                    .upgrades_failed = upgrades_failed_,
                    .exits = {}};
  for (size_t i = 0; i < kExitReasonCount; ++i)
    state.counters.exits.emplace(to_string(static_cast<ExitReason>(i)), exits_[i]);
  state.last_reload_successful = last_reload_successful_;
  state.last_failure = last_failure_;
  state.last_reload = last_reload_;
  state.reload_wanted = !requested_.empty();
  state.past.events = chronicle_.events();
}

Status Supervisor::resume(const UpgradeState& state, LoadedConfig running, LoadedResult next) {
  for (const UpgradeState::Listeners& saved : state.listeners) {
    auto set = adopt_set(saved);
    if (!set) return std::move(set).error();
    listener_sets_.push_back(std::move(set).value());
  }
  if (Status resumed = fleet_.resume(state); !resumed) return resumed;
  ListenerSet& listeners = *listener_sets_[state.generation.listeners];
  current_ = std::make_unique<Generation>(state.generation.id, std::move(running), state.generation.workers, listeners);
  plan_.emplace(GenerationPlan{current_->id, current_->workers, listeners.slots()});
  plan_->worker_ready();  // they have been, whatever becomes of the next ones
  announced_ = true;
  last_generation_ = state.last_generation;
  restarts_ = state.counters.restarts;
  reloads_succeeded_ = state.counters.reloads_succeeded;
  reloads_failed_ = state.counters.reloads_failed;
  upgrades_succeeded_ = state.counters.upgrades_succeeded;
  upgrades_failed_ = state.counters.upgrades_failed;
  for (size_t i = 0; i < kExitReasonCount; ++i)
    if (const auto known = state.counters.exits.find(std::string(to_string(static_cast<ExitReason>(i))));
        known != state.counters.exits.end())
      exits_[i] = known->second;
  last_reload_successful_ = state.last_reload_successful;
  last_failure_ = state.last_failure;
  last_reload_ = state.last_reload;
  chronicle_.restore(state.past.events);
  if (state.reload_wanted) note_reload();
  upgrading_ = true;
  reloads_begun_ = 1;  // as far as the service manager is concerned
  loop_.request_turn();
  if (!next) {
    reload_failed(current_->config.file, Verdict::refused(std::move(next).error()));
    return Ok{};
  }
  pending_ = std::move(next).value();
  plan_->want_roll(Clock::now());
  return Ok{};
}

void Supervisor::note_upgrade_begun() {
  upgrade_refusal_.clear();
  loop_.request_turn();  // to tell
}

void Supervisor::note_failed_upgrade(std::string reason) {
  ++upgrades_failed_;
  chronicle_.add(EventKind::UpgradeFailed, serving().id, reason);
  upgrade_refusal_ = std::move(reason);
  loop_.request_turn();  // to tell
}

void Supervisor::upgrade_over(bool succeeded, const std::string& why) {
  if (succeeded) {
    ++upgrades_succeeded_;
    chronicle_.add(EventKind::Upgrade, current_->id, "upgraded to version " + std::string(version()));
    log::info("upgrade finished", {{"version", version()},
                                   {"commit", commit()},
                                   {"generation", current_->id},
                                   {"port", current_->listeners.port()},
                                   {"workers", current_->workers}});
    return;
  }
  ++upgrades_failed_;
  chronicle_.add(EventKind::UpgradeFailed, serving().id, why);
  last_reload_successful_ = false;
  last_failure_ = why;
  log::error("upgrade failed: the workers of the program before this one serve on",
             {{"reason", why}, {"generation", serving().id}});
}

}  // namespace restgate::master
