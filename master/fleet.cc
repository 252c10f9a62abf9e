#include "master/fleet.h"

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <string>
#include <utility>

#include "common/log.h"
#include "common/platform/output.h"

namespace restgate::master {
namespace {

pid_t wait_for(pid_t pid, int& status, int options) {
  pid_t reaped = 0;
  do {
    reaped = waitpid(pid, &status, options);
  } while (reaped < 0 && errno == EINTR);
  return reaped;
}

/// As event loops tell the time, ours and the workers'.
int64_t monotonic_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count();
}

/// -1: there is none, or it cannot be opened. Then requests are served without: the master tries again when asked to.
UniqueFd open_access_log(const std::string& file) {
  if (file.empty()) return {};
  auto opened = platform::open_to_append(file);
  if (opened) return std::move(opened).value();
  log::error("access log: the file cannot be opened", {{"reason", opened.error().message}});
  return {};
}

void clear(ScoreboardRow& row, uint64_t generation, uint32_t index, uint32_t count) {
  row.index.store(index, std::memory_order_relaxed);
  row.count.store(count, std::memory_order_relaxed);
  row.generation.store(generation, std::memory_order_relaxed);
  row.heartbeat_ms.store(0, std::memory_order_relaxed);
  row.connections.store(0, std::memory_order_relaxed);
  row.accepting.store(0, std::memory_order_relaxed);
}

}  // namespace

Fleet::Fleet(EventLoop& loop, Spawner& spawner)
    : loop_(loop),
      spawner_(spawner),
      scoreboard_(ScoreboardMemory::create()),
      dead_(std::make_shared<const stats::Accumulator>()) {}

Fleet::~Fleet() {
  for (const auto& worker : workers_) ::kill(worker->view().pid, SIGKILL);
  int status = 0;
  for (const auto& worker : workers_) wait_for(worker->view().pid, status, 0);
}

Result<Fleet::Row> Fleet::free_row() const {
  for (uint32_t i = 0; i < kScoreboardRows; ++i) {
    ScoreboardRow& row = scoreboard_.get()->rows[i];
    if (row.pid.load(std::memory_order_relaxed) != 0) continue;
    if (i >= scoreboard_.get()->rows_used.load(std::memory_order_relaxed))
      scoreboard_.get()->rows_used.store(i + 1, std::memory_order_release);
    return Row{&row, i};
  }
  return Error{"there are " + std::to_string(kScoreboardRows) + " worker processes already", 0};
}

Status Fleet::spawn(const Generation& generation, const std::vector<int>& retired, uint32_t index, TimePoint now) {
  auto row = free_row();
  if (!row) return std::move(row).error();
  if (Status grown = generation.listeners.grow_to(index + 1); !grown) return grown;
  // As many as slots, so that what waits in one is reached by whoever serves that slot later.
  if (Status made = mailboxes_.grow_to(std::max(generation.workers, generation.listeners.slots())); !made) return made;
  auto block = stats::Block::create(generation.statistics);
  if (!block) return std::move(block).error();
  auto flights = flight::Block::create();
  if (!flights) return std::move(flights).error();
  auto channels = ipc::Channel::make_pair();
  if (!channels) return std::move(channels).error();
  auto& [ours, theirs] = *channels;
  clear(*row->row, generation.id, index, generation.workers);

  worker::Heritage heritage;
  heritage.index = index;
  heritage.count = generation.workers;
  heritage.generation = generation.id;
  heritage.config = &generation.config;
  heritage.router = &generation.router;
  heritage.tls = &generation.tls;
  heritage.listeners = generation.listeners.descriptors();
  heritage.retired_listeners = retired;
  heritage.mailboxes = mailboxes_.descriptors();
  const UniqueFd access_log = open_access_log(generation.config.access_log.file);
  heritage.access_log = access_log.get();
  heritage.control = std::move(theirs);
  heritage.stats = block->writer();
  heritage.flights = flights->writer();
  heritage.scoreboard = scoreboard_.get();
  heritage.scoreboard_slot = row->number;
  const std::string title =
      "restgate: worker " + std::to_string(index) + " (gen " + std::to_string(generation.id) + ")";
  const auto pid = spawner_.spawn(std::move(heritage), title);
  if (!pid) return pid.error();

  block->hide_from_later_children();
  flights->hide_from_later_children();
  row->row->pid.store(*pid, std::memory_order_release);
  WorkerView view;
  view.pid = *pid;
  view.generation = generation.id;
  view.index = index;
  view.count = generation.workers;
  view.slots = generation.listeners.slots();
  view.started = view.heartbeat = now;
  view.drain_limit = generation.config.stream_drain_timeout;
  workers_.push_back(std::make_unique<WorkerHandle>(loop_, view, std::move(ours), std::move(block).value(),
                                                    std::move(flights).value(), *row->row));
  workers_.back()->set_access_log(generation.config.access_log.file);
  if (!workers_.back()->watch()) return system_error("cannot watch a worker's control channel", errno);
  if (farewell_) workers_.back()->bid_farewell();
  return Ok{};
}

void Fleet::bid_farewell() {
  if (std::exchange(farewell_, true)) return;
  for (const auto& worker : workers_) worker->bid_farewell();
}

void Fleet::reopen_access_logs() {
  std::map<std::string, UniqueFd> files;  // old generations may have others than the present one
  for (const auto& worker : workers_) {
    const std::string& name = worker->access_log();
    if (name.empty()) continue;
    auto file = files.find(name);
    if (file == files.end()) file = files.emplace(name, open_access_log(name)).first;
    if (!file->second) continue;
    if (!worker->give_access_log(file->second.get()))
      log::warn("access log: a worker cannot be given the file that was opened anew",
                {{"worker", worker->view().index}, {"worker_pid", worker->view().pid}, {"file", name}});
  }
  log::info("access log: opened anew", {{"files", files.size()}});
}

void Fleet::leave_port(uint16_t port) {
  for (const auto& worker : workers_) worker->leave_port(port);
}

WorkerHandle* Fleet::find(pid_t pid) const {
  const auto found =
      std::find_if(workers_.begin(), workers_.end(), [pid](const auto& worker) { return worker->view().pid == pid; });
  return found != workers_.end() ? found->get() : nullptr;
}

void Fleet::drain(const action::Drain& order, TimePoint now) {
  if (WorkerHandle* worker = find(order.pid)) worker->drain(order.deadline, order.mode, now);
}

void Fleet::kill(const action::Kill& order, TimePoint now) {
  if (WorkerHandle* worker = find(order.pid)) worker->kill(order.signal, order.cause, now);
}

void Fleet::observe(TimePoint now) {
  for (const auto& worker : workers_) worker->observe(now);
}

bool Fleet::accepts() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->row().accepting.load(std::memory_order_acquire) != 0; });
}

std::vector<WorkerView> Fleet::views() const {
  std::vector<WorkerView> views;
  views.reserve(workers_.size());
  for (const auto& worker : workers_) views.push_back(worker->view());
  return views;
}

Reaped Fleet::reap() {
  Reaped reaped;
  for (;;) {
    int status = 0;
    const pid_t pid = wait_for(-1, status, WNOHANG);
    if (pid <= 0) return reaped;
    if (find(pid) != nullptr)
      reaped.workers.push_back(bury(pid, status));
    else
      reaped.others.push_back({pid, status});
  }
}

/// The process is gone: what it counted cannot change any more.
Death Fleet::bury(pid_t pid, int status) {
  const auto found =
      std::find_if(workers_.begin(), workers_.end(), [pid](const auto& worker) { return worker->view().pid == pid; });
  const WorkerHandle& worker = **found;
  stats::Snapshot counted = worker.block().snapshot();
  counted.of_worker(worker.view().index);
  Death death{worker.view(), explain(status, worker.view(), worker.kill_cause()),
              losses_of(worker.flights().snapshot(), counted, worker.block().spec(), monotonic_us())};
  auto dead = std::make_shared<stats::Accumulator>(*dead_);
  dead->add(counted);
  dead_ = std::move(dead);
  ++deaths_;
  clear(worker.row(), 0, 0, 1);
  worker.row().pid.store(0, std::memory_order_release);
  workers_.erase(found);
  return death;
}

stats::Sources Fleet::statistics_sources() const {
  stats::Sources sources;
  sources.dead = dead_;
  for (const auto& worker : workers_) sources.live.push_back({worker->view().index, worker->shared_block()});
  return sources;
}

}  // namespace restgate::master
