// Worker: one single-threaded process that serves its share of the connections, from ready to drained. Worker.
//
// Made in the worker process after fork; owns all that serves; ends when the drain is over or its time is up.
#pragma once

#include <memory>
#include <vector>

#include "common/event_loop.h"
#include "worker/acceptor.h"
#include "worker/access_log.h"
#include "worker/buffer_pool.h"
#include "worker/client_connection.h"
#include "worker/context.h"
#include "worker/exchange.h"
#include "worker/graveyard.h"
#include "worker/handover.h"
#include "worker/heritage.h"
#include "worker/peers.h"
#include "worker/resolver.h"
#include "worker/slot_watch.h"
#include "worker/timer_wheel.h"
#include "worker/tunnel.h"

namespace restgate::worker {

class Worker final : private IoHandler {
 public:
  explicit Worker(Heritage heritage);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// Serves until drained. The process's exit code: 0, or 1 when the drain's time was up before its work was done.
  int run();

 private:
  void on_io(IoReady ready) override;  // the control channel
  void on_message(const ipc::Message& message, UniqueFd passed);
  void serve();
  /// Others take over: their sockets are ours, and so shall be our connections theirs.
  void retire();
  /// Nobody takes over: finish what is there. `limit_ms`: until it is cut; 0: as long as it takes.
  void end(int64_t limit_ms);
  /// From now on connections end with their answer. `grace_ms`: for which an idle one may bring one more request.
  void close_connections(int64_t grace_ms);
  void leave_slots(bool take_waiting);
  void hand_over();
  void on_turn();
  void on_tick();
  void beat();
  [[nodiscard]] ScoreboardRow* row() const;

  Heritage heritage_;
  EventLoop loop_;
  BufferPool buffers_;
  BufferPool snug_buffers_;
  HeldAnswers held_answers_;
  PipePool pipes_;
  TimerWheel timers_;
  Lookout lookout_;
  Graveyard graveyard_;
  AccessLog access_log_;
  std::vector<char> scratch_;
  Context context_;
  ExchangePool exchanges_;
  ClientSet clients_;
  TunnelSet tunnels_;
  Resolver resolver_;
  Peers peers_;
  Handover handover_;
  Acceptor acceptor_;
  SlotWatch slots_;
  IoEvent control_event_;
  TimerEvent tick_;
  TimerEvent drain_limit_;
  TimerEvent log_retry_;
  TimerEvent handover_retry_;
  std::unique_ptr<SignalEvent> on_term_;
  bool serving_ = false;
  int64_t alone_since_ms_ = 0;  ///< while handing over: since when there is nobody to take; 0: there is
  int64_t busy_us_ = 0;         ///< that the loop has worked since busy_since_us_
  int64_t busy_since_us_ = 0;
  int exit_code_ = 0;
};

}  // namespace restgate::worker
