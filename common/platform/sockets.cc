#include "common/platform/sockets.h"

#include <linux/filter.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <utility>

namespace restgate::platform {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

Error bind_error(const Address& address, int error) {
  const std::string port = "port " + std::to_string(address.port());
  switch (error) {
    case EADDRINUSE:
      return {port + " is in use by another program", error};
    case EACCES:
      return {port + " is privileged: ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one", error};
    case EADDRNOTAVAIL:
      return {address.to_string() + ": this machine has no such address", error};
    default:
      return system_error("cannot listen on " + address.to_string(), error);
  }
}

std::optional<Address> local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto& address = reinterpret_cast<sockaddr&>(storage);
  if (getsockname(fd, &address, &length) != 0) return std::nullopt;
  return Address::from(address);
}

bool is_any(const std::string& address) {
  return address.empty() || address == "::" || address == "*";
}

Result<UniqueFd> bind_one(const Address& address, bool reuse_port) {
  UniqueFd fd(socket(address.get()->sa_family, kSocketFlags, 0));
  if (!fd) return system_error("cannot make a socket", errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kMaxUnsentBytes);
  if (reuse_port && !set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1))
    return system_error("cannot share a port (SO_REUSEPORT)", errno);
  if (address.is_ipv6()) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd.get(), address.get(), address.length()) != 0) return bind_error(address, errno);
  return fd;
}

Result<UniqueFd> bind_tcp(const std::string& address, uint16_t port, bool reuse_port) {
  if (!is_any(address)) {
    const std::optional<Address> one = Address::parse(address, port);
    if (!one) return Error{"'" + address + "' is not a numeric address", EINVAL};
    return bind_one(*one, reuse_port);
  }
  auto both = bind_one(Address::ipv6(in6addr_any, port), reuse_port);
  if (both.ok()) return both;
  const int error = both.error().sys_errno;
  const bool no_ipv6 = error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
  if (!no_ipv6) return both;
  return bind_one(Address::ipv4({INADDR_ANY}, port), reuse_port);
}

}  // namespace

Result<UniqueFd> listen_tcp(const std::string& address, uint16_t port, const ListenOptions& options) {
  auto bound = bind_tcp(address, port, options.reuse_port);
  if (!bound.ok() || options.bind_only) return bound;
  if (listen(bound->get(), options.backlog) != 0)
    return bind_error(Address::parse(is_any(address) ? "::" : address, port).value_or(Address()), errno);
  return bound;
}

Status start_listening(int fd, int backlog) {
  if (listen(fd, backlog) == 0) return Ok{};
  const int error = errno;
  return bind_error(local_address(fd).value_or(Address()), error);
}

void share_port(int fd, bool shared) {
  set_option(fd, SOL_SOCKET, SO_REUSEPORT, shared ? 1 : 0);
}

Status check_port_free(const std::string& address, uint16_t port) {
  if (auto bound = bind_tcp(address, port, false); !bound.ok()) return std::move(bound).error();
  return Ok{};
}

uint16_t local_port(int fd) {
  const std::optional<Address> local = local_address(fd);
  return local ? local->port() : 0;
}

Result<UniqueFd> connect_tcp(const sockaddr* address, socklen_t length) {
  UniqueFd fd(socket(address->sa_family, kSocketFlags, 0));
  if (!fd) return system_error("cannot make a socket", errno);
  set_nodelay(fd.get());
  set_option(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, kMaxUnsentBytes);
  // An interrupted connect() goes on in the background, like one in progress.
  if (connect(fd.get(), address, length) != 0 && errno != EINPROGRESS && errno != EINTR)
    return system_error("cannot connect", errno);
  return fd;
}

int socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

bool has_route(const Address& address) {
  Address target = address;
  target.set_port(9);  // any; connecting a datagram socket only looks the route up
  const UniqueFd fd(socket(target.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd && connect(fd.get(), target.get(), target.length()) == 0;
}

Accepted accept_tcp(int listener) {
  Accepted accepted;
  sockaddr_storage storage{};
  auto& address = reinterpret_cast<sockaddr&>(storage);
  do {
    socklen_t length = sizeof storage;
    accepted.fd.reset(accept4(listener, &address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
  } while (!accepted.fd && (errno == EINTR || errno == ECONNABORTED));
  if (accepted.fd)
    accepted.peer = Address::from(address).value_or(Address());
  else
    accepted.sys_errno = errno;
  return accepted;
}

void drop_new_connections(int listener, bool drop) {
  if (!drop) {
    set_option(listener, SOL_SOCKET, SO_DETACH_FILTER, 0);
    return;
  }
  constexpr uint32_t kFlagsAt = 13;  // byte of the TCP header, with which the packet begins here (RFC 9293 §3.1)
  constexpr uint32_t kSyn = 0x02;
  constexpr uint32_t kAck = 0x10;
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsAt),    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  };
  const sock_fprog filter{std::size(program), program};
  setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

void set_nodelay(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void reset_on_close(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace restgate::platform
