// Listening sockets that this program did not open itself: an earlier one did, or the service manager. Master.
#pragma once

#include <cstdint>
#include <optional>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// The port of a TCP socket that listens, on whatever address; nothing for all else, closed descriptors among them.
[[nodiscard]] std::optional<uint16_t> listening_port(int fd);

/// Makes it what listen_tcp() would have made: non-blocking, close-on-exec, TCP_NODELAY, that backlog, no filter that
/// an earlier owner has left. REQUIRES: listening_port(fd).
void adopt_listener(int fd, int backlog = 4096);

/// Another socket on the same address, beside a listening one of the same user (SO_REUSEPORT). Fails for one whose
/// owner is another user, as a service manager's often is.
Result<UniqueFd> listen_beside(int fd, int backlog = 4096);

/// Another descriptor of the same socket; close-on-exec.
Result<UniqueFd> duplicate(int fd);

/// Whether two descriptors are of one socket.
[[nodiscard]] bool same_socket(int a, int b);

}  // namespace restgate::platform
