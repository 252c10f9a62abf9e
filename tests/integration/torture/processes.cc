#include "integration/torture/processes.h"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "integration/support/deadline.h"
#include "integration/support/process.h"

namespace restgate::itest::torture {

std::vector<ProcessState> processes_of_group(pid_t group) {
  std::vector<ProcessState> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    std::ifstream file("/proc/" + name + "/stat");
    std::string line;
    std::getline(file, line);
    const size_t name_end = line.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream rest(line.substr(name_end + 1));
    char state = '?';
    pid_t parent = 0;
    pid_t its_group = 0;
    rest >> state >> parent >> its_group;
    if (its_group == group && state != 'X') found.push_back({pid, state});
  }
  return found;
}

std::string show(const std::vector<ProcessState>& processes) {
  std::string text;
  for (const ProcessState& process : processes) text += " " + std::to_string(process.pid) + process.state;
  return text;
}

Footprint footprint(pid_t pid) {
  return {descriptors(pid), anonymous_memory(pid)};
}

ino_t inode_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) throw Failure(path + ": " + std::strerror(errno));
  return facts.st_ino;
}

ino_t executed_inode(pid_t pid) {
  return inode_of("/proc/" + std::to_string(pid) + "/exe");
}

}  // namespace restgate::itest::torture
