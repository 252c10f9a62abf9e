#include "master/upgrade_check.h"

#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class UpgradeCheckTest : public testing::Test {
 protected:
  UpgradeCheckTest() : child_(loop_, SIGCHLD, [] {}) {}

  /// What comes of a program that is this shell script; "$1" is the number of the inherited descriptor.
  UpgradeCheck::Verdict verdict_on(const std::string& script, milliseconds limit = milliseconds(20'000)) {
    UpgradeCheck check(loop_, limit);
    const std::string state = std::to_string(STDIN_FILENO);
    const Status started = check.start({"/bin/sh", {"sh", "-c", script, "sh", state}, {{"EXTRA", "given"}}}, 0);
    EXPECT_TRUE(started.ok());
    return await(check);
  }
  UpgradeCheck::Verdict await(UpgradeCheck& check) {
    while (!check.verdict()) {
      event_base_loop(loop_.base(), EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
      int status = 0;
      for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) check.on_exit(pid, status);
    }
    return *check.verdict();
  }

  EventLoop loop_;
  SignalEvent child_;
};

const std::string kAgree = "echo '" + std::string(kUpgradeAgreement) + "'";

TEST_F(UpgradeCheckTest, PassesWhoAgreesAndSucceeds) {
  const UpgradeCheck::Verdict verdict = verdict_on("echo fine; " + kAgree);
  EXPECT_TRUE(verdict.passed()) << verdict.reason;
  EXPECT_THAT(verdict.output, ElementsAre("fine", std::string(kUpgradeAgreement)));
}

TEST_F(UpgradeCheckTest, FailsEverybodyElse) {
  using Outcome = UpgradeCheck::Outcome;
  struct Row {
    std::string script;
    Outcome outcome;
    std::string reason;
  };
  const std::string deny = "echo '" + std::string(kUpgradeDenial) + "'";
  const std::vector<Row> rows = {
      {"true", Outcome::CannotTakeOver, "does not say"},
      {"echo 'no " + std::string(kUpgradeAgreement) + "'", Outcome::CannotTakeOver, "does not say"},
      {deny + "; exit 1", Outcome::CannotTakeOver, "it says so"},
      {deny, Outcome::CannotTakeOver, "does not say"},
      {"exit 1", Outcome::ConfigurationRefused, "exited with code 1"},
      {kAgree + "; exit 1", Outcome::ConfigurationRefused, "exited with code 1"},
      {"echo 'no " + std::string(kUpgradeDenial) + "'; exit 1", Outcome::ConfigurationRefused, "exited with code 1"},
      {kAgree + "; exit 3", Outcome::NoAnswer, "exited with code 3"},
      {deny + "; exit 3", Outcome::NoAnswer, "exited with code 3"},
      {deny + "; kill -9 $$", Outcome::NoAnswer, "SIGKILL"},
  };
  for (const Row& row : rows) {
    const UpgradeCheck::Verdict verdict = verdict_on(row.script);
    EXPECT_FALSE(verdict.passed()) << row.script;
    EXPECT_EQ(verdict.outcome, row.outcome) << row.script;
    EXPECT_THAT(verdict.reason, HasSubstr(row.reason)) << row.script;
  }
}

TEST_F(UpgradeCheckTest, EndsWhatHangsWithAllThatItHasStarted) {
  // The grandchild holds the pipe; if it lived on, reading it to its end would never end.
  const UpgradeCheck::Verdict verdict = verdict_on("sleep 1000 & echo $!; sleep 1000", milliseconds(200));
  EXPECT_EQ(verdict.outcome, UpgradeCheck::Outcome::NoAnswer);
  EXPECT_THAT(verdict.reason, HasSubstr("did not end within 200 ms"));
  ASSERT_EQ(verdict.output.size(), 1U);
  const pid_t grandchild = std::stoi(verdict.output[0]);
  while (kill(grandchild, 0) == 0) {  // until init, or whoever adopts it, has reaped it
    char state = 0;
    std::FILE* stat = std::fopen(("/proc/" + std::to_string(grandchild) + "/stat").c_str(), "r");
    if (stat == nullptr || std::fscanf(stat, "%*d %*s %c", &state) != 1 || state == 'Z') state = 'Z';
    if (stat != nullptr) std::fclose(stat);
    if (state == 'Z') break;
  }
}

TEST_F(UpgradeCheckTest, AProgramThatIsNotThereIsNamed) {
  UpgradeCheck check(loop_, milliseconds(20'000));
  ASSERT_TRUE(check.start({"/nonexistent/restgate", {"restgate"}, {}}, STDIN_FILENO).ok());
  const UpgradeCheck::Verdict verdict = await(check);
  EXPECT_EQ(verdict.outcome, UpgradeCheck::Outcome::NoAnswer);
  EXPECT_THAT(verdict.reason, HasSubstr("127"));
  ASSERT_EQ(verdict.output.size(), 1U);
  EXPECT_THAT(verdict.output[0], HasSubstr("/nonexistent/restgate"));
}

TEST_F(UpgradeCheckTest, KeepsTheFirstLinesOfAFlood) {
  const UpgradeCheck::Verdict verdict = verdict_on("i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done");
  EXPECT_FALSE(verdict.passed());
  ASSERT_EQ(verdict.output.size(), 20U);
  EXPECT_EQ(verdict.output[0], "line 0");
}

TEST_F(UpgradeCheckTest, StartsCleanWithTheStateAndNothingElse) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // inherited by everything, if nobody cares
  UpgradeCheck check(loop_, milliseconds(20'000));
  const UniqueFd state(dup(STDIN_FILENO));
  const std::string script = "test -e /proc/self/fd/" + std::to_string(state.get()) + " && test ! -e /proc/self/fd/" +
                             std::to_string(ends[0]) + " && test \"$EXTRA\" = given && " +
                             "grep -q 'SigBlk:.0000000000000000' /proc/self/status && " + kAgree;
  ASSERT_TRUE(check.start({"/bin/sh", {"sh", "-c", script}, {{"EXTRA", "given"}}}, state.get()).ok());
  const UpgradeCheck::Verdict verdict = await(check);
  EXPECT_TRUE(verdict.passed()) << verdict.reason << testing::PrintToString(verdict.output);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(UpgradeCheckTest, OthersEndsAreOthers) {
  UpgradeCheck check(loop_, milliseconds(20'000));
  EXPECT_FALSE(check.on_exit(getpid(), 0));
  ASSERT_TRUE(check.start({"/bin/sh", {"sh", "-c", kAgree}, {}}, STDIN_FILENO).ok());
  EXPECT_FALSE(check.on_exit(getpid(), 0));
  EXPECT_FALSE(check.verdict());
  EXPECT_TRUE(await(check).passed());
}

TEST(UpgradeCheckAnswer, IsYesOnlyToAStateThatItCanRead) {
  EXPECT_EQ(answer_upgrade_check(-1), 1);
}

}  // namespace
}  // namespace restgate::master
