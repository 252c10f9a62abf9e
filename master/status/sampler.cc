#include "master/status/sampler.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "master/metrics_process.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using SteadyClock = std::chrono::steady_clock;

uint64_t requests_of(const stats::Snapshot& counted) {
  return std::accumulate(counted.routes.begin(), counted.routes.end(), uint64_t{0},
                         [](uint64_t sum, const stats::RouteStats& route) { return sum + route.duration.count(); });
}

}  // namespace

StatusSampler::StatusSampler(EventLoop& loop, const Supervisor& supervisor, std::function<void()> on_sample)
    : loop_(loop), supervisor_(supervisor), on_sample_(std::move(on_sample)), timer_(loop, [this] { work(); }) {
  timer_.arm(microseconds(0));
}

void StatusSampler::work() {
  const SteadyClock::time_point start = SteadyClock::now();
  const bool done = advance(start + kTurn);
  if (!done) return timer_.arm(kPause);
  if (on_sample_) on_sample_();
  // What whoever listens does with it counts as well: it is as much of the loop's time.
  const auto rest = kRest * (took_ + (SteadyClock::now() - start));
  timer_.arm(duration_cast<microseconds>(
      std::max<SteadyClock::duration>({kPeriod - (SteadyClock::now() - began_), rest, kPause})));
}

void StatusSampler::refresh() {
  const bool usable = ledger_.has_sample() && sampled_generation_ == supervisor_.serving_generation().id;
  if (usable && took_ > kTurn) return;  // what there is has to do
  under_way_ = false;
  advance(SteadyClock::time_point::max());
}

bool StatusSampler::advance(SteadyClock::time_point until) {
  const SteadyClock::time_point start = SteadyClock::now();
  // Whoever dies meanwhile is part of the sum of the dead already: begin again, or it would count twice.
  const bool changed = deaths_ != supervisor_.fleet().deaths() || generation_ != supervisor_.serving_generation().id;
  if (!under_way_ || changed) begin();
  while (!left_.empty()) {
    const pid_t pid = left_.back();
    left_.pop_back();
    if (const WorkerHandle* worker = supervisor_.fleet().find(pid)) look_at(*worker);
    if (left_.empty() || SteadyClock::now() < until) continue;
    worked_ += SteadyClock::now() - start;
    return false;
  }
  finish();
  took_ = worked_ + (SteadyClock::now() - start);
  return true;
}

void StatusSampler::begin() {
  const Generation& serving = supervisor_.serving_generation();
  if (generation_ != serving.id) ledger_.use(serving.statistics);
  generation_ = serving.id;
  deaths_ = supervisor_.fleet().deaths();
  began_ = SteadyClock::now();
  worked_ = {};
  under_way_ = true;
  looked_at_.clear();
  left_.clear();
  for (const auto& worker : supervisor_.fleet().workers()) left_.push_back(worker->view().pid);
  ledger_.drop();
  ledger_.begin(supervisor_.fleet().gone(), deaths_);
}

void StatusSampler::look_at(const WorkerHandle& worker) {
  const stats::Snapshot counted = worker.block().snapshot();
  ledger_.add(counted);
  WorkerFigures& figures = looked_at_.emplace_back();
  figures.view = worker.view();
  figures.connections = worker.row().connections.load(std::memory_order_relaxed);
  figures.requests = requests_of(counted);
  figures.in_flight = counted[stats::Gauge::RequestsInFlight];
  const std::optional<ProcessUsage> usage = read_process_usage(worker.view().pid);
  if (!usage) return;
  figures.cpu_seconds = usage->cpu_seconds;
  figures.resident_bytes = usage->resident_bytes;
  CpuTime& before = cpu_times_[worker.view().pid];
  const SteadyClock::time_point now = SteadyClock::now();
  const double seconds = std::chrono::duration<double>(now - before.at).count();
  // Ticks are of 10 ms: over a moment they would tell nothing.
  if (before.at == SteadyClock::time_point{}) {
    before = {usage->cpu_seconds, now};
  } else if (seconds > 0.5) {
    figures.cpu_share = std::max(0.0, usage->cpu_seconds - before.seconds) / seconds;
    before = {usage->cpu_seconds, now};
  } else {
    const auto same = std::find_if(workers_.begin(), workers_.end(),
                                   [&](const WorkerFigures& old) { return old.view.pid == figures.view.pid; });
    if (same != workers_.end()) figures.cpu_share = same->cpu_share;
  }
}

void StatusSampler::finish() {
  under_way_ = false;
  sampled_generation_ = generation_;
  ledger_.finish({std::chrono::system_clock::now(), SteadyClock::now()});
  workers_ = std::exchange(looked_at_, {});
  std::sort(workers_.begin(), workers_.end(), [](const WorkerFigures& a, const WorkerFigures& b) {
    return std::pair(a.view.generation, a.view.index) < std::pair(b.view.generation, b.view.index);
  });
  std::erase_if(cpu_times_, [this](const auto& entry) { return supervisor_.fleet().find(entry.first) == nullptr; });
}

}  // namespace restgate::master
