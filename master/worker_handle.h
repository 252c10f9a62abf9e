// WorkerHandle: what the master holds of one worker process, from fork until it is reaped. Master; owned by the Fleet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/event_loop.h"
#include "common/flight/block.h"
#include "common/ipc.h"
#include "common/scoreboard.h"
#include "common/stats.h"
#include "master/reconcile.h"
#include "master/self_probe.h"

namespace restgate::master {

class WorkerHandle final : private IoHandler {
 public:
  /// `row` is the worker's own and stays the scoreboard's.
  WorkerHandle(EventLoop& loop, const WorkerView& forked, ipc::Channel control, stats::Block block,
               flight::Block flights, ScoreboardRow& row);
  WorkerHandle(const WorkerHandle&) = delete;
  WorkerHandle& operator=(const WorkerHandle&) = delete;
  ~WorkerHandle() = default;

  /// Listens to the control channel. False: the kernel refused.
  [[nodiscard]] bool watch() { return event_.start_reading(loop_, control_.fd(), *this); }

  /// Takes in what the worker has written to shared memory: its heartbeat; that it drains though nobody told it.
  void observe(TimePoint now);
  /// Tells the worker to go.
  void drain(TimePoint deadline, DrainMode mode, TimePoint now);
  /// Tells it that the gateway will stop.
  void bid_farewell();
  void kill(int signal, action::KillCause cause, TimePoint now);
  /// Tells it to take what waits on this port, which is given up, and to close it.
  void leave_port(uint16_t port);

  /// Gives it the file of its access log, opened anew. False: it cannot be told.
  [[nodiscard]] bool give_access_log(int fd);
  /// The file's name; "": it has none.
  [[nodiscard]] const std::string& access_log() const { return access_log_; }
  void set_access_log(std::string file) { access_log_ = std::move(file); }

  /// One that another program forked, and what that one had done to it.
  void resume(std::optional<action::KillCause> kill_cause) { kill_cause_ = kill_cause; }

  [[nodiscard]] const WorkerView& view() const { return view_; }
  [[nodiscard]] int control_fd() const { return control_.fd(); }
  [[nodiscard]] const stats::Block& block() const { return *block_; }
  [[nodiscard]] std::shared_ptr<const stats::Block> shared_block() const { return block_; }
  [[nodiscard]] const flight::Block& flights() const { return flights_; }
  [[nodiscard]] ScoreboardRow& row() const { return row_; }
  /// Why the master sent it its first signal.
  [[nodiscard]] std::optional<action::KillCause> kill_cause() const { return kill_cause_; }

 private:
  void on_io(IoReady ready) override;
  void on_message(const ipc::Message& message);
  /// Its loop turns: one request of ours, then those of clients.
  void probe();
  void on_probed(SelfProbe::Verdict verdict);

  EventLoop& loop_;
  WorkerView view_;
  ipc::Channel control_;
  std::shared_ptr<const stats::Block> block_;  // scrapes may still be reading it when the worker is gone
  flight::Block flights_;
  ScoreboardRow& row_;
  std::string access_log_;
  std::optional<action::KillCause> kill_cause_;
  std::optional<SelfProbe> probe_;
  IoEvent event_;  // last: gone before the descriptor that it watches
};

}  // namespace restgate::master
