// Obituary: why a worker process ended, told from its wait status and what the master had done to it. Pure; master.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "master/reconcile.h"

namespace restgate::master {

/// Label `reason` of restgate_worker_exits_total, in this order: to_string().
enum class ExitReason : uint8_t {
  Drained,       ///< was told to go, or was sent SIGTERM itself, and finished
  Cut,           ///< its drain's time was up before its work was done
  Failed,        ///< exited with an error code
  Crashed,       ///< a fault: SIGSEGV, SIGABRT and the like
  Killed,        ///< SIGKILL or another deadly signal from outside; the kernel when memory is short
  Hung,          ///< no heartbeat: the master ended it
  NeverReady,    ///< not ready in time: the master ended it
  DrainOverdue,  ///< did not end when its drain's time was up: the master ended it
  kCount
};
inline constexpr size_t kExitReasonCount = static_cast<size_t>(ExitReason::kCount);

/// "drained", "cut", … "drain_overdue".
[[nodiscard]] std::string_view to_string(ExitReason reason);

struct Obituary {
  ExitReason reason = ExitReason::Drained;
  int exit_code = 0;  ///< valid if `signal` is 0
  int signal = 0;     ///< 0: it exited
  bool core = false;  ///< the kernel wrote a core
};

/// `status` as waitpid() gives it; `last`: the worker as it was known; `killed`: why the master sent it a signal, if it
/// did.
[[nodiscard]] Obituary explain(int status, const WorkerView& last, std::optional<action::KillCause> killed);

/// Whether the worker itself is at fault, rather than its time being up or someone outside.
[[nodiscard]] bool own_fault(ExitReason reason);

/// "SIGSEGV"; "signal 64" for one without a name.
[[nodiscard]] std::string signal_name(int signo);

}  // namespace restgate::master
