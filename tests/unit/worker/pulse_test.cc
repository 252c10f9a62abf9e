#include "worker/pulse.h"

#include <gtest/gtest.h>

namespace restgate::worker {
namespace {

TEST(Pulse, BeatsWithinATurnByTheClockOfNow) {
  EventLoop loop;
  const int64_t begun_ms = loop.now_ms();
  std::atomic<int64_t> heartbeat_ms{0};
  Pulse pulse(heartbeat_ms);
  while (EventLoop::clock_us() / 1000 < begun_ms + 20) {
  }
  for (uint32_t i = 1; i < Pulse::kPiecesPerBeat; ++i) pulse.work_done();
  EXPECT_EQ(heartbeat_ms, 0);
  pulse.work_done();
  EXPECT_GE(heartbeat_ms, begun_ms + 20);
  EXPECT_EQ(loop.now_ms(), begun_ms) << "the turn's clock stands";
}

TEST(Pulse, NobodyNeedListen) {
  Pulse pulse;
  for (uint32_t i = 0; i <= Pulse::kPiecesPerBeat; ++i) pulse.work_done();
}

}  // namespace
}  // namespace restgate::worker
