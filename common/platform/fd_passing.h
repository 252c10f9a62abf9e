// Records with descriptors over a SOCK_SEQPACKET socket (SCM_RIGHTS). Any process. Never blocks.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <span>

#include "common/unique_fd.h"

namespace restgate::platform {

/// Descriptors that one record may carry.
inline constexpr size_t kMaxPassed = 4;
using PassedFds = std::array<UniqueFd, kMaxPassed>;

/// Sends one record. The descriptors stay the caller's; the receiver gets copies. Bytes sent, or -1 and errno: EAGAIN
/// when the queue is full, EMSGSIZE when the record never fits.
ssize_t send_record(int socket, std::span<const iovec> pieces, std::span<const int> fds);

/// Takes the next record into `to`; one that is longer is cut, and counts as to.size() + 1 bytes. Descriptors come into
/// `fds` from the front, close-on-exec. 0: the other side has closed. -1 and errno: EAGAIN when none waits.
ssize_t receive_record(int socket, std::span<char> to, PassedFds& fds);

}  // namespace restgate::platform
