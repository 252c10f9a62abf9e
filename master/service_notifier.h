// ServiceNotifier: keeps the service manager (systemd, Type=notify) informed. Master; its one thread.
//
// It is shown the gateway's state after each turn and tells what has changed: READY when it serves, RELOADING and READY
// around a reload, STOPPING, STATUS for a person; FDSTORE for each listening socket, so that the kernel's queue of
// waiting connections survives a restart of the service, and FDSTOREREMOVE when a port is given up. Signs of life come
// from a timer of the event loop: a master that hangs gives none.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "common/event_loop.h"
#include "common/platform/systemd.h"
#include "common/unique_fd.h"
#include "master/listener_set.h"

namespace restgate::master {

/// What the service manager shall know.
struct ServiceState {
  bool serving = false;    ///< every worker of a generation has been ready
  bool reloading = false;  ///< a reload is not over yet
  uint64_t reloads = 0;    ///< begun so far, the refused ones too
  bool stopping = false;
  std::string status;  ///< one line
};

class ServiceNotifier {
 public:
  /// Takes from `environment` what it needs, but for the descriptors. The loop outlives it.
  ServiceNotifier(EventLoop& loop, const platform::ServiceEnvironment& environment);

  /// Whether there is a service manager to talk to.
  [[nodiscard]] bool active() const { return socket_.has_value(); }
  /// Tells what is new in `now`, and which sockets to keep.
  void tell(const ServiceState& now, std::span<const std::unique_ptr<ListenerSet>> listeners);
  /// The manager has a copy of it already.
  void know_stored(const std::string& name) { stored_.insert(name); }
  /// Another program is about to take this process over; it will tell when it serves.
  void announce_upgrade();
  /// One notification, out of turn: lines "NAME=value".
  void say(std::string message, int passed = -1);

 private:
  struct Waiting {
    std::string message;
    UniqueFd passed;
  };
  void tell_of_sockets(std::span<const std::unique_ptr<ListenerSet>> listeners);
  void flush();

  std::optional<platform::NotifySocket> socket_;
  TimerEvent watchdog_;
  TimerEvent retry_;
  bool watched_ = false;  ///< the manager waits for signs of life
  ServiceState told_;
  std::set<std::string> stored_;  ///< names of sockets that the manager keeps
  std::deque<Waiting> waiting_;   ///< for room in the manager's queue
};

}  // namespace restgate::master
