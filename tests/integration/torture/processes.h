// Processes: what /proc tells about the gateway's processes. Test process.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace restgate::itest::torture {

struct ProcessState {
  pid_t pid = 0;
  char state = '?';  ///< as in /proc/PID/stat; 'Z' is a zombie
};

/// All processes of a process group.
std::vector<ProcessState> processes_of_group(pid_t group);
std::string show(const std::vector<ProcessState>& processes);

/// What a process holds.
struct Footprint {
  size_t descriptors = 0;
  size_t memory = 0;  ///< resident and anonymous, in bytes
};
Footprint footprint(pid_t pid);

/// The inode of the file that the process executes.
ino_t executed_inode(pid_t pid);
ino_t inode_of(const std::string& path);

}  // namespace restgate::itest::torture
