#include "master/metrics_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/unique_fd.h"

namespace restgate::master {
namespace {

/// Reads a small file of /proc in one piece; empty when it is not there.
std::string read_small_file(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t size = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return size > 0 ? std::string(buffer.data(), static_cast<size_t>(size)) : std::string();
}

struct ProcStat {
  uint64_t cpu_ticks = 0;
  uint64_t start_ticks = 0;  ///< since boot
  uint64_t resident_pages = 0;
};

/// /proc/PID/stat (proc(5)). The second field, the name, may hold anything but ends with the last ')'.
std::optional<ProcStat> parse_stat(std::string_view text) {
  constexpr size_t kUserTime = 14, kSystemTime = 15, kStartTime = 22, kResident = 24;
  const size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  ProcStat stat;
  for (size_t field = 3; field <= kResident; ++field) {
    const size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    const size_t length = std::min(text.find(' '), text.size());
    uint64_t value = 0;
    std::from_chars(text.data(), text.data() + length, value);
    if (field == kUserTime || field == kSystemTime) stat.cpu_ticks += value;
    if (field == kStartTime) stat.start_ticks = value;
    if (field == kResident) stat.resident_pages = value;
    text.remove_prefix(length);
  }
  return stat;
}

/// Since Linux 6.2 the size of /proc/PID/fd is the number of descriptors; before, it is 0 and they are counted.
uint64_t count_fds(const std::string& directory) {
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return 0;
  if (info.st_size > 0) return static_cast<uint64_t>(info.st_size);
  struct Closer {
    void operator()(DIR* dir) const { ::closedir(dir); }
  };
  const std::unique_ptr<DIR, Closer> dir(::opendir(directory.c_str()));
  uint64_t count = 0;
  while (dir != nullptr) {
    const dirent* entry = ::readdir(dir.get());  // NOLINT(concurrency-mt-unsafe): a directory stream of our own
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Unix time at which a process that started `ticks` after boot did so.
double start_time(uint64_t ticks, double ticks_per_second) {
  timespec wall{};
  timespec boot{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  const double now = static_cast<double>(wall.tv_sec) + static_cast<double>(wall.tv_nsec) * 1e-9;
  const double up = static_cast<double>(boot.tv_sec) + static_cast<double>(boot.tv_nsec) * 1e-9;
  return now - up + static_cast<double>(ticks) / ticks_per_second;
}

}  // namespace

std::optional<ProcessUsage> read_process_usage(pid_t pid) {
  const std::optional<ProcStat> stat = parse_stat(read_small_file("/proc/" + std::to_string(pid) + "/stat"));
  if (!stat) return std::nullopt;
  return ProcessUsage{static_cast<double>(stat->cpu_ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK)),
                      stat->resident_pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))};
}

ProcessTotals read_process_totals(std::span<const pid_t> workers) {
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  ProcessTotals totals;
  totals.cpu_seconds = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  totals.max_fds = limit.rlim_cur;

  const auto add = [&](const std::string& directory) {
    const std::optional<ProcStat> stat = parse_stat(read_small_file(directory + "/stat"));
    if (!stat) return ProcStat{};
    totals.resident_bytes += stat->resident_pages * page_bytes;
    totals.open_fds += count_fds(directory + "/fd");
    return *stat;
  };
  totals.start_time_seconds = start_time(add("/proc/self").start_ticks, ticks_per_second);
  for (const pid_t pid : workers)
    totals.cpu_seconds += static_cast<double>(add("/proc/" + std::to_string(pid)).cpu_ticks) / ticks_per_second;
  return totals;
}

}  // namespace restgate::master
