#include "common/platform/fd_passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace restgate::platform {
namespace {

struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(int) * kMaxPassed)> bytes{};
};

void take_descriptors(msghdr& message, PassedFds& fds) {
  size_t taken = 0;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      UniqueFd owned(fd);
      if (taken < fds.size()) fds[taken++] = std::move(owned);
    }
  }
}

}  // namespace

ssize_t send_record(int socket, std::span<const iovec> pieces, std::span<const int> fds) {
  Control control;
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg() only reads them
  message.msg_iovlen = pieces.size();
  const size_t count = std::min(fds.size(), kMaxPassed);
  if (count > 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(part), fds.data(), sizeof(int) * count);
  }
  ssize_t n = 0;
  do {
    n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n;
}

ssize_t receive_record(int socket, std::span<char> to, PassedFds& fds) {
  Control control;
  iovec piece{to.data(), to.size()};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t n = 0;
  do {
    n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return n;
  take_descriptors(message, fds);
  return (message.msg_flags & MSG_TRUNC) != 0 ? static_cast<ssize_t>(to.size()) + 1 : n;
}

}  // namespace restgate::platform
