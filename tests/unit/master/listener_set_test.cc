#include "master/listener_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <set>

#include "common/platform/inherited_listener.h"
#include "common/platform/sockets.h"

namespace restgate::master {
namespace {

/// Whether a connection to 127.0.0.1:port is taken; blocking, on loopback.
bool connects(uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

TEST(ListenerSet, BindsEverySlotToTheSamePort) {
  auto set = ListenerSet::open(0, 3);
  ASSERT_TRUE(set.ok()) << set.error().message;
  EXPECT_EQ(set->wanted_port(), 0);
  EXPECT_NE(set->port(), 0);
  const std::vector<int> fds = set->descriptors();
  EXPECT_EQ(std::set<int>(fds.begin(), fds.end()).size(), 3U);
  for (const int fd : fds) EXPECT_EQ(platform::local_port(fd), set->port());
  EXPECT_TRUE(connects(set->port()));
}

TEST(ListenerSet, GrowsAndNeverShrinks) {
  auto set = ListenerSet::open(0, 1);
  ASSERT_TRUE(set.ok());
  const int first = set->descriptors().front();
  ASSERT_TRUE(set->grow_to(4).ok());
  EXPECT_EQ(set->slots(), 4U);
  ASSERT_TRUE(set->grow_to(2).ok());
  EXPECT_EQ(set->slots(), 4U);
  EXPECT_EQ(set->descriptors().front(), first);
  EXPECT_EQ(platform::local_port(set->descriptors().back()), set->port());
}

TEST(ListenerSet, RefusesAPortThatAnotherGatewayHas) {
  auto other = ListenerSet::open(0, 1);
  ASSERT_TRUE(other.ok());
  const auto set = ListenerSet::open(other->port(), 1);
  ASSERT_FALSE(set.ok()) << "sharing it would take half of its connections";
  EXPECT_THAT(set.error().message, testing::HasSubstr("port " + std::to_string(other->port()) + " is in use"));
}

TEST(ListenerSet, HearsNobodyNewWhenToldTo) {
  auto set = ListenerSet::open(0, 1);
  ASSERT_TRUE(set.ok());
  const auto address = platform::Address::ipv4({htonl(INADDR_LOOPBACK)}, set->port());
  const auto begin = [&] { return platform::connect_tcp(address.get(), address.length()).value(); };
  const auto connected = [](const UniqueFd& fd, int within_ms) {
    pollfd entry{fd.get(), POLLOUT, 0};
    return poll(&entry, 1, within_ms) == 1;
  };
  const UniqueFd before = begin();
  EXPECT_TRUE(connected(before, 5'000));
  set->refuse_new();
  EXPECT_FALSE(connected(begin(), 50)) << "neither accepted nor refused";
  EXPECT_TRUE(platform::accept_tcp(set->descriptors().at(0)).fd) << "who was there is still served";
  set->welcome_new();
  EXPECT_TRUE(connected(begin(), 5'000));
}

TEST(ListenerSet, SlotsHaveNamesForTheStore) {
  auto set = ListenerSet::open(0, 2);
  ASSERT_TRUE(set.ok());
  const std::string prefix = "restgate-" + std::to_string(set->port());
  EXPECT_EQ(set->all()[0].name, prefix + "-0");
  EXPECT_EQ(set->all()[1].name, prefix + "-1");
}

TEST(ListenerSet, SharesTheSocketsOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  std::vector<ListenerSet::Slot> slots;
  for (int i = 0; i < 2; ++i) {
    auto opened = slots.empty() ? platform::listen_tcp("127.0.0.1", 0, {.reuse_port = true})
                                : platform::listen_beside(slots[0].fd.get());
    ASSERT_TRUE(opened.ok());
    slots.push_back({std::move(opened).value(), ""});
  }
  ListenerSet set = ListenerSet::adopt(0, std::move(slots));
  ASSERT_EQ(seteuid(65534), 0);
  const Status grown = set.grow_to(5);
  ASSERT_EQ(seteuid(0), 0);
  ASSERT_TRUE(grown.ok()) << grown.error().message;
  const std::vector<int> fds = set.descriptors();
  ASSERT_EQ(fds.size(), 5U);
  EXPECT_TRUE(platform::same_socket(fds[2], fds[0]));
  EXPECT_TRUE(platform::same_socket(fds[3], fds[1]));
  EXPECT_TRUE(platform::same_socket(fds[4], fds[0]));
  for (const ListenerSet::Slot& slot : set.all()) EXPECT_EQ(slot.name, "") << "nothing of it is ours to store";
}

TEST(ListenerSet, LetsGoOfWhatOthersKeep) {
  auto set = ListenerSet::open(0, 1);
  ASSERT_TRUE(set.ok());
  const uint16_t port = set->port();
  const UniqueFd kept(dup(set->descriptors().front()));
  set->let_go();
  EXPECT_EQ(set->slots(), 0U);
  EXPECT_TRUE(connects(port));
}

TEST(ListenerSet, RetiresInEveryProcess) {
  auto set = ListenerSet::open(0, 2);
  ASSERT_TRUE(set.ok());
  const uint16_t port = set->port();
  std::vector<UniqueFd> inherited;  // as a worker would hold them
  for (const int fd : set->descriptors()) inherited.emplace_back(dup(fd));
  set->close();
  EXPECT_EQ(set->slots(), 0U);
  EXPECT_FALSE(connects(port));
}

}  // namespace
}  // namespace restgate::master
