#include "master/obituary.h"

#include <sys/wait.h>

#include <csignal>
#include <cstring>

namespace restgate::master {
namespace {

constexpr std::array<std::string_view, kExitReasonCount> kNames = {"drained", "cut",  "failed",      "crashed",
                                                                   "killed",  "hung", "never_ready", "drain_overdue"};

ExitReason reason_of(action::KillCause cause) {
  switch (cause) {
    case action::KillCause::NeverReady:
      return ExitReason::NeverReady;
    case action::KillCause::DrainOverdue:
      return ExitReason::DrainOverdue;
    case action::KillCause::Hung:
    case action::KillCause::AbortIgnored:
      return ExitReason::Hung;
  }
  return ExitReason::Hung;
}

ExitReason reason_of_signal(int signo) {
  switch (signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGABRT:
    case SIGTRAP:
    case SIGSYS:
      return ExitReason::Crashed;
    default:
      return ExitReason::Killed;
  }
}

}  // namespace

std::string_view to_string(ExitReason reason) {
  return kNames[static_cast<size_t>(reason)];
}

Obituary explain(int status, const WorkerView& last, std::optional<action::KillCause> killed) {
  Obituary obituary;
  if (WIFSIGNALED(status)) {
    obituary.signal = WTERMSIG(status);
    obituary.core = WCOREDUMP(status) != 0;
    obituary.reason = killed ? reason_of(*killed) : reason_of_signal(obituary.signal);
    return obituary;
  }
  obituary.exit_code = WEXITSTATUS(status);
  if (obituary.exit_code == 0)
    obituary.reason = ExitReason::Drained;
  else
    obituary.reason = last.state == WorkerState::Draining ? ExitReason::Cut : ExitReason::Failed;
  return obituary;
}

bool own_fault(ExitReason reason) {
  switch (reason) {
    case ExitReason::Failed:
    case ExitReason::Crashed:
    case ExitReason::Hung:
    case ExitReason::NeverReady:
      return true;
    case ExitReason::Drained:
    case ExitReason::Cut:
    case ExitReason::Killed:
    case ExitReason::DrainOverdue:
    case ExitReason::kCount:
      return false;
  }
  return false;
}

std::string signal_name(int signo) {
  const char* name = sigabbrev_np(signo);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signo);
}

}  // namespace restgate::master
