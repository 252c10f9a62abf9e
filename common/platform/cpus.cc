#include "common/platform/cpus.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>
#include <vector>

namespace restgate::platform {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool lists(const std::string& comma_separated, std::string_view wanted) {
  const auto parts = split(comma_separated, ',');
  return std::find(parts.begin(), parts.end(), wanted) != parts.end();
}

/// A mounted cgroup hierarchy that can limit CPU time, and where in it this process is.
struct Hierarchy {
  bool v2 = false;
  std::string mount_point;
  std::string mount_root;  // the group that is visible at the mount point
  std::string group;       // this process's, relative to the mount point: "" or "/a/b"
};

/// A line of /proc/self/mountinfo: id parent major:minor root mount-point options [tags] - type source super-options.
std::optional<Hierarchy> parse_mount(const std::string& line) {
  const auto fields = split(line, ' ');
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
  const std::string& type = dash[1];
  const bool v2 = type == "cgroup2";
  if (!v2 && !(type == "cgroup" && lists(dash[3], "cpu"))) return std::nullopt;
  return Hierarchy{v2, fields[4], fields[3], ""};
}

/// This process's group in the v2 hierarchy ("0::/path") or in v1's cpu hierarchy ("3:cpu,cpuacct:/path").
std::optional<std::string> group_in(const std::string& cgroup_file, bool v2) {
  for (const std::string& line : split(cgroup_file, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (v2 ? controllers.empty() : lists(controllers, "cpu")) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// In a container the mount may show only a part of the hierarchy: the path from /proc is then cut accordingly.
std::string below_mount(const std::string& group, const std::string& mount_root) {
  if (group.find("..") != std::string::npos) return "";  // outside of our cgroup namespace: nothing to be seen there
  if (mount_root == "/") return group == "/" ? "" : group;
  if (group.starts_with(mount_root) && (group.size() == mount_root.size() || group[mount_root.size()] == '/'))
    return group.substr(mount_root.size());
  return "";
}

std::optional<double> parse_number(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> ratio(std::optional<double> quota, std::optional<double> period) {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;  // -1: no limit
  return *quota / *period;
}

std::optional<double> quota_of_group(const std::string& directory, bool v2, const FileReader& read) {
  if (v2) {
    const auto max = read(directory + "/cpu.max");  // "200000 100000" or "max 100000"
    if (!max) return std::nullopt;
    const auto parts = split(*max, ' ');
    return parts.size() == 2 ? ratio(parse_number(parts[0]), parse_number(parts[1])) : std::nullopt;
  }
  const auto quota = read(directory + "/cpu.cfs_quota_us");
  const auto period = read(directory + "/cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return ratio(parse_number(*quota), parse_number(*period));
}

std::optional<double> quota_of_hierarchy(const Hierarchy& hierarchy, const FileReader& read) {
  std::optional<double> smallest;
  std::string group = hierarchy.group;
  for (;;) {
    const auto quota = quota_of_group(hierarchy.mount_point + group, hierarchy.v2, read);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
    if (group.empty()) return smallest;
    group.erase(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

unsigned affinity_count() {
  // The mask of a machine may be larger than cpu_set_t: grow until the kernel is content.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t size = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, size, set) == 0;
    const bool too_small = !known && errno == EINVAL;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (known) return static_cast<unsigned>(count);
    if (!too_small) break;
  }
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<unsigned>(online) : 1;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const FileReader& read) {
  const auto groups = read("/proc/self/cgroup");
  const auto mounts = read("/proc/self/mountinfo");
  if (!groups || !mounts) return std::nullopt;
  std::optional<double> smallest;
  for (const std::string& line : split(*mounts, '\n')) {
    std::optional<Hierarchy> hierarchy = parse_mount(line);
    if (!hierarchy) continue;
    const auto group = group_in(*groups, hierarchy->v2);
    if (!group) continue;
    hierarchy->group = below_mount(*group, hierarchy->mount_root);
    const auto quota = quota_of_hierarchy(*hierarchy, read);
    if (quota && (!smallest || *quota < *smallest)) smallest = quota;
  }
  return smallest;
}

unsigned cpus_within(unsigned affinity, std::optional<double> quota) {
  unsigned cpus = std::max(affinity, 1U);
  if (quota && *quota < cpus) cpus = std::max(1U, static_cast<unsigned>(std::ceil(*quota)));
  return cpus;
}

unsigned available_cpus() {
  return cpus_within(affinity_count(), cgroup_cpu_quota(read_file));
}

}  // namespace restgate::platform
