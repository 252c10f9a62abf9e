#include "worker/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace restgate::worker {
namespace {

class Probe final : public Deadline {
 public:
  explicit Probe(std::function<void(Probe&)> on_fire) : on_fire_(std::move(on_fire)) {}
  int fired = 0;

 private:
  void on_deadline() override {
    ++fired;
    if (on_fire_) on_fire_(*this);
  }
  std::function<void(Probe&)> on_fire_;
};

class TimerWheelTest : public ::testing::Test {
 protected:
  EventLoop loop;
  TimerWheel wheel{loop};

  /// Runs until stop() is called; a test that hangs is ended by its runner's timeout.
  void run() { loop.run(); }
};

TEST_F(TimerWheelTest, FiresNotBeforeItsTime) {
  const int64_t due = loop.now_ms() + 35;
  int64_t fired_at = 0;
  Probe probe([&](Probe&) {
    fired_at = loop.refresh_clock() / 1000;
    loop.stop();
  });
  wheel.set(probe, due);
  run();
  EXPECT_GE(fired_at, due);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, PutOffItFiresOnceAtTheLaterTime) {
  const int64_t due = loop.now_ms() + 60;
  int64_t fired_at = 0;
  Probe probe([&](Probe&) {
    fired_at = loop.refresh_clock() / 1000;
    loop.stop();
  });
  wheel.set(probe, due - 50);
  wheel.set(probe, due);
  run();
  EXPECT_GE(fired_at, due);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, BroughtForwardItFiresEarlier) {
  Probe end([&](Probe&) { loop.stop(); });
  Probe probe([](Probe&) {});
  wheel.set(probe, loop.now_ms() + 60'000);
  wheel.set(probe, loop.now_ms() + 10);
  wheel.set(end, loop.now_ms() + 40);
  run();
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, ClearedItDoesNotFire) {
  Probe end([&](Probe&) { loop.stop(); });
  Probe probe([](Probe&) {});
  wheel.set(probe, loop.now_ms() + 10);
  TimerWheel::clear(probe);
  wheel.set(end, loop.now_ms() + 40);
  run();
  EXPECT_EQ(probe.fired, 0);
}

TEST_F(TimerWheelTest, MayBeSetAgainFromItsOwnCallback) {
  Probe probe([&](Probe& self) {
    if (self.fired == 3) return loop.stop();
    wheel.set(self, loop.now_ms());  // due already: the next tick
  });
  wheel.set(probe, loop.now_ms() + 5);
  run();
  EXPECT_EQ(probe.fired, 3);
}

TEST_F(TimerWheelTest, MayDestroyItselfAndOthersOfTheSameSlot) {
  const int64_t due = loop.now_ms() + 20;
  std::vector<std::unique_ptr<Probe>> probes;
  int fired = 0;
  for (int i = 0; i < 8; ++i) {
    probes.push_back(std::make_unique<Probe>([&](Probe&) {
      ++fired;
      loop.stop();
      auto doomed = std::move(probes);  // destroys all, this one too, on return
      probes.clear();
    }));
    wheel.set(*probes.back(), due);
  }
  run();
  EXPECT_EQ(fired, 1);
}

TEST_F(TimerWheelTest, BeyondTheHorizonItWaitsOn) {
  Probe end([&](Probe&) { loop.stop(); });
  Probe probe([](Probe&) {});
  wheel.set(probe, loop.now_ms() + 3'600'000);
  wheel.set(end, loop.now_ms() + 30);
  run();
  EXPECT_EQ(probe.fired, 0);
}

}  // namespace
}  // namespace restgate::worker
