#include "common/platform/inherited_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "common/platform/sockets.h"

namespace restgate::platform {
namespace {

constexpr int kUnknown = -1;

int option(int fd, int level, int name) {
  int value = kUnknown;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : kUnknown;
}

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

}  // namespace

std::optional<uint16_t> listening_port(int fd) {
  if (option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1 || option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
    return std::nullopt;
  const uint16_t port = local_port(fd);
  return port != 0 ? std::optional(port) : std::nullopt;
}

void adopt_listener(int fd, int backlog) {
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_DETACH_FILTER, 0);
  listen(fd, backlog);  // once more: only the backlog changes
}

Result<UniqueFd> listen_beside(int fd, int backlog) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* at = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(fd, at, &length) != 0) return system_error("cannot read a socket's address", errno);
  // Both have to agree to share, and who opened the first one may not have thought of it.
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  UniqueFd beside(socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!beside) return system_error("cannot make a socket", errno);
  set_option(beside.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(beside.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  set_option(beside.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (at->sa_family == AF_INET6)
    set_option(beside.get(), IPPROTO_IPV6, IPV6_V6ONLY, option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1 ? 1 : 0);
  if (bind(beside.get(), at, length) != 0) return system_error("cannot share a port", errno);
  if (listen(beside.get(), backlog) != 0) return system_error("cannot listen", errno);
  return beside;
}

Result<UniqueFd> duplicate(int fd) {
  UniqueFd copy(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return system_error("cannot duplicate a descriptor", errno);
  return copy;
}

bool same_socket(int a, int b) {
  struct stat of_a {};
  struct stat of_b {};
  if (fstat(a, &of_a) != 0 || fstat(b, &of_b) != 0) return false;
  return S_ISSOCK(of_a.st_mode) && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

}  // namespace restgate::platform
