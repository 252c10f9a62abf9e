// The Supervisor's part in a reload: load, begin, abandon, finish; and which sockets a configuration needs.
#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/platform/cpus.h"
#include "master/supervisor.h"

namespace restgate::master {
namespace {

/// For so long a handshake that has begun may take (a lost packet is sent again after a second), and the workers to
/// take what they find.
constexpr std::chrono::milliseconds kHandshake{1'500};
constexpr std::chrono::milliseconds kTakeLast{500};

uint32_t worker_count(const config::Config& config) {
  // 256 is also what the configuration allows.
  return config.workers != 0 ? config.workers : std::min(platform::available_cpus(), 256U);
}

void log_diagnostic(const config::Diagnostic& diagnostic) {
  std::string where = diagnostic.file;
  if (diagnostic.mark.line != 0)
    where += ":" + std::to_string(diagnostic.mark.line) + ":" + std::to_string(diagnostic.mark.column);
  log::error("configuration error", {{"where", where}, {"key", diagnostic.path}, {"error", diagnostic.message}});
}

}  // namespace

Status Supervisor::start(LoadedConfig first) {
  const uint32_t workers = worker_count(first.config);
  auto listeners = listeners_for(first.config.port, workers);
  if (!listeners) return std::move(listeners).error();
  if (Status grown = (*listeners)->grow_to(workers); !grown) return grown;
  current_ = std::make_unique<Generation>(++last_generation_, std::move(first), workers, **listeners);
  plan_.emplace(GenerationPlan{current_->id, workers, current_->listeners.slots()});
  last_reload_ = std::chrono::system_clock::now();
  chronicle_.add(EventKind::Start, current_->id, "started");
  log_cautions(current_->config, current_->tls);
  loop_.request_turn();
  return Ok{};
}

ReloadTickets::Id Supervisor::request_reload(std::string file, ReloadTickets::Listener listener) {
  const ReloadTickets::Id ticket = tickets_.open(std::move(listener));
  requested_.push_back({ticket, std::move(file)});
  return ticket;
}

const std::string& Supervisor::config_file() const {
  return latest_config().file;
}

void Supervisor::take_requests(TimePoint now) {
  if (plan_->desired().shutdown) {
    requested_.clear();
    tickets_.close(Verdict::aborted("the gateway is stopping"));
    return;
  }
  const std::vector<ReloadRequest> requests = std::exchange(requested_, {});
  for (size_t next = 0; next < requests.size();) {
    // Those that ask for the same file share one reading of it.
    const auto file_of = [this](const ReloadRequest& r) { return r.file.empty() ? config_file() : r.file; };
    const std::string file = file_of(requests[next]);
    std::vector<ReloadTickets::Id> tickets;
    for (; next < requests.size() && file_of(requests[next]) == file; ++next) tickets.push_back(requests[next].ticket);
    load_anew(file, tickets, now);
  }
}

void Supervisor::load_anew(const std::string& file, std::span<const ReloadTickets::Id> tickets, TimePoint now) {
  ++reloads_begun_;
  if (file != config_file()) log::info("reload: asked to use another configuration file", {{"file", file}});
  LoadedResult loaded = setup_.load(file);
  if (loaded) {
    pending_ = std::move(loaded).value();  // in place of one that still waits: the latest wins
    plan_->want_roll(now);
    for (const ReloadTickets::Id ticket : tickets) tickets_.waits(ticket);
    return;
  }
  Verdict verdict = Verdict::refused(std::move(loaded).error());
  for (const config::Diagnostic& diagnostic : verdict.diagnostics) log_diagnostic(diagnostic);
  for (const ReloadTickets::Id ticket : tickets) tickets_.refused(ticket, verdict);
  reload_failed(file, std::move(verdict));
}

void Supervisor::reload_failed(const std::string& file, Verdict verdict) {
  if (std::exchange(upgrading_, false)) return upgrade_over(false, verdict.reason);
  ++reloads_failed_;
  last_reload_successful_ = false;
  last_failure_ = verdict.reason;
  chronicle_.add(EventKind::ReloadFailed, serving().id, verdict.reason);
  log::error("reload failed: the configuration before it serves on",
             {{"reason", verdict.reason}, {"generation", serving().id}});
  last_report_ = {std::move(verdict), file, std::chrono::system_clock::now()};
}

Result<ListenerSet*> Supervisor::listeners_for(uint16_t port, uint32_t workers) {
  for (const auto& set : listener_sets_)
    if (set->wanted_port() == port || (port != 0 && set->port() == port)) return set.get();
  for (auto retired = retired_.begin(); retired != retired_.end(); ++retired) {
    if (retired->told || retired->set->port() != port) continue;
    retired->set->welcome_new();  // it is wanted again
    std::unique_ptr<ListenerSet> set = std::move(retired->set);
    retired_.erase(retired);
    return listener_sets_.emplace_back(std::move(set)).get();
  }
  auto opened = ListenerSet::open(port, workers);
  if (!opened) return std::move(opened).error();
  return listener_sets_.emplace_back(std::make_unique<ListenerSet>(std::move(opened).value())).get();
}

void Supervisor::retire_unused_listeners(TimePoint now) {
  std::erase_if(listener_sets_, [&](auto& set) {
    if (set.get() == &current_->listeners || (previous_ && set.get() == &previous_->listeners)) return false;
    log::info("port given up", {{"port", set->port()}});
    set->refuse_new();
    retired_.push_back({std::move(set), now + kHandshake, now + kHandshake + kTakeLast});
    return true;
  });
}

/// What completes its handshake is taken, then the sockets go. Workers that never served the port do it too: those that
/// did may be gone.
void Supervisor::close_retired_listeners(TimePoint now) {
  for (Retired& retired : retired_) {
    if (!retired.told && retired.take_last <= now) {
      retired.told = true;
      fleet_.leave_port(retired.set->port());
    }
    wake_at_ = std::min(wake_at_, retired.told ? retired.close : retired.take_last);
  }
  std::erase_if(retired_, [now](const Retired& retired) { return retired.close <= now; });
}

std::vector<int> Supervisor::retired_descriptors(uint64_t generation) const {
  std::vector<int> all;
  const auto add = [&all](const ListenerSet& set) {
    const std::vector<int> fds = set.descriptors();
    all.insert(all.end(), fds.begin(), fds.end());
  };
  for (const Retired& retired : retired_)
    if (!retired.told) add(*retired.set);
  // The previous generation's workers leave one by one: whoever replaces them serves the old port until it is closed.
  if (previous_ && generation == current_->id && &previous_->listeners != &current_->listeners)
    add(previous_->listeners);
  return all;
}

bool Supervisor::apply(const action::BeginRoll& /*order*/, TimePoint now) {
  LoadedConfig next = std::move(*std::exchange(pending_, std::nullopt));
  const uint32_t workers = worker_count(next.config);
  auto listeners = listeners_for(next.config.port, workers);
  Status bound = listeners ? Status(Ok{}) : Status(listeners.error());
  if (bound && setup_.companion != nullptr) bound = setup_.companion->prepare(next.config);
  if (!bound) {
    plan_->drop_roll();
    retire_unused_listeners(now);
    Verdict verdict = Verdict::aborted(bound.error().message);
    tickets_.roll_impossible(verdict);
    reload_failed(next.config.file, std::move(verdict));
    return true;
  }
  tickets_.roll_begun();
  const uint32_t slots = current_->listeners.slots();
  previous_ =
      std::exchange(current_, std::make_unique<Generation>(++last_generation_, std::move(next), workers, **listeners));
  plan_->roll_begun({current_->id, workers, std::max(workers, current_->listeners.slots())}, slots);
  log::configure(current_->config.log_level, current_->config.log_format);
  log_cautions(current_->config, current_->tls);
  log::info("reload: rolling the workers", {{"generation", current_->id}, {"workers", workers}});
  return true;
}

bool Supervisor::apply(const action::AbortRoll& order, TimePoint now) {
  plan_->roll_aborted(previous_->listeners.slots());
  const std::string file = current_->config.file;
  current_ = std::exchange(previous_, nullptr);
  if (setup_.companion != nullptr) setup_.companion->roll_back();
  retire_unused_listeners(now);
  log::configure(current_->config.log_level, current_->config.log_format);
  Verdict verdict = Verdict::aborted(order.reason);
  tickets_.roll_ended(verdict);
  reload_failed(file, std::move(verdict));
  return true;
}

bool Supervisor::apply(const action::FinishRoll& /*order*/, TimePoint now) {
  plan_->roll_finished();
  const bool other_file = previous_->config.file != current_->config.file;
  const uint32_t workers_before = previous_->workers;
  previous_.reset();
  if (setup_.companion != nullptr) setup_.companion->commit();
  retire_unused_listeners(now);
  last_reload_successful_ = true;
  upgrade_refusal_.clear();
  last_reload_ = std::chrono::system_clock::now();
  last_report_ = {Verdict::finished(current_->id, current_->workers), current_->config.file, last_reload_};
  tickets_.roll_ended(last_report_->verdict);
  if (workers_before != current_->workers)
    chronicle_.add(EventKind::Resize, current_->id,
                   "workers: " + std::to_string(workers_before) + " before, now " + std::to_string(current_->workers));
  if (std::exchange(upgrading_, false)) {
    upgrade_over(true, "");
    return true;
  }
  ++reloads_succeeded_;
  chronicle_.add(EventKind::Reload, current_->id, "the new configuration serves");
  log::info("reload finished", {{"generation", current_->id},
                                {"port", current_->listeners.port()},
                                {"workers", current_->workers},
                                {"services", current_->config.services.size()},
                                {"routes", current_->config.routes.size()}});
  if (other_file)
    log::info("reload: another configuration file is used from now on", {{"file", current_->config.file}});
  return true;
}

}  // namespace restgate::master
