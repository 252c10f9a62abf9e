// The service manager's side of a daemon: notifications of its state, and the descriptors that it hands over at start.
// Master. An implementation of systemd's documented protocols (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3));
// other managers speak them too.
//
// Everything comes from environment variables, which are read once and then removed: they are meant for this process
// alone, and a child that took them for its own would speak in its name.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// A descriptor that the service manager has handed over, and its name there.
struct GivenDescriptor {
  UniqueFd fd;
  std::string name;
};

/// What the service manager asks for and hands over.
struct ServiceEnvironment {
  std::string notify_socket;                 ///< NOTIFY_SOCKET; "": nobody listens
  std::chrono::microseconds watchdog{0};     ///< longest time between two signs of life; 0: nobody waits for them
  std::vector<GivenDescriptor> descriptors;  ///< LISTEN_FDS; close-on-exec
  std::vector<std::pair<std::string, std::string>> variables;  ///< as they were, but for LISTEN_*: for a program that
                                                               ///< takes this process over
};

/// Takes it out of the environment. Call once, at the start.
ServiceEnvironment take_service_environment();

/// One way to the service manager: datagrams to a Unix socket, named by a path or, beginning with '@', in the abstract
/// namespace.
class NotifySocket {
 public:
  static Result<NotifySocket> open(const std::string& address);

  enum class Sent : uint8_t { Yes, Later, Failed };
  /// Sends one notification: lines "NAME=value", and a descriptor of which the manager gets a copy. Never waits; Later:
  /// its queue is full.
  [[nodiscard]] Sent send(std::string_view message, int passed = -1) const;

 private:
  NotifySocket() = default;

  UniqueFd fd_;
  sockaddr_un address_{};
  socklen_t length_ = 0;
};

// ---- the parts of it, for tests ----

/// Value of an environment variable; nullptr: not set.
using EnvironmentReader = std::function<const char*(const char* name)>;

/// The names of the descriptors handed over to the process `self`, in order: "unknown" for one without a name.
[[nodiscard]] std::vector<std::string> given_names(const EnvironmentReader& env, pid_t self);

/// How often the process `self` has to give a sign of life; 0: never.
[[nodiscard]] std::chrono::microseconds watchdog_period(const EnvironmentReader& env, pid_t self);

}  // namespace restgate::platform
