#include "master/status/ledger.h"

#include <algorithm>
#include <utility>

namespace restgate::master {
namespace {

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double per_second(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

uint64_t failures(const ServiceTally& service) {
  return service[stats::ServiceCounter::ConnectFailures] + service[stats::ServiceCounter::ResolveFailures];
}

}  // namespace

std::string_view to_string(Health health) {
  switch (health) {
    case Health::Unknown:
      return "unknown";
    case Health::Up:
      return "up";
    case Health::Degraded:
      return "degraded";
    case Health::Down:
      return "down";
  }
  return "";
}

void Ledger::use(const stats::BlockSpec& spec) {
  drop();
  new_names_.emplace(spec);
  gone_version_.reset();
}

void Ledger::begin(const stats::Snapshot& gone, uint64_t version) {
  const TallyNames& names = new_names_ ? *new_names_ : names_;
  if (gone_version_ != version) {
    gone_ = empty_tally(names);
    master::add(gone_, gone, names, false);
    gone_version_ = version;
  }
  sum_ = gone_;
  errors_.add(gone);
}

void Ledger::add(const stats::Snapshot& live) {
  master::add(sum_, live, new_names_ ? *new_names_ : names_, true);
  errors_.add(live);
}

void Ledger::drop() {
  errors_.drop();
}

void Ledger::finish(Moment now) {
  latest_ = std::move(sum_);
  time_ = now;
  if (new_names_) change_names();
  errors_.finish(now.wall);
  judge_services();
  if (!kept_.empty() && now.steady - kept_.back().steady < History::kStep) return;
  if (!kept_.empty()) {
    HistoryPoint point = point_between(kept_.back().tally, latest_, names_.bounds(), seconds_since(kept_.back()));
    point.time = now.wall;
    history_.add(point);
  }
  if (kept_.size() == kKept) kept_.pop_front();
  kept_.push_back({now.steady, latest_});
}

void Ledger::change_names() {
  for (Kept& kept : kept_) kept.tally = rearranged(kept.tally, names_, latest_, *new_names_);
  std::vector<HealthState> health(new_names_->services());
  for (size_t i = 0; i < health.size(); ++i)
    if (const uint32_t place = names_.service(new_names_->service_name(i)); place != TallyNames::kNone)
      health[i] = health_[place];
  health_ = std::move(health);
  names_ = *std::exchange(new_names_, std::nullopt);
}

void Ledger::judge_services() {
  if (kept_.empty()) return;
  const Tally& base = rate_base().tally;
  for (size_t i = 0; i < health_.size(); ++i) {
    const ServiceTally& then = base.services[i];
    const ServiceTally& now = latest_.services[i];
    const bool failed = failures(now) > failures(then);
    const bool answered = now.duration.count() > then.duration.count();
    if (!failed && !answered) continue;  // nobody asks: as it was
    const Health health = !failed ? Health::Up : answered ? Health::Degraded : Health::Down;
    if (health != health_[i].health) health_[i] = {health, time_.wall};
  }
}

const Ledger::Kept& Ledger::rate_base() const {
  const auto old_enough = std::find_if(kept_.rbegin(), kept_.rend(),
                                       [this](const Kept& kept) { return time_.steady - kept.steady >= kRateWindow; });
  return old_enough != kept_.rend() ? *old_enough : kept_.front();
}

HistoryPoint Ledger::now() const {
  HistoryPoint point = point_between(rate_base().tally, latest_, names_.bounds(), rate_seconds());
  point.time = time_.wall;
  return point;
}

bool Ledger::busy(size_t place) const {
  return latest_.routes[place].duration != kept_.front().tally.routes[place].duration;
}

RouteFigures Ledger::route(size_t place) const {
  const RouteTally& now = latest_.routes[place];
  const Kept& base = rate_base();
  const RouteTally& then = base.tally.routes[place];
  const Durations of_late = difference(now.duration, kept_.front().tally.routes[place].duration);
  RouteFigures figures;
  figures.requests = now.requests();
  figures.recent = of_late.count();
  const uint64_t fresh = difference(figures.requests, then.requests());
  figures.rate = per_second(fresh, seconds_since(base));
  figures.refused = share(difference(now.refused, then.refused), fresh);
  figures.failed = share(difference(now.failed, then.failed), fresh);
  figures.latency = quantiles(of_late, names_.bounds());
  return figures;
}

ServiceFigures Ledger::service(size_t place) const {
  const ServiceTally& now = latest_.services[place];
  const Kept& base = rate_base();
  ServiceFigures figures;
  figures.requests = now.duration.count();
  figures.rate =
      per_second(difference(figures.requests, base.tally.services[place].duration.count()), seconds_since(base));
  figures.latency = quantiles(difference(now.duration, kept_.front().tally.services[place].duration), names_.bounds());
  figures.health = health_[place].health;
  figures.health_since = health_[place].since;
  figures.totals = now;
  return figures;
}

}  // namespace restgate::master
