// A randomised world around Plan and reconcile(): workers that start, die, hang and drain at their own pace; reloads,
// resizes and bad configurations at any moment. What must hold is checked after every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "master/plan.h"
#include "master/reconcile.h"

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using State = WorkerState;

struct Chances {
  double bad_generation = 0;  ///< its workers die before they are ready
  double hung_start = 0;
  double crash = 0;  ///< a step in which a ready worker dies
  double hang = 0;   ///< likewise, hangs
  int slow_drain_ms = 400;
};

class World {
 public:
  World(uint32_t seed, Chances chances) : random_(seed), chances_(chances), plan_({1, 2, 2}) {
    slots_ = 2;
    workers_of_[1] = 2;
  }

  void ask_for_reload() {
    last_wanted_ = ++asked_;
    bad_[last_wanted_] = chance(chances_.bad_generation);
    plan_.want_roll(now_);
  }
  void shut_down(milliseconds time) { plan_.shut_down(now_ + time); }

  /// Lets `time` pass, then lets everything happen that is due.
  void pass(milliseconds time) {
    now_ += time;
    live();
    settle();
  }

  void settle() {
    for (int i = 0; i < 1000; ++i) {
      const auto actions = reconcile(plan_.desired(), views_, now_);
      bool acted = false;
      for (const Action& action : actions)
        acted = std::visit([this](const auto& a) { return apply(a); }, action) || acted;
      if (!acted) return;
    }
    FAIL() << "reconcile() never comes to rest";
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool forced() const { return forced_; }
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] size_t processes() const { return views_.size(); }
  [[nodiscard]] uint64_t applied() const { return applied_; }
  [[nodiscard]] uint64_t last_wanted() const { return last_wanted_; }
  [[nodiscard]] bool last_is_bad() const { return bad_.count(last_wanted_) != 0 && bad_.at(last_wanted_); }

  [[nodiscard]] size_t accepting_workers() const {
    return static_cast<size_t>(std::count_if(views_.begin(), views_.end(), accepting));
  }
  [[nodiscard]] bool at_rest() const {
    return !plan_.rolling() && !plan_.desired().pending_since && views_.size() == plan_.desired().current.workers &&
           std::all_of(views_.begin(), views_.end(), accepting);
  }
  [[nodiscard]] std::set<uint32_t> served() const {
    std::set<uint32_t> all;
    for (const WorkerView& w : views_)
      if (accepting(w))
        for (uint32_t slot = w.index; slot < w.slots; slot += w.count) all.insert(slot);
    return all;
  }
  /// Slots that listen and that no ready worker serves.
  [[nodiscard]] std::set<uint32_t> orphans() const {
    std::set<uint32_t> all;
    const std::set<uint32_t> with_worker = served();
    for (uint32_t slot = 0; slot < slots_; ++slot)
      if (with_worker.count(slot) == 0) all.insert(slot);
    return all;
  }
  [[nodiscard]] std::set<uint64_t> generations() const {
    std::set<uint64_t> all;
    for (const WorkerView& w : views_)
      if (w.state != State::Killed) all.insert(w.generation);
    return all;
  }
  /// Workers that both sides of a roll have at least.
  [[nodiscard]] uint32_t least_workers() const {
    const uint32_t current = plan_.desired().current.workers;
    return plan_.rolling() ? std::min(current, plan_.desired().previous->workers) : current;
  }

 private:
  bool apply(const action::Spawn& a) {
    slots_ = std::max(slots_, a.index + 1);  // a slot is opened for the first worker that serves it
    WorkerView w;
    w.pid = ++last_pid_;
    w.generation = a.generation;
    w.index = a.index;
    w.count = workers_of_.at(a.generation);
    w.slots = slots_;
    w.started = w.heartbeat = now_;
    EXPECT_LT(w.index, w.count);
    views_.push_back(w);
    Fate fate;
    fate.ready_at = chance(chances_.hung_start) ? TimePoint::max() : now_ + milliseconds(pick(1, 60));
    fate.stillborn = bad_[config_of_[a.generation]];
    fates_[w.pid] = fate;
    return true;
  }
  bool apply(const action::Drain& a) {
    WorkerView& w = find(a.pid);
    if (w.state != State::Draining) fates_[a.pid].gone_at = now_ + milliseconds(pick(0, chances_.slow_drain_ms));
    w.state = State::Draining;
    w.drain_deadline = a.deadline;
    w.drain_mode = a.mode;
    if (a.mode == DrainMode::End) fates_[a.pid].gone_at = std::min(fates_[a.pid].gone_at, a.deadline);
    return true;
  }
  bool apply(const action::Kill& a) {
    WorkerView& w = find(a.pid);
    w.state = State::Killed;
    w.signal = a.signal;
    w.killed_at = now_;
    if (a.signal == SIGKILL || chance(0.5)) fates_[a.pid].killed_at = now_;
    return true;
  }
  bool apply(const action::BeginRoll&) {
    EXPECT_FALSE(plan_.rolling());
    const uint64_t id = ++last_generation_;
    workers_of_[id] = static_cast<uint32_t>(pick(1, 5));
    config_of_[id] = asked_;
    plan_.roll_begun({id, workers_of_[id], std::max(slots_, workers_of_[id])}, slots_);
    return true;
  }
  bool apply(const action::AbortRoll&) {
    plan_.roll_aborted(slots_);
    return true;
  }
  bool apply(const action::FinishRoll&) {
    plan_.roll_finished();
    applied_ = config_of_[plan_.desired().current.id];
    return true;
  }
  bool apply(const action::WakeAt& a) {
    EXPECT_GT(a.time, now_);
    return false;
  }
  bool apply(const action::Exit& a) {
    ended_ = true;
    forced_ = a.cause != action::ExitCause::Drained;
    return false;
  }

  struct Fate {
    TimePoint ready_at = TimePoint::max();
    TimePoint gone_at = TimePoint::max();
    TimePoint killed_at = TimePoint::max();
    bool stillborn = false;
    bool hangs = false;
  };

  void live() {
    for (size_t i = 0; i < views_.size();) {
      WorkerView& w = views_[i];
      Fate& fate = fates_.at(w.pid);
      if (fate.killed_at <= now_) {
        bury(i, {ExitReason::Killed, 0, SIGKILL, false});
        continue;
      }
      if (w.state == State::Starting && fate.ready_at <= now_) {
        if (fate.stillborn) {
          bury(i, {ExitReason::Failed, 1, 0, false});
          continue;
        }
        w.state = State::Ready;
        plan_.worker_ready();
      }
      if (!fate.hangs && w.state != State::Starting) w.heartbeat = now_;
      if (w.state == State::Draining && !fate.hangs && fate.gone_at <= now_) {
        bury(i, {ExitReason::Drained, 0, 0, false});
        continue;
      }
      if (w.state == State::Ready && chance(chances_.crash)) {
        bury(i, {ExitReason::Crashed, 0, SIGSEGV, false});
        continue;
      }
      if (w.state == State::Ready && chance(chances_.hang)) fate.hangs = true;
      ++i;
    }
  }

  void bury(size_t i, const Obituary& obituary) {
    const WorkerView last = views_[i];
    views_.erase(views_.begin() + static_cast<std::ptrdiff_t>(i));
    plan_.worker_died(last, obituary, now_);
  }

  WorkerView& find(pid_t pid) {
    return *std::find_if(views_.begin(), views_.end(), [pid](const WorkerView& w) { return w.pid == pid; });
  }
  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
  int pick(int from, int to) { return std::uniform_int_distribution<>(from, to)(random_); }

  std::mt19937 random_;
  Chances chances_;
  TimePoint now_ = TimePoint{} + std::chrono::hours(1000);
  Plan plan_;
  std::vector<WorkerView> views_;
  std::map<pid_t, Fate> fates_;
  std::map<uint64_t, uint32_t> workers_of_;
  std::map<uint64_t, uint64_t> config_of_;
  std::map<uint64_t, bool> bad_;
  uint32_t slots_ = 1;
  pid_t last_pid_ = 0;
  uint64_t last_generation_ = 1;
  uint64_t asked_ = 0;
  uint64_t last_wanted_ = 0;
  uint64_t applied_ = 0;
  bool ended_ = false;
  bool forced_ = false;
};

bool run_until(World& world, const auto& condition, milliseconds within) {
  for (milliseconds passed{0}; passed < within; passed += milliseconds(10)) {
    if (condition()) return true;
    world.pass(milliseconds(10));
  }
  return condition();
}

constexpr uint32_t kSeeds = 150;

// Nothing fails: then no slot is ever without a worker, however often the configuration and the size change.
TEST(ReconcileSimulation, NoSlotIsEverOrphanedByReloads) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, {});
    std::mt19937 random(seed);
    ASSERT_TRUE(run_until(
        world, [&] { return world.at_rest(); }, milliseconds(1'000)));
    std::set<uint32_t> once_served;
    for (int step = 0; step < 400; ++step) {
      if (random() % 20 == 0) world.ask_for_reload();
      world.pass(milliseconds(5));
      ASSERT_GE(world.accepting_workers(), world.least_workers()) << "seed " << seed << " step " << step;
      for (const uint32_t slot : world.orphans())
        ASSERT_EQ(once_served.count(slot), 0U) << "seed " << seed << " step " << step << " slot " << slot;
      once_served.merge(world.served());
      ASSERT_LE(world.generations().size(), 3U) << "seed " << seed;
    }
    ASSERT_TRUE(run_until(
        world, [&] { return world.at_rest(); }, milliseconds(60'000)))
        << "seed " << seed;
    EXPECT_EQ(world.applied(), world.last_wanted()) << "a reload was lost, seed " << seed;
    EXPECT_TRUE(world.orphans().empty()) << "seed " << seed;
  }
}

// Bad generations come and go: the good one that was last there stays whole.
TEST(ReconcileSimulation, BadGenerationsChangeNothing) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, {.bad_generation = 0.5, .hung_start = 0.02});
    std::mt19937 random(seed);
    ASSERT_TRUE(run_until(
        world, [&] { return world.at_rest(); }, milliseconds(30'000)));
    for (int step = 0; step < 400; ++step) {
      if (random() % 20 == 0) world.ask_for_reload();
      world.pass(milliseconds(5));
      ASSERT_GE(world.accepting_workers(), 1U) << "seed " << seed << " step " << step;
    }
    ASSERT_TRUE(run_until(
        world, [&] { return world.at_rest(); }, milliseconds(120'000)))
        << "seed " << seed;
    EXPECT_TRUE(world.orphans().empty()) << "seed " << seed;
    if (world.last_is_bad()) {
      EXPECT_NE(world.applied(), world.last_wanted()) << "seed " << seed;
    }
  }
}

// Crashes and hangs on top of it: it always comes back to the full number, and a last good reload gets through.
TEST(ReconcileSimulation, RecoversFromAnything) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, {.bad_generation = 0.2, .hung_start = 0.02, .crash = 0.002, .hang = 0.001});
    std::mt19937 random(seed);
    for (int step = 0; step < 1'000; ++step) {
      if (random() % 30 == 0) world.ask_for_reload();
      world.pass(milliseconds(10));
    }
    EXPECT_TRUE(run_until(
        world, [&] { return world.at_rest(); }, milliseconds(600'000)))
        << "seed " << seed;
    EXPECT_TRUE(world.orphans().empty()) << "seed " << seed;
  }
}

TEST(ReconcileSimulation, AShutdownAlwaysEnds) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed,
                {.bad_generation = 0.2, .hung_start = 0.1, .crash = 0.002, .hang = 0.02, .slow_drain_ms = 20'000});
    std::mt19937 random(seed);
    for (auto step = random() % 300; step > 0; --step) {
      if (random() % 20 == 0) world.ask_for_reload();
      world.pass(milliseconds(10));
    }
    world.shut_down(milliseconds(15'000));
    ASSERT_TRUE(run_until(
        world, [&] { return world.ended(); }, milliseconds(15'700)))
        << "seed " << seed;
    EXPECT_EQ(world.processes(), 0U);
  }
}

TEST(ReconcileSimulation, ASecondSignalEndsItAtOnce) {
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    World world(seed, {.hang = 0.05, .slow_drain_ms = 100'000});
    ASSERT_TRUE(run_until(
        world, [&] { return world.accepting_workers() > 0; }, milliseconds(1'000)));
    world.shut_down(milliseconds(15'000));
    world.pass(milliseconds(50));
    world.shut_down(milliseconds(0));
    ASSERT_TRUE(run_until(
        world, [&] { return world.ended(); }, milliseconds(700)))
        << "seed " << seed;
  }
}

TEST(ReconcileSimulation, AStartWithABadConfigurationGivesUp) {
  World world(1, {.hung_start = 1});
  EXPECT_TRUE(run_until(
      world, [&] { return world.ended(); }, milliseconds(60'000)));
  EXPECT_TRUE(world.forced());
  EXPECT_EQ(world.processes(), 0U);
}

}  // namespace
}  // namespace restgate::master
