// Origin: the demo's backend, a process of its own with libevhtp on an ephemeral loopback port. Demo's master process.
//
// It lives as long as its Origin object, and not longer than the process that started it.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "common/result.h"

namespace restgate::demo {

class Origin {
 public:
  /// Binds and forks. Call it before the process has threads or an event loop.
  static Result<Origin> start();

  Origin(Origin&& other) noexcept;
  Origin& operator=(Origin&&) = delete;
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;
  /// Ends the process and waits for it.
  ~Origin();

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  Origin(pid_t pid, uint16_t port) : pid_(pid), port_(port) {}

  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

}  // namespace restgate::demo
