// The Supervisor with real processes, but workers that serve nobody: how they behave is the name of the configuration's
// service.
#include "master/supervisor.h"

#include <event2/event.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>
#include <functional>
#include <set>
#include <string>

#include "common/platform/sockets.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

void beat(ScoreboardRow& row) {
  row.heartbeat_ms.store(duration_cast<milliseconds>(Clock::now().time_since_epoch()).count());
}

/// "good": ready at once, drains at once. "stubborn": never ends. "dies": before it is ready. "silent": is never ready.
/// "confused": gives the master a wrong answer.
int fake_worker(worker::Heritage heritage) {
  const std::string& kind = heritage.config->services.at(0).name;
  if (kind == "dies") return 3;
  ScoreboardRow& row = heritage.scoreboard->rows[heritage.scoreboard_slot];
  beat(row);
  heritage.stats.add(stats::Counter::ConnectionsAccepted);
  heritage.stats.add(stats::Gauge::ConnectionsActive, 1);
  flight::Head head;
  head.path = "/in/flight";
  (void)heritage.flights.begin(head, 1);
  if (kind != "silent") {
    if (!heritage.control.send({ipc::Kind::Ready, 0, 0})) return 2;
  }
  for (;;) {
    pollfd control{heritage.control.fd(), POLLIN, 0};
    (void)poll(&control, 1, 100);
    beat(row);
    ipc::Message message;
    UniqueFd passed;
    switch (heritage.control.receive(message, &passed)) {
      case ipc::Channel::Receipt::Nothing:
        break;
      case ipc::Channel::Receipt::Closed:
        return 0;
      case ipc::Channel::Receipt::Message:
        if (message.kind == ipc::Kind::Probe) {
          constexpr std::string_view kGood = "HTTP/1.1 200 OK\r\n\r\n";
          constexpr std::string_view kBad = "HTTP/1.1 500 Oh\r\n\r\n";
          const std::string_view answer = kind == "confused" ? kBad : kGood;
          if (write(passed.get(), answer.data(), answer.size()) < 0) return 2;
        } else if (message.kind == ipc::Kind::Serve) {
          row.accepting.store(1);
          if (!heritage.control.send({ipc::Kind::Serving, 0, 0})) return 2;
        } else if (message.kind == ipc::Kind::Drain && kind != "stubborn") {
          return 0;
        }
    }
  }
}

LoadedConfig config_of(const std::string& kind, uint32_t workers, uint16_t port = 0) {
  config::Config config;
  config.port = port;
  config.workers = workers;
  config.shutdown_timeout = milliseconds(10'000);
  config.services.emplace_back().name = kind;
  config.methods = {kStandardMethods.begin(), kStandardMethods.end()};
  return {std::move(config), "hash of " + kind, ""};
}

LoadedResult bad_config() {
  std::vector<config::Diagnostic> diagnostics(2);
  diagnostics[0].message = "wrong";
  return diagnostics;
}

class FakeCompanion final : public Companion {
 public:
  Status prepare(const config::Config&) override {
    ++prepared;
    if (fails) return Error{"the admin port is taken", 0};
    return Ok{};
  }
  void commit() override { ++committed; }
  void roll_back() override { ++rolled_back; }

  bool fails = false;
  int prepared = 0;
  int committed = 0;
  int rolled_back = 0;
};

class SupervisorTest : public testing::Test {
 protected:
  SupervisorTest()
      : child_(std::make_unique<SignalEvent>(loop_, SIGCHLD, [] {})),
        spawner_(
            fake_worker, [this] { child_.reset(); }, nullptr) {}

  void start(LoadedConfig first, Limits limits = {}) {
    Supervisor::Setup setup;
    setup.load = [this](const std::string& file) {
      files_read_.push_back(file);
      LoadedResult next = std::exchange(next_, bad_config());
      if (next) next->config.file = file;
      return next;
    };
    setup.companion = &companion_;
    setup.on_serving = [this](const Generation&) { ++served_; };
    setup.limits = limits;
    supervisor_ = std::make_unique<Supervisor>(loop_, spawner_, std::move(setup));
    const Status started = supervisor_->start(std::move(first));
    ASSERT_TRUE(started.ok()) << started.error().message;
  }

  /// Turns the loop until `condition` holds, or the supervisor has stopped it.
  void await(const std::function<bool()>& condition) {
    const TimePoint too_late = Clock::now() + std::chrono::seconds(20);
    supervisor_->step();
    while (!condition() && !loop_.stopped()) {
      ASSERT_LT(Clock::now(), too_late) << "nothing came of it";
      event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
      supervisor_->step();
    }
  }
  void await_serving() {
    await([this] { return served_ > 0 && facts().workers_starting == 0; });
  }
  void reload(LoadedResult next) {
    next_ = std::move(next);
    supervisor_->note_reload();
  }
  void await_verdict(uint64_t verdicts = 1) {
    await([this, verdicts] { return facts().reloads_succeeded + facts().reloads_failed >= verdicts; });
  }
  int await_end() {
    await([] { return false; });
    return supervisor_->exit_code();
  }
  [[nodiscard]] MasterFacts facts() const { return supervisor_->facts(); }
  [[nodiscard]] std::set<pid_t> pids() const {
    const MasterFacts now = facts();
    return {now.workers.begin(), now.workers.end()};
  }
  [[nodiscard]] uint64_t exits(ExitReason reason) const {
    return facts().worker_exits.at(static_cast<size_t>(reason)).count;
  }
  [[nodiscard]] uint64_t accepted() const {
    const stats::Accumulator all = supervisor_->statistics();
    return all.totals()[stats::Counter::ConnectionsAccepted];
  }
  [[nodiscard]] int64_t active() const {
    const stats::Accumulator all = supervisor_->statistics();
    return all.totals()[stats::Gauge::ConnectionsActive];
  }

  EventLoop loop_;
  std::unique_ptr<SignalEvent> child_;
  Spawner spawner_;
  FakeCompanion companion_;
  LoadedResult next_ = bad_config();
  std::unique_ptr<Supervisor> supervisor_;
  int served_ = 0;
  std::vector<std::string> files_read_;
};

TEST_F(SupervisorTest, StartsTheWorkersAndSaysSoOnce) {
  start(config_of("good", 3));
  EXPECT_EQ(supervisor_->not_ready_reason(), "no worker is ready");
  await_serving();
  EXPECT_EQ(facts().workers_ready, 3U);
  EXPECT_EQ(facts().generation, 1U);
  EXPECT_EQ(facts().config_hash, "hash of good");
  EXPECT_EQ(supervisor_->not_ready_reason(), "");
  EXPECT_EQ(served_, 1);
}

TEST_F(SupervisorTest, ReplacesAKilledWorker) {
  start(config_of("good", 2));
  await_serving();
  const pid_t victim = *pids().begin();
  kill(victim, SIGKILL);
  await([&] { return facts().workers_ready == 2 && pids().count(victim) == 0; });
  EXPECT_EQ(exits(ExitReason::Killed), 1U);
  EXPECT_EQ(facts().worker_restarts, 1U);
  ASSERT_EQ(supervisor_->crashes().latest().size(), 1U);
  const Crash& crash = supervisor_->crashes().latest().front();
  EXPECT_EQ(crash.worker.pid, victim);
  EXPECT_EQ(crash.obituary.signal, SIGKILL);
  EXPECT_EQ(crash.losses.connections, 1U);
  ASSERT_EQ(crash.losses.requests.size(), 1U) << "of the one that died, not of the others";
  EXPECT_EQ(crash.losses.requests[0].target, "/in/flight");
}

TEST_F(SupervisorTest, ReloadReplacesEveryWorkerAndLosesNoCount) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> before = pids();
  reload(config_of("good", 2));
  await_verdict();
  await([this] { return pids().size() == 2; });
  EXPECT_EQ(facts().reloads_succeeded, 1U);
  EXPECT_TRUE(facts().last_reload_successful);
  EXPECT_EQ(facts().generation, 2U);
  EXPECT_EQ(facts().worker_restarts, 0U);
  for (const pid_t pid : pids()) EXPECT_EQ(before.count(pid), 0U);
  EXPECT_EQ(exits(ExitReason::Drained), 2U);
  EXPECT_EQ(accepted(), 4U) << "of the two that live and the two that are gone";
  EXPECT_EQ(active(), 2) << "gauges are of the living only";
  EXPECT_EQ(companion_.prepared, 1);
  EXPECT_EQ(companion_.committed, 1);
  EXPECT_EQ(served_, 1);
}

TEST_F(SupervisorTest, AReloadDuringARollIsNotLost) {
  start(config_of("good", 2));
  await_serving();
  reload(config_of("good", 4));
  await([this] { return companion_.prepared == 1; });
  reload(config_of("good", 5));
  await([] { return true; });
  reload(config_of("good", 3));
  await([this] { return facts().reloads_succeeded >= 2 && pids().size() == 3; });
  EXPECT_EQ(facts().workers_ready, 3U) << "the latest wins";
}

TEST_F(SupervisorTest, ABadConfigurationChangesNothing) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> before = pids();
  reload(bad_config());
  await_verdict();
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_FALSE(facts().last_reload_successful);
  EXPECT_EQ(pids(), before);
  reload(config_of("good", 2));
  await_verdict(2);
  EXPECT_TRUE(facts().last_reload_successful) << "and does not stand in the way of the next";
}

TEST_F(SupervisorTest, EachRequestGetsItsVerdict) {
  start(config_of("good", 2));
  await_serving();
  std::vector<std::string> heard;
  const auto ask = [&](LoadedResult next, const std::string& file = "") {
    next_ = std::move(next);
    return supervisor_->request_reload(file, [&heard](const Verdict& verdict) {
      heard.push_back(verdict.reason.empty() ? "generation " + std::to_string(verdict.generation) : verdict.reason);
    });
  };
  ask(bad_config());
  await([&] { return heard.size() == 1; });
  EXPECT_EQ(heard.back(), "the configuration has 2 errors");
  ASSERT_TRUE(supervisor_->last_report());
  EXPECT_EQ(supervisor_->last_report()->verdict.diagnostics.size(), 2U) << "for those who ask later";

  ask(config_of("dies", 2));
  await([&] { return heard.size() == 2; });
  EXPECT_THAT(heard.back(), testing::HasSubstr("exited with code 3"));
  EXPECT_EQ(supervisor_->last_report()->verdict.kind, Verdict::Kind::Aborted);

  companion_.fails = true;
  ask(config_of("good", 2));
  await([&] { return heard.size() == 3; });
  EXPECT_EQ(heard.back(), "the admin port is taken");
  companion_.fails = false;

  ask(config_of("good", 2));
  await([&] { return heard.size() == 4; });
  EXPECT_EQ(heard.back(), "generation 3");

  ask(config_of("good", 2));
  supervisor_->note_shutdown();
  await([&] { return heard.size() == 5; });
  EXPECT_EQ(heard.back(), "the gateway is stopping");
}

TEST_F(SupervisorTest, ARequestDuringARollGetsTheVerdictOfTheNext) {
  start(config_of("good", 2));
  await_serving();
  std::vector<std::pair<int, uint64_t>> heard;
  const auto ask = [&](int who) {
    next_ = config_of("good", 2);
    supervisor_->request_reload("", [&heard, who](const Verdict& v) { heard.emplace_back(who, v.generation); });
  };
  ask(1);
  await([this] { return companion_.prepared == 1; });
  ask(2);
  await([] { return true; });
  ask(3);
  await([&] { return heard.size() == 3; });
  EXPECT_EQ(heard, (std::vector<std::pair<int, uint64_t>>{{1, 2}, {2, 3}, {3, 3}})) << "two and three are one roll";
}

TEST_F(SupervisorTest, ReadsTheFileThatItIsToldToUse) {
  LoadedConfig first = config_of("good", 1);
  first.config.file = "a.yaml";
  start(std::move(first));
  await_serving();
  const auto ask = [this](const std::string& file, LoadedResult next) {
    next_ = std::move(next);
    const uint64_t before = facts().reloads_succeeded + facts().reloads_failed;
    supervisor_->request_reload(file, {});
    await_verdict(before + 1);
    return std::exchange(files_read_, {});
  };
  using Files = std::vector<std::string>;
  EXPECT_EQ(ask("", config_of("good", 1)), Files{"a.yaml"});
  EXPECT_EQ(ask("b.yaml", bad_config()), Files{"b.yaml"});
  EXPECT_EQ(ask("b.yaml", config_of("dies", 1)), Files{"b.yaml"});
  EXPECT_EQ(ask("", config_of("good", 1)), Files{"a.yaml"}) << "what was not taken into service is not kept";
  EXPECT_EQ(ask("b.yaml", config_of("good", 1)), Files{"b.yaml"});
  EXPECT_EQ(ask("", config_of("good", 1)), Files{"b.yaml"}) << "and so is a plain SIGHUP";
  EXPECT_EQ(supervisor_->config_file(), "b.yaml");

  // Several at once: one reading a file.
  for (const char* file : {"", "b.yaml", "c.yaml"}) supervisor_->request_reload(file, {});
  await([this] { return files_read_.size() >= 2; });
  EXPECT_EQ(files_read_, (Files{"b.yaml", "c.yaml"}));
}

TEST_F(SupervisorTest, GoesOnServingUntilThePreDrainDelayIsOver) {
  LoadedConfig config = config_of("good", 2);
  config.config.pre_drain_delay = milliseconds(400);
  start(std::move(config));
  await_serving();
  const TimePoint before = Clock::now();
  supervisor_->note_shutdown();
  await([] { return true; });
  EXPECT_EQ(supervisor_->not_ready_reason(), "shutting down");
  EXPECT_EQ(facts().workers_ready, 2U);
  const pid_t victim = *pids().begin();
  kill(victim, SIGKILL);
  await([&] { return facts().workers_ready == 2 && pids().count(victim) == 0; });
  EXPECT_EQ(await_end(), 0) << "who was replaced in time lost no work of the end";
  EXPECT_GE(Clock::now() - before, milliseconds(400));
}

TEST_F(SupervisorTest, ASecondSignalCutsThePreDrainDelayShortAndAThirdTheDrain) {
  LoadedConfig config = config_of("stubborn", 1);
  config.config.pre_drain_delay = std::chrono::hours(1);
  Limits limits;
  limits.force_grace = milliseconds(20);
  start(std::move(config), limits);
  await_serving();
  supervisor_->note_shutdown();
  await([] { return true; });
  EXPECT_EQ(facts().workers_ready, 1U);
  supervisor_->note_shutdown();
  await([] { return true; });
  EXPECT_EQ(facts().workers_draining, 1U);
  supervisor_->note_shutdown();
  EXPECT_EQ(await_end(), 1);
}

TEST_F(SupervisorTest, AnOldWorkerMayDrainForAsLongAsItsOwnConfigurationSays) {
  LoadedConfig config = config_of("stubborn", 1);
  config.config.stream_drain_timeout = milliseconds(300);
  Limits limits;
  limits.cut_short = milliseconds(20);
  limits.force_grace = milliseconds(20);
  start(std::move(config), limits);
  await_serving();
  const TimePoint before = Clock::now();
  reload(config_of("good", 1));
  await_verdict();
  EXPECT_EQ(facts().workers_draining, 1U);
  await([this] { return facts().workers_draining == 0 && pids().size() == 1; });
  EXPECT_GE(Clock::now() - before, milliseconds(300));
  EXPECT_EQ(exits(ExitReason::DrainOverdue), 1U);
}

TEST_F(SupervisorTest, AGenerationThatAnswersWrongIsDiscardedBeforeItServes) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> before = pids();
  reload(config_of("confused", 2));
  await_verdict();
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_EQ(facts().generation, 1U);
  await([&] { return pids() == before; });
  EXPECT_EQ(exits(ExitReason::NeverReady), 1U) << "one canary";
}

TEST_F(SupervisorTest, AGenerationThatDiesIsDiscarded) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> before = pids();
  reload(config_of("dies", 2));
  await_verdict();
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_EQ(facts().generation, 1U);
  EXPECT_EQ(pids(), before) << "nobody was drained";
  EXPECT_EQ(exits(ExitReason::Failed), 1U) << "one canary";
  EXPECT_EQ(companion_.rolled_back, 1);
  EXPECT_EQ(companion_.committed, 0);
}

TEST_F(SupervisorTest, TheLatestConfigurationHasAnotherMarkWheneverItIsAnother) {
  start(config_of("good", 1));
  await_serving();
  std::vector<std::pair<std::string, Supervisor::Mark>> seen{{supervisor_->latest_hash(), supervisor_->latest_mark()}};
  const auto verdicts = [&](uint64_t count) {
    if (supervisor_->latest_hash() != seen.back().first) {
      EXPECT_NE(supervisor_->latest_mark(), seen.back().second);
      seen.emplace_back(supervisor_->latest_hash(), supervisor_->latest_mark());
    }
    return facts().reloads_succeeded + facts().reloads_failed >= count;
  };
  reload(config_of("dies", 1));
  await([&] { return verdicts(1); });
  ASSERT_EQ(seen.size(), 3U) << "tried, and given up";
  const Supervisor::Mark rest = supervisor_->latest_mark();
  supervisor_->step();
  EXPECT_EQ(supervisor_->latest_mark(), rest);
  reload(config_of("stubborn", 1));
  await([&] { return verdicts(2); });
  EXPECT_EQ(seen.size(), 4U);
}

TEST_F(SupervisorTest, AGenerationThatIsNeverReadyIsDiscarded) {
  Limits limits;
  limits.start = milliseconds(1'000);
  start(config_of("good", 2), limits);
  await_serving();
  const std::set<pid_t> before = pids();
  reload(config_of("silent", 2));
  await_verdict();
  await([&] { return pids() == before; });
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_EQ(exits(ExitReason::NeverReady), 1U);
}

TEST_F(SupervisorTest, APortThatIsTakenFailsTheReload) {
  start(config_of("good", 1));
  await_serving();
  const auto other = ListenerSet::open(0, 1);
  ASSERT_TRUE(other.ok());
  const std::set<pid_t> before = pids();
  reload(config_of("good", 1, other->port()));
  await_verdict();
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_EQ(companion_.prepared, 0);
  EXPECT_EQ(pids(), before);
}

TEST_F(SupervisorTest, ACompanionThatFailsFailsTheReload) {
  start(config_of("good", 1));
  await_serving();
  companion_.fails = true;
  const std::set<pid_t> before = pids();
  reload(config_of("good", 1));
  await_verdict();
  EXPECT_EQ(facts().reloads_failed, 1U);
  EXPECT_EQ(pids(), before);
}

TEST_F(SupervisorTest, AHungWorkerIsEndedAndReplaced) {
  Limits limits;
  limits.hang = milliseconds(1'500);
  limits.abort_to_kill = milliseconds(50);
  start(config_of("good", 2), limits);
  await_serving();
  const pid_t victim = *pids().begin();
  kill(victim, SIGSTOP);
  await([&] { return pids().count(victim) == 0 && facts().workers_ready == 2; });
  EXPECT_EQ(exits(ExitReason::Hung), 1U);
}

TEST_F(SupervisorTest, ShutsDownWhenAllHaveDrained) {
  start(config_of("good", 2));
  await_serving();
  supervisor_->note_shutdown();
  EXPECT_EQ(supervisor_->not_ready_reason(), "shutting down");
  EXPECT_EQ(await_end(), 0);
  EXPECT_TRUE(pids().empty());
  EXPECT_EQ(accepted(), 2U);
}

TEST_F(SupervisorTest, ASecondSignalDoesNotWait) {
  Limits limits;
  limits.force_grace = milliseconds(20);
  start(config_of("stubborn", 2), limits);
  await_serving();
  supervisor_->note_shutdown();
  await([] { return true; });
  EXPECT_EQ(facts().workers_draining, 2U);
  supervisor_->note_shutdown();
  EXPECT_EQ(await_end(), 1);
  EXPECT_EQ(exits(ExitReason::DrainOverdue), 2U);
}

TEST_F(SupervisorTest, GivesUpWhenNobodyGetsReady) {
  start(config_of("dies", 2));
  EXPECT_EQ(await_end(), 1);
  EXPECT_EQ(served_, 0);
}

/// What another program would find after an exec: the same, with descriptors of its own.
UpgradeState inherited(UpgradeState state) {
  const auto copy = [](int& fd) { fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); };
  copy(state.scoreboard);
  for (UpgradeState::Listeners& set : state.listeners)
    for (UpgradeState::Slot& slot : set.slots) copy(slot.fd);
  for (UpgradeState::Mailbox& box : state.mailboxes) {
    copy(box.in);
    copy(box.out);
  }
  for (UpgradeState::Worker& worker : state.workers) {
    copy(worker.control);
    copy(worker.statistics);
    copy(worker.flights);
  }
  return std::move(UpgradeState::parse(state.serialize())).value();
}

class SupervisorUpgradeTest : public SupervisorTest {
 protected:
  /// Puts another supervisor in the place of the one there is, which is looked at no more.
  void upgrade(LoadedResult next) {
    EXPECT_TRUE(supervisor_->settled());
    UpgradeState state;
    supervisor_->save(state);
    state = inherited(std::move(state));
    const Limits limits;
    Supervisor::Setup setup;
    setup.load = [this](const std::string&) { return std::exchange(next_, bad_config()); };
    setup.companion = &companion_;
    setup.limits = limits;
    before_ = std::move(supervisor_);
    supervisor_ = std::make_unique<Supervisor>(loop_, spawner_, std::move(setup));
    const Status resumed = supervisor_->resume(state, config_of("good", 2), std::move(next));
    ASSERT_TRUE(resumed.ok()) << resumed.error().message;
  }

  std::unique_ptr<Supervisor> before_;
};

TEST_F(SupervisorUpgradeTest, RollsTheWorkersOfTheOldProgramAndKeepsTheirCounts) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> workers = pids();
  const uint16_t port = supervisor_->listeners()[0]->port();
  upgrade(config_of("good", 3));
  EXPECT_EQ(supervisor_->not_ready_reason(), "") << "it serves from its first moment";
  EXPECT_EQ(pids(), workers);
  EXPECT_EQ(accepted(), 2U);
  await([this] { return facts().upgrades_succeeded == 1 && pids().size() == 3; });
  for (const pid_t pid : pids()) EXPECT_EQ(workers.count(pid), 0U);
  EXPECT_EQ(facts().generation, 2U);
  EXPECT_EQ(facts().reloads_succeeded, 0U);
  EXPECT_EQ(exits(ExitReason::Drained), 2U);
  EXPECT_EQ(accepted(), 5U);
  EXPECT_EQ(active(), 3);
  EXPECT_EQ(supervisor_->listeners()[0]->port(), port);
  EXPECT_EQ(served_, 1) << "of the first program";
}

TEST_F(SupervisorUpgradeTest, NewWorkersThatDieLeaveTheOldOnesServing) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> workers = pids();
  upgrade(config_of("dies", 2));
  await([this] { return facts().upgrades_failed == 1; });
  EXPECT_EQ(pids(), workers);
  EXPECT_EQ(facts().generation, 1U);
  EXPECT_EQ(supervisor_->not_ready_reason(), "");
  // One that dies later is replaced, as ever.
  kill(*workers.begin(), SIGKILL);
  await([&] { return facts().workers_ready == 2 && pids().count(*workers.begin()) == 0; });
  EXPECT_EQ(exits(ExitReason::Killed), 1U);
}

TEST_F(SupervisorUpgradeTest, ABadConfigurationLeavesTheOldOnesServing) {
  start(config_of("good", 2));
  await_serving();
  const std::set<pid_t> workers = pids();
  upgrade(bad_config());
  await([] { return true; });
  EXPECT_EQ(facts().upgrades_failed, 1U);
  EXPECT_EQ(pids(), workers);
  reload(config_of("good", 2));
  await_verdict();
  EXPECT_EQ(facts().reloads_succeeded, 1U);
}

TEST_F(SupervisorUpgradeTest, AReloadThatCameInBetweenIsDone) {
  start(config_of("good", 2));
  await_serving();
  next_ = config_of("good", 1);
  supervisor_->hold_reloads(true);
  supervisor_->note_reload();
  await([] { return true; });
  EXPECT_EQ(facts().generation, 1U) << "held";
  upgrade(config_of("good", 2));
  await([this] { return pids().size() == 1 && facts().workers_ready == 1; });
}

TEST_F(SupervisorUpgradeTest, AFlightRecorderOfAnotherLayoutIsDoneWithout) {
  start(config_of("good", 1));
  await_serving();
  UpgradeState state;
  supervisor_->save(state);
  state = inherited(std::move(state));
  close(state.workers[0].flights);
  state.workers[0].flights = fcntl(state.mailboxes[0].in, F_DUPFD_CLOEXEC, 3);
  Supervisor other(loop_, spawner_, Supervisor::Setup{});
  EXPECT_TRUE(other.resume(state, config_of("good", 1), config_of("good", 1)).ok());
  UpgradeState next;
  other.save(next);
  EXPECT_EQ(next.workers.at(0).flights, -1);
}

TEST_F(SupervisorTest, ARefusedUpgradeIsTheStatusUntilAnotherOneBegins) {
  start(config_of("good", 2));
  await_serving();
  const std::string serving = supervisor_->service_state().status;
  EXPECT_THAT(serving, testing::StartsWith("serving on port"));
  for (const std::string number : {"1", "2"}) {
    supervisor_->note_failed_upgrade("some reason");
    EXPECT_EQ(supervisor_->service_state().status,
              "upgrade refused: some reason; generation 1 serves on; upgrades failed: " + number);
    supervisor_->note_upgrade_begun();
    EXPECT_EQ(supervisor_->service_state().status, serving);
  }
}

TEST_F(SupervisorUpgradeTest, RefusesDescriptorsThatAreNotWhatTheyShouldBe) {
  start(config_of("good", 1));
  await_serving();
  UpgradeState state;
  supervisor_->save(state);
  const std::vector<std::function<void(UpgradeState&)>> damages = {
      [](UpgradeState& s) { std::swap(s.workers[0].control, s.workers[0].statistics); },
      [](UpgradeState& s) { std::swap(s.workers[0].control, s.listeners[0].slots[0].fd); },
      [](UpgradeState& s) { std::swap(s.scoreboard, s.workers[0].statistics); },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    UpgradeState damaged = inherited(state);
    damages[i](damaged);
    Supervisor other(loop_, spawner_, Supervisor::Setup{});
    EXPECT_FALSE(other.resume(damaged, config_of("good", 1), config_of("good", 1)).ok()) << i;
  }
}

TEST_F(SupervisorTest, ATakenPortIsASentence) {
  const auto other = ListenerSet::open(0, 1);
  ASSERT_TRUE(other.ok());
  supervisor_ = std::make_unique<Supervisor>(loop_, spawner_, Supervisor::Setup{});
  const Status started = supervisor_->start(config_of("good", 1, other->port()));
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message, testing::HasSubstr("is in use"));
}

}  // namespace
}  // namespace restgate::master
