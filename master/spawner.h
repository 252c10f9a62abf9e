// Spawner: forks worker processes. Master; its main thread, outside of event callbacks.
//
// What the child has of the master's memory it never touches or destroys; what it has of descriptors it closes, but for
// its heritage. It becomes the user and group that its configuration names, and gets no more privileges ever. So a
// child can do the master no harm, and a master's secret is not inherited by accident.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "common/platform/process.h"
#include "common/result.h"
#include "worker/heritage.h"

namespace restgate::master {

class Spawner {
 public:
  /// What a worker does; returns its exit code.
  using Body = std::function<int(worker::Heritage)>;

  /// `leave_master` runs first in the child: it takes down the master's signal handlers. `title` may be null; else it
  /// outlives this.
  Spawner(Body body, std::function<void()> leave_master, platform::ProcessTitle* title);

  /// Forks a worker. The descriptors in `heritage` stay the caller's, its control channel is closed here.
  Result<pid_t> spawn(worker::Heritage heritage, const std::string& title);

 private:
  /// Gives up in the child what only the master needs.
  static Status confine(const worker::Heritage& heritage);
  [[noreturn]] void run_child(worker::Heritage heritage, const std::string& title, pid_t master) noexcept;

  Body body_;
  std::function<void()> leave_master_;
  platform::ProcessTitle* title_;
};

}  // namespace restgate::master
