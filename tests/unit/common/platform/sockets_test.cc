#include "common/platform/sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace restgate::platform {
namespace {

using testing::HasSubstr;

UniqueFd listener(const std::string& address, uint16_t port = 0, const ListenOptions& options = {}) {
  auto made = listen_tcp(address, port, options);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return made.ok() ? std::move(made).value() : UniqueFd();
}

bool wait_for(int fd, short events) {
  pollfd poll_fd{fd, events, 0};
  return poll(&poll_fd, 1, 5'000) == 1;
}

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  getsockopt(fd, level, name, &value, &length);
  return value;
}

UniqueFd connect_to(const std::string& address, uint16_t port) {
  const Address target = *Address::parse(address, port);
  auto made = connect_tcp(target.get(), target.length());
  EXPECT_TRUE(made.ok());
  EXPECT_TRUE(wait_for(made->get(), POLLOUT));
  return std::move(made).value();
}

TEST(Sockets, AConnectionFromEndToEnd) {
  const UniqueFd server = listener("127.0.0.1");
  const uint16_t port = local_port(server.get());
  EXPECT_NE(port, 0);
  EXPECT_EQ(accept_tcp(server.get()).sys_errno, EAGAIN);

  const UniqueFd client = connect_to("127.0.0.1", port);
  EXPECT_EQ(socket_error(client.get()), 0);
  ASSERT_TRUE(wait_for(server.get(), POLLIN));
  const Accepted accepted = accept_tcp(server.get());
  ASSERT_TRUE(accepted.fd);
  AddressText text;
  EXPECT_EQ(std::string_view(text.data(), format_address(*accepted.peer.get(), text)), "127.0.0.1");
  EXPECT_EQ(accepted.peer.port(), local_port(client.get()));
  for (const int fd : {server.get(), client.get(), accepted.fd.get()}) {
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), kMaxUnsentBytes);
  }
}

TEST(Sockets, APeerThatDoesNotReadCostsTheKernelLittle) {
  const UniqueFd server = listener("127.0.0.1");
  const UniqueFd client = connect_to("127.0.0.1", local_port(server.get()));
  ASSERT_TRUE(wait_for(server.get(), POLLIN));
  const Accepted accepted = accept_tcp(server.get());
  for (const int fd : {client.get(), accepted.fd.get()}) {
    const std::string bytes(size_t{80} << 10, 'x');
    size_t taken = 0;
    for (ssize_t n = 0; (n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)) > 0;) taken += static_cast<size_t>(n);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_LT(taken, size_t{1} << 20);
  }
}

TEST(Sockets, EveryAddressTakesBothFamilies) {
  const UniqueFd server = listener("");
  const uint16_t port = local_port(server.get());
  connect_to("127.0.0.1", port);
  ASSERT_TRUE(wait_for(server.get(), POLLIN));
  const Accepted four = accept_tcp(server.get());
  AddressText text;
  EXPECT_EQ(std::string_view(text.data(), format_address(*four.peer.get(), text)), "127.0.0.1");
  if (!has_route(*Address::parse("::1", 1))) GTEST_SKIP() << "no IPv6 here";
  connect_to("::1", port);
  ASSERT_TRUE(wait_for(server.get(), POLLIN));
  const Accepted six = accept_tcp(server.get());
  EXPECT_EQ(std::string_view(text.data(), format_address(*six.peer.get(), text)), "::1");
}

TEST(Sockets, SeveralListenersShareAPort) {
  const UniqueFd first = listener("127.0.0.1", 0, {.reuse_port = true});
  const uint16_t port = local_port(first.get());
  const UniqueFd second = listener("127.0.0.1", port, {.reuse_port = true});
  EXPECT_EQ(local_port(second.get()), port);
}

TEST(Sockets, ATakenPortIsNamed) {
  for (const bool shared : {false, true}) {
    const UniqueFd server = listener("127.0.0.1", 0, {.reuse_port = shared});
    const uint16_t port = local_port(server.get());
    const Status free = check_port_free("127.0.0.1", port);
    ASSERT_FALSE(free.ok());
    EXPECT_EQ(free.error().sys_errno, EADDRINUSE);
    EXPECT_EQ(free.error().message, "port " + std::to_string(port) + " is in use by another program");
  }
  const UniqueFd server = listener("", 0, {.reuse_port = true});
  EXPECT_FALSE(check_port_free("", local_port(server.get())).ok());
  EXPECT_FALSE(listen_tcp("", local_port(server.get())).ok());
}

TEST(Sockets, APortIsFreeAgainAtOnce) {
  uint16_t port = 0;
  {
    const UniqueFd server = listener("127.0.0.1");
    port = local_port(server.get());
    const UniqueFd client = connect_to("127.0.0.1", port);
    ASSERT_TRUE(wait_for(server.get(), POLLIN));
    const Accepted accepted = accept_tcp(server.get());  // closed first, on this side: TIME_WAIT is the server's
  }
  EXPECT_TRUE(check_port_free("127.0.0.1", port).ok());
  EXPECT_TRUE(listen_tcp("127.0.0.1", port).ok());
}

TEST(Sockets, BadAddressesAreExplained) {
  const auto name = listen_tcp("localhost", 0);
  ASSERT_FALSE(name.ok());
  EXPECT_THAT(name.error().message, HasSubstr("'localhost' is not a numeric address"));
  const auto foreign = listen_tcp("192.0.2.1", 0);
  ASSERT_FALSE(foreign.ok());
  EXPECT_THAT(foreign.error().message, HasSubstr("this machine has no such address"));
}

TEST(Sockets, APrivilegedPortIsExplained) {
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65'534) != 0) _exit(2);
    const auto made = listen_tcp("127.0.0.1", 1);
    if (made.ok()) _exit(2);  // a system that lets everyone have it
    _exit(made.error().message.find("port 1 is privileged") == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "everyone may bind it here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Sockets, ARefusedConnectionShowsItsError) {
  uint16_t port = 0;
  { port = local_port(listener("127.0.0.1").get()); }
  const Address target = *Address::parse("127.0.0.1", port);
  const auto made = connect_tcp(target.get(), target.length());
  if (!made.ok()) {
    EXPECT_EQ(made.error().sys_errno, ECONNREFUSED);
    return;
  }
  ASSERT_TRUE(wait_for(made->get(), POLLOUT));
  EXPECT_EQ(socket_error(made->get()), ECONNREFUSED);
}

TEST(Sockets, ResetOnCloseResets) {
  const UniqueFd server = listener("127.0.0.1");
  const UniqueFd client = connect_to("127.0.0.1", local_port(server.get()));
  ASSERT_TRUE(wait_for(server.get(), POLLIN));
  {
    const Accepted accepted = accept_tcp(server.get());
    reset_on_close(accepted.fd.get());
  }
  ASSERT_TRUE(wait_for(client.get(), POLLIN));
  char byte = 0;
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

TEST(Sockets, KnowsItsRoutes) {
  EXPECT_TRUE(has_route(*Address::parse("127.0.0.1", 0)));
  EXPECT_EQ(local_port(-1), 0);
}

}  // namespace
}  // namespace restgate::platform
