// What the operating system says about the gateway's processes, master and workers summed. Master; reads /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

namespace restgate::master {

struct ProcessTotals {
  double cpu_seconds = 0;  ///< of master, live workers and all workers ever reaped: never goes back
  uint64_t resident_bytes = 0;
  uint64_t open_fds = 0;
  uint64_t max_fds = 0;           ///< of one process
  double start_time_seconds = 0;  ///< of the master; Unix time
};

/// What one process of ours takes.
struct ProcessUsage {
  double cpu_seconds = 0;
  uint64_t resident_bytes = 0;
};
/// Nothing: it is gone.
[[nodiscard]] std::optional<ProcessUsage> read_process_usage(pid_t pid);

/// `workers`: the live ones; one that has just gone counts for nothing. Call in the process that reaps them.
[[nodiscard]] ProcessTotals read_process_totals(std::span<const pid_t> workers);

}  // namespace restgate::master
