#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/log.h"
#include "worker/backend_pool.h"

namespace restgate::worker {
namespace {

using std::chrono::milliseconds;

// Room behind the largest head for the beginning of its body.
constexpr size_t kBodyRoom = 16 * 1024;
constexpr size_t kMinBuffer = 64 * 1024;
constexpr size_t kKeepBuffers = 512;
// What our own fields can add to a head, beyond the service's base path and query.
constexpr size_t kAddedToHead = 4 * 1024;
constexpr auto kHeartbeat = milliseconds(500);
constexpr auto kLogRetry = milliseconds(20);
// For how long an idle connection may still bring a request, which is then answered as its last.
constexpr int64_t kRollGraceMs = 5'000;
constexpr int64_t kShutdownGraceMs = 500;

size_t buffer_size(const config::Config& config) {
  return std::max<size_t>(kMinBuffer, config.max_header_size + kBodyRoom);
}

size_t scratch_size(const config::Config& config) {
  size_t longest = 0;
  for (const config::Service& service : config.services)
    longest = std::max(longest, service.url.base_path.size() + service.url.query.size() + service.url.authority.size());
  // A head rendered anew may have a space more in each field than it came with.
  const size_t need = config.max_header_size + config.max_headers * 2 + kAddedToHead + longest;
  // What a client does not take at once is kept in a buffer (Outbox).
  return std::min(need, buffer_size(config));
}

}  // namespace

Worker::Worker(Heritage heritage)
    : heritage_(std::move(heritage)),
      buffers_(buffer_size(*heritage_.config), kKeepBuffers),
      timers_(loop_),
      access_log_(heritage_.config->access_log && heritage_.config->log_level <= LogLevel::Info,
                  heritage_.config->log_format, heritage_.stats, heritage_.generation),
      scratch_(scratch_size(*heritage_.config)),
      context_{.config = *heritage_.config,
               .router = *heritage_.router,
               .limits = {heritage_.config->max_header_size, heritage_.config->max_headers,
                          std::min<uint32_t>(heritage_.config->max_header_size, http1::Limits{}.max_target_bytes)},
               .stats = heritage_.stats,
               .loop = loop_,
               .buffers = buffers_,
               .timers = timers_,
               .graveyard = graveyard_,
               .access_log = access_log_,
               .scratch = scratch_},
      exchanges_(context_),
      clients_(context_),
      tunnels_(context_),
      resolver_(loop_),
      acceptor_(loop_, clients_),
      heartbeat_(loop_, [this] { beat(); }),
      drain_limit_(loop_,
                   [this] {
                     exit_code_ = 1;
                     loop_.stop();
                   }),
      log_retry_(loop_, [] {}) {
  context_.exchanges = &exchanges_;
  context_.clients = &clients_;
  context_.tunnels = &tunnels_;
  const auto& services = context_.config.services;
  for (uint32_t i = 0; i < services.size(); ++i)
    context_.backends.push_back(std::make_unique<BackendPool>(context_, resolver_, services[i], i));
}

Worker::~Worker() {
  // The end of the process: what is still there is cut, counted and logged.
  tunnels_.close_all();
  clients_.abort_all(Reason::Draining);
  for (const auto& backend : context_.backends) backend->close_idle();
  graveyard_.clear();
  context_.backends.clear();  // they use the resolver, which goes before the context
  access_log_.flush();
}

int Worker::run() {
  loop_.set_turn_hook([this] { on_turn(); });
  on_term_ = std::make_unique<SignalEvent>(loop_, SIGTERM, [this] { drain(Drain::MasterGone, 0); });
  for (size_t slot = 0; slot < heritage_.listeners.size(); ++slot)
    if (slot % heritage_.count == heritage_.index) acceptor_.watch(heritage_.listeners[slot]);
  if (!control_event_.start_reading(loop_, heritage_.control.fd(), *this)) return 1;
  heartbeat_.arm_every(kHeartbeat);
  report_ready();
  loop_.run();
  return exit_code_;
}

void Worker::report_ready() {
  beat();
  if (heritage_.scoreboard != nullptr)
    heritage_.scoreboard->rows[heritage_.scoreboard_slot].accepting.store(1, std::memory_order_release);
  if (!heritage_.control.send({ipc::Kind::Ready, 0, 0})) drain(Drain::MasterGone, 0);
}

void Worker::on_io(IoReady /*ready*/) {
  for (;;) {
    ipc::Message message;
    switch (heritage_.control.receive(message)) {
      case ipc::Channel::Receipt::Nothing:
        return;
      case ipc::Channel::Receipt::Closed:
        control_event_.stop();
        drain(Drain::MasterGone, 0);
        return;
      case ipc::Channel::Receipt::Message:
        break;
    }
    if (message.kind == ipc::Kind::Drain)
      drain(message.value == 0 ? Drain::Roll : Drain::Shutdown, static_cast<int64_t>(message.value));
  }
}

void Worker::drain(Drain why, int64_t limit_ms) {
  const bool last = why != Drain::Roll;
  if (limit_ms > 0) drain_limit_.arm(milliseconds(limit_ms));
  // In a roll the new worker takes from the same sockets. Otherwise nobody does: whoever comes now must be refused, not
  // left waiting.
  acceptor_.stop(last);
  if (last)
    for (const int listener : std::exchange(heritage_.listeners, {})) ::close(listener);
  int64_t grace_ms = kRollGraceMs;
  if (last) grace_ms = std::min(kShutdownGraceMs, limit_ms > 0 ? limit_ms / 2 : kShutdownGraceMs);
  // A shutdown hastens a roll's drain; nothing else changes one that is under way.
  if (context_.draining && grace_ms >= context_.drain_grace_ms) return;
  context_.draining = true;
  context_.drain_grace_ms = grace_ms;
  if (heritage_.scoreboard != nullptr)
    heritage_.scoreboard->rows[heritage_.scoreboard_slot].accepting.store(0, std::memory_order_release);
  (void)heritage_.control.send({ipc::Kind::Left, 0, 0});  // who cannot be told is dead
  for (const auto& backend : context_.backends) backend->close_idle();
  clients_.drain_all(grace_ms);
  loop_.request_turn();  // there may be nothing to wait for
}

void Worker::on_turn() {
  clients_.resume_yielded();
  tunnels_.resume_yielded();
  access_log_.flush();
  if (access_log_.pending()) log_retry_.arm(kLogRetry);
  graveyard_.clear();
  beat();
  const int64_t begun_us = loop_.now_us();
  context_.stats.add(stats::Counter::LoopTurns);
  context_.stats.add(stats::Counter::LoopBusyMicros, static_cast<uint64_t>(loop_.refresh_clock() - begun_us));
  if (context_.draining && clients_.size() == 0 && tunnels_.size() == 0) loop_.stop();
}

void Worker::beat() {
  if (heritage_.scoreboard == nullptr) return;
  ScoreboardRow& row = heritage_.scoreboard->rows[heritage_.scoreboard_slot];
  row.heartbeat_ms.store(loop_.now_ms(), std::memory_order_relaxed);
  row.connections.store(static_cast<uint32_t>(clients_.size() + tunnels_.size()), std::memory_order_relaxed);
}

int run_worker(Heritage heritage) {
  Worker worker(std::move(heritage));
  return worker.run();
}

}  // namespace restgate::worker
