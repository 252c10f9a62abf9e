#include "master/worker_handle.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "common/log.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// A drain without end still needs a number: to the worker, none means that others take over (DrainMode::Roll).
constexpr milliseconds kVeryLong = std::chrono::hours(24 * 365);

}  // namespace

WorkerHandle::WorkerHandle(EventLoop& loop, const WorkerView& forked, ipc::Channel control, stats::Block block,
                           flight::Block flights, ScoreboardRow& row)
    : loop_(loop),
      view_(forked),
      control_(std::move(control)),
      block_(std::make_shared<const stats::Block>(std::move(block))),
      flights_(std::move(flights)),
      row_(row) {}

void WorkerHandle::on_io(IoReady /*ready*/) {
  for (;;) {
    ipc::Message message;
    switch (control_.receive(message)) {
      case ipc::Channel::Receipt::Nothing:
        return;
      case ipc::Channel::Receipt::Closed:
        event_.stop();  // its end will be reported by SIGCHLD
        return;
      case ipc::Channel::Receipt::Message:
        on_message(message);
        break;
    }
  }
}

void WorkerHandle::on_message(const ipc::Message& message) {
  switch (message.kind) {
    case ipc::Kind::Ready:
      if (view_.state == WorkerState::Starting && !probe_) probe();
      break;
    case ipc::Kind::Serving:
      if (view_.state == WorkerState::Starting) view_.state = WorkerState::Ready;
      break;
    case ipc::Kind::Left:
      break;  // its scoreboard row says it too; the message ends the master's turn
    case ipc::Kind::Probe:
    case ipc::Kind::Serve:
    case ipc::Kind::Drain:
    case ipc::Kind::LeavePort:
    case ipc::Kind::Farewell:
    case ipc::Kind::AccessLog:
      break;  // the master's to say
  }
}

void WorkerHandle::probe() {
  probe_.emplace([this](SelfProbe::Verdict verdict) { on_probed(verdict); });
  if (!probe_->start(loop_, control_)) on_probed(SelfProbe::Verdict::Bad);
}

void WorkerHandle::on_probed(SelfProbe::Verdict verdict) {
  if (view_.state != WorkerState::Starting) return;
  if (verdict == SelfProbe::Verdict::Good && control_.send({ipc::Kind::Serve, 0, 0})) return;
  log::error("a new worker does not answer as it should",
             {{"worker", view_.index}, {"worker_pid", view_.pid}, {"answer", probe_->answer()}});
  kill(SIGABRT, action::KillCause::NeverReady, Clock::now());
}

void WorkerHandle::leave_port(uint16_t port) {
  (void)control_.send({ipc::Kind::LeavePort, 0, port});
}

bool WorkerHandle::give_access_log(int fd) {
  return control_.send({ipc::Kind::AccessLog, 0, 0}, fd);
}

void WorkerHandle::bid_farewell() {
  (void)control_.send({ipc::Kind::Farewell, 0, 0});
}

void WorkerHandle::observe(TimePoint now) {
  const TimePoint beat{milliseconds(row_.heartbeat_ms.load(std::memory_order_relaxed))};
  view_.heartbeat = std::max(view_.started, beat);
  if (view_.state != WorkerState::Ready || row_.accepting.load(std::memory_order_acquire) != 0) return;
  // Somebody sent it SIGTERM: it takes no connections any more, so its place is free.
  view_.state = WorkerState::Draining;
  view_.drain_mode = DrainMode::Roll;
  view_.drain_deadline = now + view_.drain_limit;
}

void WorkerHandle::drain(TimePoint deadline, DrainMode mode, TimePoint now) {
  view_.state = WorkerState::Draining;
  view_.drain_deadline = deadline;
  view_.drain_mode = mode;
  uint64_t limit_ms = 0;
  if (mode == DrainMode::End) {
    const auto left = std::clamp(duration_cast<milliseconds>(deadline - now), milliseconds(1), kVeryLong);
    limit_ms = static_cast<uint64_t>(left.count());
  }
  // If it cannot be told, it is dead already or it hangs: both are noticed elsewhere.
  (void)control_.send({ipc::Kind::Drain, 0, limit_ms});
}

void WorkerHandle::kill(int signal, action::KillCause cause, TimePoint now) {
  view_.state = WorkerState::Killed;
  view_.signal = signal;
  view_.killed_at = now;
  if (!kill_cause_) kill_cause_ = cause;
  ::kill(view_.pid, signal);
}

}  // namespace restgate::master
