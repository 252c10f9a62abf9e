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
#include "worker/heritage.h"
#include "worker/resolver.h"
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
  /// Why the worker drains; decides how patient it is.
  enum class Drain : uint8_t { Roll, Shutdown, MasterGone };

  void on_io(IoReady ready) override;  // the control channel
  void drain(Drain why, int64_t limit_ms);
  void on_turn();
  void beat();
  void report_ready();

  Heritage heritage_;
  EventLoop loop_;
  BufferPool buffers_;
  TimerWheel timers_;
  Graveyard graveyard_;
  AccessLog access_log_;
  std::vector<char> scratch_;
  Context context_;
  ExchangePool exchanges_;
  ClientSet clients_;
  TunnelSet tunnels_;
  Resolver resolver_;
  Acceptor acceptor_;
  IoEvent control_event_;
  TimerEvent heartbeat_;
  TimerEvent drain_limit_;
  TimerEvent log_retry_;
  std::unique_ptr<SignalEvent> on_term_;
  int exit_code_ = 0;
};

}  // namespace restgate::worker
