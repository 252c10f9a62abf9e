#include "master/obituary.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

namespace restgate::master {
namespace {

using action::KillCause;
using State = WorkerState;

constexpr int exited(int code) {
  return code << 8;
}
constexpr int signalled(int signo, bool core = false) {
  return signo | (core ? 0x80 : 0);
}

struct Row {
  int status;
  State state;
  std::optional<KillCause> killed;
  ExitReason reason;
  bool own_fault;
};

TEST(Obituary, NamesTheReason) {
  const std::vector<Row> rows = {
      {exited(0), State::Draining, {}, ExitReason::Drained, false},
      {exited(0), State::Ready, {}, ExitReason::Drained, false},
      {exited(1), State::Draining, {}, ExitReason::Cut, false},
      {exited(1), State::Ready, {}, ExitReason::Failed, true},
      {exited(1), State::Starting, {}, ExitReason::Failed, true},
      {signalled(SIGSEGV, true), State::Ready, {}, ExitReason::Crashed, true},
      {signalled(SIGABRT), State::Starting, {}, ExitReason::Crashed, true},
      {signalled(SIGBUS), State::Draining, {}, ExitReason::Crashed, true},
      {signalled(SIGSYS), State::Ready, {}, ExitReason::Crashed, true},
      {signalled(SIGKILL), State::Ready, {}, ExitReason::Killed, false},
      {signalled(SIGTERM), State::Starting, {}, ExitReason::Killed, false},
      {signalled(SIGKILL), State::Killed, KillCause::NeverReady, ExitReason::NeverReady, true},
      {signalled(SIGABRT), State::Killed, KillCause::Hung, ExitReason::Hung, true},
      {signalled(SIGKILL), State::Killed, KillCause::AbortIgnored, ExitReason::Hung, true},
      {signalled(SIGKILL), State::Killed, KillCause::DrainOverdue, ExitReason::DrainOverdue, false},
      {exited(0), State::Killed, KillCause::DrainOverdue, ExitReason::Drained, false},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    WorkerView last;
    last.state = rows[i].state;
    const Obituary obituary = explain(rows[i].status, last, rows[i].killed);
    EXPECT_EQ(to_string(obituary.reason), to_string(rows[i].reason)) << "row " << i;
    EXPECT_EQ(own_fault(obituary.reason), rows[i].own_fault) << "row " << i;
  }
}

TEST(Obituary, KeepsTheFacts) {
  const Obituary crash = explain(signalled(SIGSEGV, true), {}, {});
  EXPECT_EQ(crash.signal, SIGSEGV);
  EXPECT_TRUE(crash.core);
  EXPECT_EQ(explain(exited(7), {}, {}).exit_code, 7);
  EXPECT_EQ(signal_name(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(signal_name(64), "signal 64");
}

}  // namespace
}  // namespace restgate::master
