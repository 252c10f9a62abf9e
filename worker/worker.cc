#include "worker/worker.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/log.h"
#include "common/log_worker.h"
#include "worker/backend_pool.h"

namespace restgate::worker {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMinBuffer = 64 * 1024;
constexpr size_t kKeepBuffers = 512;
// What our own fields can add to a head, beyond the service's base path and query.
constexpr size_t kAddedToHead = 4 * 1024;
// Over how long a time the share that the loop works is taken.
constexpr int64_t kBusyWindowUs = 1'000'000;
constexpr auto kLogRetry = milliseconds(20);
constexpr auto kHandoverRetry = milliseconds(2);
// For how long connections wait for a successor: a worker that died is replaced long before.
constexpr int64_t kAloneMs = 5'000;
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

AccessLog::Setup access_log_setup(const Heritage& heritage) {
  const config::Config& config = *heritage.config;
  AccessLog::Setup setup;
  setup.options = config.access_log;
  setup.options.enabled = config.access_log.enabled && config.log_level <= LogLevel::Info;
  setup.format = config.access_log.format.value_or(config.log_format == LogFormat::Json ? config::AccessFormat::Json
                                                                                        : config::AccessFormat::Text);
  setup.file = UniqueFd(heritage.access_log);
  setup.stats = heritage.stats;
  setup.worker = heritage.index;
  setup.generation = heritage.generation;
  return setup;
}

}  // namespace

Worker::Worker(Heritage heritage)
    : heritage_(std::move(heritage)),
      buffers_(buffer_size(*heritage_.config), kKeepBuffers),
      snug_buffers_(kSnugBuffer, kKeepBuffers),
      held_answers_(loop_, snug_buffers_),
      timers_(loop_),
      lookout_(loop_, timers_),
      access_log_(access_log_setup(heritage_)),
      scratch_(scratch_size(*heritage_.config)),
      context_{.config = *heritage_.config,
               .router = *heritage_.router,
               .limits = {heritage_.config->max_header_size, heritage_.config->max_headers,
                          std::min<uint32_t>(heritage_.config->max_header_size, http1::Limits{}.max_target_bytes)},
               .stats = heritage_.stats,
               .flights = heritage_.flights,
               .loop = loop_,
               .buffers = buffers_,
               .snug_buffers = snug_buffers_,
               .pipes = pipes_,
               .timers = timers_,
               .lookout = lookout_,
               .graveyard = graveyard_,
               .held_answers = held_answers_,
               .access_log = access_log_,
               .scratch = scratch_},
      exchanges_(context_),
      clients_(context_),
      tunnels_(context_),
      resolver_(loop_),
      peers_(heritage_.scoreboard, heritage_.scoreboard_slot, heritage_.generation),
      handover_(context_, peers_, heritage_.mailboxes),
      acceptor_(loop_, clients_, handover_),
      slots_(heritage_, peers_, acceptor_, handover_),
      tick_(loop_, [this] { on_tick(); }),
      drain_limit_(loop_,
                   [this] {
                     exit_code_ = 1;
                     loop_.stop();
                   }),
      log_retry_(loop_, [] {}),
      handover_retry_(loop_, [] {}) {
  if (ScoreboardRow* own = row()) context_.pulse = Pulse(own->heartbeat_ms);
  context_.exchanges = &exchanges_;
  context_.clients = &clients_;
  context_.tunnels = &tunnels_;
  context_.handover = &handover_;
  const auto& services = context_.config.services;
  for (uint32_t i = 0; i < services.size(); ++i)
    context_.backends.push_back(std::make_unique<BackendPool>(
        context_, resolver_, services[i], i, heritage_.tls != nullptr ? heritage_.tls->at(i).get() : nullptr));
}

Worker::~Worker() {
  // The end of the process: what is still there is cut, counted and logged.
  tunnels_.close_all();
  clients_.abort_all(Reason::Draining);
  for (const auto& backend : context_.backends) backend->close_idle();
  graveyard_.clear();
  context_.backends.clear();  // they use the resolver, which goes before the context
  access_log_.close();
}

int Worker::run() {
  loop_.set_turn_hook([this] { on_turn(); });
  // From an operator: the others take over. From the kernel, because the master died: they are told the same.
  on_term_ = std::make_unique<SignalEvent>(loop_, SIGTERM, [this, master = getppid()] {
    if (getppid() == master)
      retire();
    else
      end(0);
  });
  if (!control_event_.start_reading(loop_, heritage_.control.fd(), *this)) return 1;
  tick_.arm_every(milliseconds(SlotWatch::kLookMs));
  busy_since_us_ = loop_.now_us();
  beat();
  if (!heritage_.control.send({ipc::Kind::Ready, 0, 0})) end(0);
  loop_.run();
  return exit_code_;
}

void Worker::on_io(IoReady /*ready*/) {
  for (;;) {
    ipc::Message message;
    UniqueFd passed;
    switch (heritage_.control.receive(message, &passed)) {
      case ipc::Channel::Receipt::Nothing:
        return;
      case ipc::Channel::Receipt::Closed:  // the master is dead
        control_event_.stop();
        return end(0);
      case ipc::Channel::Receipt::Message:
        on_message(message, std::move(passed));
        break;
    }
  }
}

void Worker::on_message(const ipc::Message& message, UniqueFd passed) {
  switch (message.kind) {
    case ipc::Kind::Probe:
      if (passed) clients_.add_probe(std::move(passed));
      break;
    case ipc::Kind::Serve:
      serve();
      break;
    case ipc::Kind::Drain:
      if (message.value == 0)
        retire();
      else
        end(static_cast<int64_t>(message.value));
      break;
    case ipc::Kind::LeavePort:
      slots_.leave_port(static_cast<uint16_t>(message.value));
      break;
    case ipc::Kind::Farewell:
      context_.farewell = true;
      break;
    case ipc::Kind::AccessLog:
      access_log_.reopen(std::move(passed));
      break;
    case ipc::Kind::Ready:
    case ipc::Kind::Serving:
    case ipc::Kind::Left:
      break;  // a worker's to say
  }
}

void Worker::serve() {
  if (serving_ || context_.drain != Drain::None) return;
  serving_ = true;
  if (ScoreboardRow* own = row()) own->accepting.store(1, std::memory_order_release);
  slots_.look(loop_.now_ms());
  (void)heritage_.control.send({ipc::Kind::Serving, 0, 0});  // who cannot be told is dead
}

void Worker::retire() {
  if (context_.drain != Drain::None) return;
  leave_slots(false);
  context_.drain = Drain::HandOver;
  for (const auto& backend : context_.backends) backend->close_idle();
  loop_.request_turn();  // there may be nothing to wait for
}

void Worker::end(int64_t limit_ms) {
  if (limit_ms > 0) drain_limit_.arm(milliseconds(limit_ms));
  // Nobody else takes from the sockets any more: whoever comes now must be refused, not left waiting.
  leave_slots(true);
  close_connections(std::min(kShutdownGraceMs, limit_ms > 0 ? limit_ms / 2 : kShutdownGraceMs));
}

void Worker::close_connections(int64_t grace_ms) {
  // A shutdown hastens a roll's drain; nothing else changes one that is under way.
  if (context_.drain == Drain::Close && grace_ms >= context_.drain_grace_ms) return;
  context_.drain = Drain::Close;
  context_.drain_grace_ms = grace_ms;
  for (const auto& backend : context_.backends) backend->close_idle();
  clients_.drain_all(grace_ms);
  loop_.request_turn();
}

void Worker::leave_slots(bool take_waiting) {
  serving_ = false;
  slots_.leave(take_waiting);
  ScoreboardRow* own = row();
  if (own == nullptr || own->accepting.exchange(0, std::memory_order_acq_rel) == 0) return;
  (void)heritage_.control.send({ipc::Kind::Left, 0, 0});
}

void Worker::hand_over() {
  handover_.forget_refusal();
  clients_.hand_over_all();
  if (!handover_.refusing()) tunnels_.hand_over_all();
  if (!handover_.refusing()) {
    alone_since_ms_ = 0;
    return;
  }
  handover_retry_.arm(kHandoverRetry);
  const int64_t now_ms = loop_.now_ms();
  if (handover_.has_successor()) {
    alone_since_ms_ = 0;  // its mailbox is full; it will empty it
  } else if (alone_since_ms_ == 0) {
    alone_since_ms_ = now_ms;
  } else if (now_ms - alone_since_ms_ > kAloneMs) {
    log::warn("no worker takes over the connections: closing them",
              {{"connections", clients_.size()}, {"tunnels", tunnels_.size()}});
    close_connections(kRollGraceMs);
  }
}

void Worker::on_turn() {
  clients_.resume_yielded();
  tunnels_.resume_yielded();
  held_answers_.send_due();
  if (context_.drain == Drain::HandOver) hand_over();
  access_log_.flush();
  if (access_log_.pending()) log_retry_.arm(kLogRetry);
  graveyard_.clear();
  context_.flights.rest();
  const int64_t begun_us = loop_.now_us();
  const int64_t busy_us = loop_.refresh_clock() - begun_us;
  busy_us_ += busy_us;
  context_.stats.loop_turn(static_cast<uint64_t>(busy_us));
  beat();  // by the clock of now: a long turn must not look twice as long
  if (context_.drain != Drain::None && clients_.size() == 0 && tunnels_.size() == 0) loop_.stop();
}

void Worker::on_tick() {
  beat();
  access_log_.tell_drops(loop_.now_ms());
  if (const int64_t passed_us = loop_.now_us() - busy_since_us_; passed_us >= kBusyWindowUs) {
    context_.stats.set(stats::Gauge::BusyPermille, std::min<int64_t>(busy_us_ * 1000 / passed_us, 1000));
    busy_us_ = 0;
    busy_since_us_ = loop_.now_us();
  }
  if (serving_) slots_.look(loop_.now_ms());
}

ScoreboardRow* Worker::row() const {
  return heritage_.scoreboard == nullptr ? nullptr : &heritage_.scoreboard->rows[heritage_.scoreboard_slot];
}

void Worker::beat() {
  ScoreboardRow* own = row();
  if (own == nullptr) return;
  own->heartbeat_ms.store(loop_.now_ms(), std::memory_order_relaxed);
  own->connections.store(static_cast<uint32_t>(clients_.size() + tunnels_.size()), std::memory_order_relaxed);
  own->beats.store(own->beats.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

int run_worker(Heritage heritage) {
  log::name_worker(heritage.index, heritage.generation);
  Worker worker(std::move(heritage));
  return worker.run();
}

}  // namespace restgate::worker
