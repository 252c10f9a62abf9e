// TCP sockets: listening, connecting, options. Any process. Every descriptor is non-blocking and close-on-exec.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "common/platform/address.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// What the kernel holds for a peer beyond what is on its way to it. More would not make a fast peer faster, and for a
/// slow one it would be megabytes a connection, of the container's memory too.
inline constexpr int kMaxUnsentBytes = 128 * 1024;

struct ListenOptions {
  bool reuse_port = false;  ///< SO_REUSEPORT: several sockets share the address
  int backlog = 4096;       ///< connections that wait to be accepted; the kernel's somaxconn bounds it
  bool bind_only = false;   ///< the address is taken, but nobody is heard: start_listening() follows
};

/// Binds and listens. `address`: numeric; "" is every address of both families (IPv4 alone where IPv6 is switched off).
/// Port 0: one that is free, see local_port(). SO_REUSEADDR is set, so that connections of an earlier life do not
/// matter; TCP_NODELAY is set, which accepted sockets inherit on Linux, as they do kMaxUnsentBytes.
/// The Error is a sentence for the person who chose the port: taken, privileged, no such address.
Result<UniqueFd> listen_tcp(const std::string& address, uint16_t port, const ListenOptions& options = {});

/// For a socket that was only bound. The Error is as that of listen_tcp().
Status start_listening(int fd, int backlog);

/// Whether others of this user may bind the address of a socket that is bound already, if they ask for it as well
/// (SO_REUSEPORT); or listen on it.
void share_port(int fd, bool shared);

/// Whether nobody listens there. SO_REUSEPORT alone does not tell: another gateway of the same user would share the
/// port without a word. Binds for a moment, never listens. The Error is the one that listen_tcp() would give.
Status check_port_free(const std::string& address, uint16_t port);

/// The port that a socket is bound to; 0 when it has none.
[[nodiscard]] uint16_t local_port(int fd);

/// Begins to connect, with TCP_NODELAY and kMaxUnsentBytes. The outcome shows when the descriptor becomes writable: see
/// socket_error().
Result<UniqueFd> connect_tcp(const sockaddr* address, socklen_t length);
/// Takes the pending error of a socket (SO_ERROR); 0: none.
[[nodiscard]] int socket_error(int fd);

/// Whether the kernel knows a way to an address (and a source address for it). Sends nothing.
[[nodiscard]] bool has_route(const Address& address);

/// A connection taken from a listener, or none: then `sys_errno` says why (EAGAIN: none waits).
struct Accepted {
  UniqueFd fd;
  Address peer;
  int sys_errno = 0;
};
/// Takes one connection. Interrupted calls and connections that died in the queue are passed over.
Accepted accept_tcp(int listener);

/// Makes a listening socket deaf to whoever begins to connect (a SYN without ACK), or not. Handshakes that are under
/// way go on. Who is not heard tries again for a while; once the socket is closed, that is refused.
void drop_new_connections(int listener, bool drop);

void set_nodelay(int fd);
/// Makes close() send a reset rather than an orderly end: the peer must not take what it got for complete.
void reset_on_close(int fd);

}  // namespace restgate::platform
