#include "master/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <vector>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TimePoint at(int64_t ms) {
  return TimePoint{} + std::chrono::hours(1000) + milliseconds(ms);
}

WorkerView worker(uint64_t generation, uint32_t index, int64_t started, WorkerState state = WorkerState::Ready) {
  WorkerView view;
  view.generation = generation;
  view.index = index;
  view.started = at(started);
  view.state = state;
  return view;
}

Obituary crashed() {
  return {ExitReason::Crashed, 0, SIGSEGV, false};
}
Obituary killed() {
  return {ExitReason::Killed, 0, SIGKILL, false};
}

TEST(Plan, BacksOffForShortLivesOnly) {
  Plan plan({1, 2, 2});
  plan.worker_ready();
  int64_t now = 0;
  for (const int64_t wait : {100, 200, 400, 800, 1'600, 3'200, 6'400, 10'000, 10'000}) {
    const int64_t started = now;
    now += 9'999;
    plan.worker_died(worker(1, 1, started), crashed(), at(now));
    EXPECT_EQ(plan.desired().not_before.at(1) - at(now), milliseconds(wait));
  }
  plan.worker_died(worker(1, 1, now), crashed(), at(now + 10'000));
  EXPECT_EQ(plan.desired().not_before.at(1), at(now + 10'000)) << "a long life: at once";
  plan.worker_died(worker(1, 1, now), crashed(), at(now + 100));
  EXPECT_EQ(plan.desired().not_before.at(1), at(now + 200)) << "and the count starts anew";
}

TEST(Plan, ReplacesTheKilledAtOnce) {
  Plan plan({1, 1, 1});
  plan.worker_died(worker(1, 0, 0), killed(), at(500));
  EXPECT_EQ(plan.desired().not_before.at(0), at(500));
  plan.worker_died(worker(1, 0, 500), killed(), at(599));
  EXPECT_EQ(plan.desired().not_before.at(0), at(699)) << "a moment later if it hardly lived";
  plan.worker_died(worker(1, 0, 699), killed(), at(710));
  EXPECT_EQ(plan.desired().not_before.at(0), at(810)) << "however often";
}

TEST(Plan, CountsTheStillborn) {
  Plan plan({1, 1, 1});
  plan.worker_died(worker(1, 0, 0, WorkerState::Starting), crashed(), at(1));
  plan.spawn_failed(1, 0, "no memory", at(2));
  EXPECT_EQ(plan.desired().stillborn, 2U);
  plan.worker_ready();
  plan.worker_died(worker(1, 0, 0, WorkerState::Starting), crashed(), at(3));
  EXPECT_EQ(plan.desired().stillborn, 2U);
}

TEST(Plan, RollsAndForgetsBackOffs) {
  Plan plan({1, 2, 2});
  plan.worker_died(worker(1, 0, 0), crashed(), at(1));
  plan.want_roll(at(10));
  plan.want_roll(at(20));
  EXPECT_EQ(plan.desired().pending_since, at(10));
  plan.roll_begun({2, 4, 4}, 2);
  EXPECT_TRUE(plan.rolling());
  EXPECT_FALSE(plan.desired().pending_since);
  EXPECT_EQ(plan.desired().current.id, 2U);
  EXPECT_EQ(plan.desired().previous->id, 1U);
  EXPECT_TRUE(plan.desired().not_before.empty());
  plan.want_roll(at(30));
  plan.roll_finished();
  EXPECT_FALSE(plan.rolling());
  EXPECT_EQ(plan.desired().pending_since, at(30)) << "what came during the roll is not lost";
}

TEST(Plan, GoesBackToThePrevious) {
  Plan plan({1, 2, 2});
  plan.roll_begun({2, 4, 4}, 2);
  plan.worker_died(worker(2, 0, 0, WorkerState::Starting), crashed(), at(1));
  EXPECT_THAT(plan.desired().failure, HasSubstr("worker 0 of the new generation was ended by SIGSEGV before it was"));
  plan.roll_aborted(3);
  EXPECT_FALSE(plan.rolling());
  EXPECT_EQ(plan.desired().current.id, 1U);
  EXPECT_EQ(plan.desired().current.workers, 2U);
  EXPECT_EQ(plan.desired().current.slots, 3U) << "a socket once opened stays";
  EXPECT_TRUE(plan.desired().failure.empty());
}

struct Verdict {
  const char* name;
  WorkerView last;
  Obituary obituary;
  int times;
  bool fails;
};

TEST(Plan, JudgesARoll) {
  const std::vector<Verdict> rows = {
      {"a crash before ready", worker(2, 0, 0, WorkerState::Starting), crashed(), 1, true},
      {"a crash after", worker(2, 0, 0), crashed(), 1, true},
      {"an exit code", worker(2, 0, 0), {ExitReason::Failed, 3, 0, false}, 1, true},
      {"killed from outside", worker(2, 0, 0), killed(), 1, false},
      {"again and again", worker(2, 0, 0), killed(), 4, true},
      {"an old worker's crash", worker(1, 0, 0), crashed(), 5, false},
      {"an older one's", worker(0, 0, 0), crashed(), 5, false},
  };
  for (const Verdict& row : rows) {
    Plan plan({1, 2, 2});
    plan.worker_ready();
    plan.roll_begun({2, 2, 2}, 2);
    for (int i = 0; i < row.times; ++i) plan.worker_died(row.last, row.obituary, at(5'000));
    EXPECT_EQ(!plan.desired().failure.empty(), row.fails) << row.name;
  }
}

TEST(Plan, AFailedForkFailsTheRoll) {
  Plan plan({1, 2, 2});
  plan.roll_begun({2, 2, 2}, 2);
  plan.spawn_failed(1, 0, "no memory", at(0));
  EXPECT_TRUE(plan.desired().failure.empty()) << "of the old generation: not its fault";
  plan.spawn_failed(2, 0, "no memory", at(0));
  EXPECT_THAT(plan.desired().failure, HasSubstr("could not be started: no memory"));
}

TEST(Plan, DeathsOfDiscardedGenerationsDoNotDelayOthers) {
  Plan plan({2, 1, 1});
  plan.worker_died(worker(1, 0, 0), crashed(), at(1));
  EXPECT_TRUE(plan.desired().not_before.empty());
}

TEST(Plan, ASecondShutdownOnlyHastens) {
  Plan plan({1, 1, 1});
  plan.shut_down(at(15'000));
  plan.shut_down(at(2'000));
  EXPECT_EQ(plan.desired().shutdown->deadline, at(2'000));
  plan.shut_down(at(20'000));
  EXPECT_EQ(plan.desired().shutdown->deadline, at(2'000));
  plan = Plan({1, 1, 1});
  plan.shut_down(at(15'000), at(5'000));
  plan.shut_down(at(12'000), at(2'000));
  plan.shut_down(at(20'000), at(3'000));
  EXPECT_EQ(plan.desired().shutdown->deadline, at(12'000));
  EXPECT_EQ(plan.desired().shutdown->drain_at, at(2'000));
}

}  // namespace
}  // namespace restgate::master
