#include "common/platform/inherited_listener.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/platform/sockets.h"

namespace restgate::platform {
namespace {

/// As a service manager opens it: blocking, inherited, not shared.
UniqueFd plain_listener(int family = AF_INET) {
  UniqueFd fd(socket(family, SOCK_STREAM, 0));
  const Address address = family == AF_INET ? *Address::parse("127.0.0.1", 0) : *Address::parse("::1", 0);
  EXPECT_EQ(bind(fd.get(), address.get(), address.length()), 0);
  EXPECT_EQ(listen(fd.get(), 8), 0);
  return fd;
}

UniqueFd connection_to(const std::string& address, uint16_t port) {
  const Address target = *Address::parse(address, port);
  UniqueFd fd(socket(target.get()->sa_family, SOCK_STREAM, 0));
  if (connect(fd.get(), target.get(), target.length()) != 0) fd.reset();
  return fd;
}

TEST(InheritedListener, TellsAListenerFromAllElse) {
  const UniqueFd listener = plain_listener();
  EXPECT_EQ(listening_port(listener.get()), local_port(listener.get()));
  const UniqueFd tcp(socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(listening_port(tcp.get()), std::nullopt) << "does not listen";
  const UniqueFd udp(socket(AF_INET, SOCK_DGRAM, 0));
  EXPECT_EQ(listening_port(udp.get()), std::nullopt);
  const UniqueFd file(open("/dev/null", O_RDONLY));
  EXPECT_EQ(listening_port(file.get()), std::nullopt);
  EXPECT_EQ(listening_port(-1), std::nullopt);
  const UniqueFd local(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un unnamed{};
  unnamed.sun_family = AF_UNIX;
  ASSERT_EQ(bind(local.get(), reinterpret_cast<sockaddr*>(&unnamed), sizeof unnamed.sun_family), 0);
  ASSERT_EQ(listen(local.get(), 1), 0);
  EXPECT_EQ(listening_port(local.get()), std::nullopt) << "listens, but not for TCP";
}

TEST(InheritedListener, AdoptedItIsLikeOneOfOurOwn) {
  const UniqueFd listener = plain_listener();
  // What an owner leaves that was about to give up the port: nobody gets in.
  sock_filter drop_all{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &drop_all};
  ASSERT_EQ(setsockopt(listener.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  adopt_listener(listener.get());
  EXPECT_NE(fcntl(listener.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(listener.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_TRUE(connection_to("127.0.0.1", local_port(listener.get())));
}

TEST(InheritedListener, AnotherBesideOneThatWasNotShared) {
  for (const int family : {AF_INET, AF_INET6}) {
    const UniqueFd first = plain_listener(family);
    adopt_listener(first.get());
    const auto second = listen_beside(first.get());
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_EQ(listening_port(second->get()), listening_port(first.get()));
    EXPECT_FALSE(same_socket(first.get(), second->get()));
    // The kernel spreads connections over both.
    std::vector<UniqueFd> clients;
    const auto waits = [](int fd) {
      pollfd entry{fd, POLLIN, 0};
      return poll(&entry, 1, 0) == 1;
    };
    while (clients.size() < 200 && !(waits(first.get()) && waits(second->get())))
      clients.push_back(connection_to(family == AF_INET ? "127.0.0.1" : "::1", local_port(first.get())));
    EXPECT_LT(clients.size(), 200U);
  }
}

TEST(InheritedListener, TheSameAddressAndNoOther) {
  const UniqueFd first = plain_listener();
  const auto second = listen_beside(first.get());
  ASSERT_TRUE(second.ok());
  // 127.0.0.2 is this machine too, but nobody asked for it.
  EXPECT_FALSE(connection_to("127.0.0.2", local_port(first.get())));
}

TEST(InheritedListener, ADuplicateIsTheSameSocket) {
  const UniqueFd first = plain_listener();
  const auto copy = duplicate(first.get());
  ASSERT_TRUE(copy.ok());
  EXPECT_TRUE(same_socket(first.get(), copy->get()));
  EXPECT_NE(fcntl(copy->get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_FALSE(same_socket(first.get(), -1));
}

}  // namespace
}  // namespace restgate::platform
