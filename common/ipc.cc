#include "common/ipc.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace restgate::ipc {

Result<std::pair<Channel, Channel>> Channel::make_pair() {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
    return system_error("cannot make a control connection", errno);
  return std::pair(Channel(UniqueFd(fds[0])), Channel(UniqueFd(fds[1])));
}

bool Channel::send(const Message& message) {
  ssize_t n = 0;
  do {
    n = ::send(fd_.get(), &message, sizeof message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n == static_cast<ssize_t>(sizeof message);
}

Channel::Receipt Channel::receive(Message& message) {
  for (;;) {
    // One byte of room more than a message has shows a longer one, which the kernel would cut to size.
    std::array<char, sizeof(Message) + 1> bytes;
    const ssize_t n = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (n == static_cast<ssize_t>(sizeof message)) {
      std::memcpy(&message, bytes.data(), sizeof message);
      return Receipt::Message;
    }
    if (n > 0 || (n < 0 && errno == EINTR)) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Receipt::Nothing;
    return Receipt::Closed;
  }
}

}  // namespace restgate::ipc
