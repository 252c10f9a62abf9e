#include "master/given_sockets.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/platform/inherited_listener.h"
#include "common/platform/sockets.h"

namespace restgate::master {
namespace {

using testing::ElementsAre;

class GivenSocketsTest : public testing::Test {
 protected:
  /// Opens `count` sockets on one port.
  static std::vector<UniqueFd> listeners(size_t count) {
    std::vector<UniqueFd> fds;
    uint16_t port = 0;
    for (size_t i = 0; i < count; ++i) {
      auto opened = platform::listen_tcp("127.0.0.1", port, {.reuse_port = true});
      EXPECT_TRUE(opened.ok());
      port = platform::local_port(opened->get());
      fds.push_back(std::move(opened).value());
    }
    return fds;
  }
  static uint16_t port_of(const UniqueFd& fd) { return platform::local_port(fd.get()); }
  void give(UniqueFd fd, std::string name) { given_.push_back({std::move(fd), std::move(name)}); }

  std::vector<platform::GivenDescriptor> given_;
};

TEST_F(GivenSocketsTest, OnesOfTheStoreKeepTheirOrderAndNames) {
  std::vector<UniqueFd> fds = listeners(11);
  const uint16_t port = port_of(fds[0]);
  std::vector<int> in_order;
  for (const UniqueFd& fd : fds) in_order.push_back(fd.get());
  for (size_t i = fds.size(); i-- > 0;) give(std::move(fds[i]), ListenerSet::name_of(port, i));
  GivenSockets given(std::move(given_));
  auto set = given.take_set(port);
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->descriptors(), in_order) << "by number: 10 comes after 9";
  EXPECT_EQ(set->wanted_port(), port);
  EXPECT_EQ(set->port(), port);
  EXPECT_EQ(set->all().at(10).name, ListenerSet::name_of(port, 10));
  EXPECT_FALSE(given.take_set(port).has_value()) << "each is given once";
}

TEST_F(GivenSocketsTest, TakesWhatMatchesAndClosesTheRest) {
  std::vector<UniqueFd> wanted = listeners(1);
  std::vector<UniqueFd> other = listeners(1);
  std::vector<UniqueFd> admin = listeners(1);
  const uint16_t port = port_of(wanted[0]);
  const uint16_t admin_port = port_of(admin[0]);
  UniqueFd silent(socket(AF_INET, SOCK_STREAM, 0));
  UniqueFd file(open("/dev/null", O_RDONLY));
  const std::vector<int> unwanted = {other[0].get(), silent.get(), file.get()};
  give(std::move(other[0]), "restgate-1-0");
  give(std::move(silent), "unknown");
  give(std::move(admin[0]), "restgate.socket");
  give(std::move(file), "data");
  give(std::move(wanted[0]), "restgate.socket");
  GivenSockets given(std::move(given_));
  const auto set = given.take_set(port);
  ASSERT_TRUE(set.has_value());
  ASSERT_EQ(set->slots(), 1U);
  EXPECT_EQ(set->all()[0].name, "") << "a socket unit's own stays its own";
  EXPECT_EQ(platform::local_port(given.take_one(admin_port).get()), admin_port);
  EXPECT_FALSE(given.take_one(admin_port));
  EXPECT_FALSE(given.take_set(0).has_value()) << "a port to be chosen is none of these";
  given.close_rest();
  for (const int fd : unwanted) EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(GivenSocketsTest, OneThatComesTwiceIsOneSlot) {
  std::vector<UniqueFd> fds = listeners(1);
  const uint16_t port = port_of(fds[0]);
  give(std::move(platform::duplicate(fds[0].get()).value()), ListenerSet::name_of(port, 0));
  give(std::move(fds[0]), "restgate.socket");
  GivenSockets given(std::move(given_));
  const auto set = given.take_set(port);
  ASSERT_TRUE(set.has_value());
  ASSERT_EQ(set->slots(), 1U);
  EXPECT_EQ(set->all()[0].name, "") << "the socket unit's comes first";
}

TEST_F(GivenSocketsTest, AdoptedSetsGrow) {
  std::vector<UniqueFd> fds = listeners(2);
  const uint16_t port = port_of(fds[0]);
  give(std::move(fds[0]), ListenerSet::name_of(port, 0));
  give(std::move(fds[1]), ListenerSet::name_of(port, 2));  // 1 is lost
  GivenSockets given(std::move(given_));
  auto set = given.take_set(port);
  ASSERT_TRUE(set.has_value());
  ASSERT_TRUE(set->grow_to(4).ok());
  std::vector<std::string> names;
  for (const ListenerSet::Slot& slot : set->all()) {
    names.push_back(slot.name);
    EXPECT_EQ(platform::listening_port(slot.fd.get()), port);
  }
  EXPECT_EQ(names.size(), 4U);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 4U) << "no name twice";
}

}  // namespace
}  // namespace restgate::master
