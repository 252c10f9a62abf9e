// What the benchmark's programs share: failing, flags, preforked workers, edge-triggered events. Benchmark processes.
//
// These programs have nobody to serve but the harness: what goes wrong ends them, with one sentence.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/platform/address.h"
#include "common/unique_fd.h"

namespace restgate::bench {

/// Prints the sentence and exits with 1.
[[noreturn]] void fail(const std::string& what);
/// The same, with what errno says.
[[noreturn]] void fail_errno(const std::string& what);

/// "--name value" pairs. A name that nobody asked for is an error, see done().
class Flags {
 public:
  Flags(int argc, char** argv);
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise = "");
  [[nodiscard]] uint64_t number(const std::string& name, uint64_t otherwise);
  /// Fails when flags are left over.
  void done() const;

 private:
  std::map<std::string, std::string> values_;
};

/// A port of the loopback address.
platform::Address loopback(uint64_t port);

/// Runs `serve` with a listening socket in each of `workers` processes, all on one free port of the loopback address,
/// which is printed as "port N". Returns when SIGTERM or SIGINT comes or our own parent ends; fails when a worker ends.
void prefork(uint64_t workers, const std::function<void(int listener)>& serve);

/// Monotonic time.
inline int64_t now_ns() {
  timespec ts{};
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

/// epoll, with one edge-triggered registration of both directions for a descriptor's whole life.
class Poller {
 public:
  static constexpr int64_t kForever = -1;

  Poller();
  void add(int fd, void* owner, uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  /// Waits and calls `each(owner, events)`. An owner must outlive the whole call.
  template <typename Each>
  void wait(int64_t timeout_ns, Each&& each) {
    const int count = wait(timeout_ns);
    for (int i = 0; i < count; ++i)
      each(events_[static_cast<size_t>(i)].data.ptr, events_[static_cast<size_t>(i)].events);
  }

 private:
  int wait(int64_t timeout_ns);

  UniqueFd fd_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace restgate::bench
