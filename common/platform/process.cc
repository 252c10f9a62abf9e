#include "common/platform/process.h"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <list>
#include <string>
#include <vector>

#ifdef RESTGATE_COUNTS
extern "C" void __gcov_dump();  // of gcc's run-time library; its header forgets C++
#endif

namespace restgate::platform {
namespace {

/// Closes [first, last]. False: the kernel (before 5.9) or the C library does not know how.
bool close_span([[maybe_unused]] unsigned first, [[maybe_unused]] unsigned last) {
#ifdef CLOSE_RANGE_UNSHARE
  return close_range(first, last, 0) == 0;
#else
  return false;
#endif
}

/// The slow way: one by one, as /proc lists them.
void close_listed_except(const std::vector<int>& sorted_keep) {
  DIR* listing = opendir("/proc/self/fd");
  if (listing == nullptr) return;
  std::vector<int> open_ones;
  while (const dirent* entry = readdir(listing)) {
    char* end = nullptr;
    const long number = std::strtol(entry->d_name, &end, 10);
    if (end != entry->d_name && *end == '\0' && number != dirfd(listing)) open_ones.push_back(static_cast<int>(number));
  }
  closedir(listing);
  for (const int fd : open_ones)
    if (!std::binary_search(sorted_keep.begin(), sorted_keep.end(), fd)) close(fd);
}

/// Gives the environment a new home, which lives as long as the process: getenv() hands out pointers into it, and what
/// unsetenv() removes may still be in use.
void move_environment() {
  static auto& texts = *new std::list<std::string>;
  static auto& tables = *new std::list<std::vector<char*>>;
  std::vector<char*>& table = tables.emplace_back();
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    table.push_back(texts.emplace_back(*entry).data());
  table.push_back(nullptr);
  environ = table.data();
}

}  // namespace

void ignore_sigpipe() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, nullptr);
}

void reset_signals_in_child() {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int signo = 1; signo < NSIG; ++signo) {
    switch (signo) {
      case SIGKILL:
      case SIGSTOP:
      case SIGPIPE:
      case SIGSEGV:
      case SIGBUS:
      case SIGILL:
      case SIGFPE:
      case SIGABRT:
        break;
      default:
        sigaction(signo, &action, nullptr);  // the C library's own two are refused, which is right
    }
  }
  ignore_sigpipe();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool die_with_parent(pid_t parent, int signo) {
  prctl(PR_SET_PDEATHSIG, signo);
  return getppid() == parent;  // it may have ended just before the call above
}

void allow_core() {
  prctl(PR_SET_DUMPABLE, 1);
}

void close_descriptors_except(std::span<const int> keep) {
  std::vector<int> sorted(keep.begin(), keep.end());
  std::sort(sorted.begin(), sorted.end());
  unsigned next = 0;
  for (const int fd : sorted) {
    if (fd < 0) continue;
    const auto kept = static_cast<unsigned>(fd);
    if (kept > next && !close_span(next, kept - 1)) return close_listed_except(sorted);
    next = std::max(next, kept + 1);
  }
  if (!close_span(next, UINT_MAX)) close_listed_except(sorted);
}

size_t raise_nofile_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur != limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  return static_cast<size_t>(limit.rlim_cur);
}

#ifdef RESTGATE_COUNTS
[[gnu::no_profile_instrument_function]]  // it would not be the function that its profile is of
#endif
void leave(int code) {
#ifdef RESTGATE_COUNTS
  __gcov_dump();
#endif
  _exit(code);
}

void set_thread_name(const char* name) {
  prctl(PR_SET_NAME, name);
}

ProcessTitle::ProcessTitle(int argc, char** argv) {
  if (argc <= 0) return;
  // The strings of argv and environ stand one behind the other in one area at the end of the stack.
  char* end = argv[0];
  for (int i = 0; i < argc && argv[i] == end; ++i) end += std::strlen(argv[i]) + 1;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    if (*variable == end) end += std::strlen(*variable) + 1;
  move_environment();
  area_ = {argv[0], static_cast<size_t>(end - argv[0])};
  for (int i = 1; i < argc; ++i) argv[i] = nullptr;
}

void ProcessTitle::set(std::string_view title) {
  if (area_.empty()) return;
  const size_t length = std::min(title.size(), area_.size() - 1);
  std::memcpy(area_.data(), title.data(), length);
  std::memset(area_.data() + length, 0, area_.size() - length);
}

}  // namespace restgate::platform
