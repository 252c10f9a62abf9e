// ContextTest: a worker's Context and what it refers to, without a worker, for tests of connections. Test process.
#pragma once

#include <event2/event.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "common/stats/block.h"
#include "worker/backend_pool.h"
#include "worker/lookout.h"

namespace restgate::worker {

class ContextTest : public testing::Test {
 protected:
  /// Runs the loop; what nobody needs any more is destroyed after each turn.
  void run_until(const std::function<bool()>& done) {
    TimerEvent limit(loop_, [] { FAIL() << "nothing has happened"; });
    limit.arm(std::chrono::seconds(20));
    while (!done() && !HasFatalFailure()) {
      event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
      loop_.refresh_clock();
      graveyard_.clear();
    }
  }

  EventLoop loop_;
  config::Config config_;
  Router router_{config_};
  BufferPool buffers_{4096, 4};
  BufferPool snug_buffers_{1024, 4};
  PipePool pipes_;
  TimerWheel timers_{loop_};
  Lookout lookout_{loop_, timers_};
  Graveyard graveyard_;
  HeldAnswers held_answers_{loop_, snug_buffers_};
  AccessLog access_log_{AccessLog::Setup{}};  // nothing is recorded here
  Result<stats::Block> block_ = stats::Block::create({.routes = {}, .services = {"backend"}, .methods = {}});
  Context context_{.config = config_,
                   .router = router_,
                   .limits = {},
                   .stats = block_->writer(),
                   .flights = {},
                   .loop = loop_,
                   .buffers = buffers_,
                   .snug_buffers = snug_buffers_,
                   .pipes = pipes_,
                   .timers = timers_,
                   .lookout = lookout_,
                   .graveyard = graveyard_,
                   .held_answers = held_answers_,
                   .access_log = access_log_,
                   .scratch = {}};
};

}  // namespace restgate::worker
