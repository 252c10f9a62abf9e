// How many CPUs this process may use: its affinity mask, and the CPU quota of its control groups. Master.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace restgate::platform {

/// The CPUs of the affinity mask, or fewer where a cgroup quota (v1 or v2, any level) allows less; part of a CPU counts
/// as one. At least 1.
[[nodiscard]] unsigned available_cpus();

// ---- the parts of it, for tests ----

/// Gives a file's contents, or nothing when it cannot be read.
using FileReader = std::function<std::optional<std::string>(const std::string& path)>;

/// The smallest quota, in CPUs, on the way from this process's cgroup up to the root that it can see; nothing: no
/// limit. Reads /proc/self/cgroup, /proc/self/mountinfo and the cpu.max or cpu.cfs_* files that these lead to.
[[nodiscard]] std::optional<double> cgroup_cpu_quota(const FileReader& read);

/// What an affinity mask of `affinity` CPUs and a quota come to.
[[nodiscard]] unsigned cpus_within(unsigned affinity, std::optional<double> quota);

}  // namespace restgate::platform
