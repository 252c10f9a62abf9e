#include "common/ipc.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/platform/fd_passing.h"

namespace restgate::ipc {

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a control connection", errno);
  return std::pair(Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1])));
}

bool Channel::send(const Message& message, int passed) {
  const iovec piece{const_cast<Message*>(&message), sizeof message};
  const std::span<const int> fds(&passed, passed < 0 ? 0 : 1);
  return platform::send_record(fd_.get(), {&piece, 1}, fds) == static_cast<ssize_t>(sizeof message);
}

Channel::Receipt Channel::receive(Message& message, UniqueFd* passed) {
  for (;;) {
    std::array<char, sizeof(Message)> bytes;
    platform::PassedFds fds;
    const ssize_t n = platform::receive_record(fd_.get(), bytes, fds);
    if (n == static_cast<ssize_t>(sizeof message)) {
      std::memcpy(&message, bytes.data(), sizeof message);
      if (passed != nullptr) *passed = std::move(fds.front());
      return Receipt::Message;
    }
    if (n > 0) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Receipt::Nothing;
    return Receipt::Closed;
  }
}

}  // namespace restgate::ipc
