#include "master/management.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace restgate::master {
namespace {

/// Nothing turns the loop: what is connected waits in the queue of whoever listens.
class ManagementTest : public ::testing::Test {
 protected:
  ManagementTest() {
    const Status opened = management_.open(at(""));
    EXPECT_TRUE(opened) << opened.error().message;
  }

  static config::Config at(const std::string& address) {
    config::Config config;
    config.admin_port = 0;
    config.admin_address = address;
    return config;
  }
  /// Invalid when nobody listens there.
  [[nodiscard]] UniqueFd connect_to(const char* address) const {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(management_.port());
    inet_pton(AF_INET, address, &to.sin_addr);
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) fd.reset();
    return fd;
  }
  static bool waits(const UniqueFd& client) {
    char byte = 0;
    return recv(client.get(), &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
  }

  EventLoop loop_;
  Spawner spawner_{[](const worker::Heritage&) { return 0; }, [] {}, nullptr};
  Supervisor supervisor_{loop_, spawner_, {}};
  Management management_{loop_, supervisor_};
};

TEST_F(ManagementTest, AnotherAddressOfThePortTakesNobodyBeforeItIsServed) {
  Status prepared = management_.prepare(at("127.0.0.1"));
  ASSERT_TRUE(prepared) << prepared.error().message;
  const UniqueFd during = connect_to("127.0.0.1");
  ASSERT_TRUE(during);
  management_.roll_back();
  EXPECT_TRUE(waits(during)) << "for the server that goes on";

  prepared = management_.prepare(at("127.0.0.1"));
  ASSERT_TRUE(prepared) << prepared.error().message;
  management_.commit();
  EXPECT_TRUE(connect_to("127.0.0.1"));
  EXPECT_FALSE(connect_to("127.0.0.2")) << "the one before it is gone";
}

TEST_F(ManagementTest, EveryAddressAgainTakesThePlaceOfOne) {
  ASSERT_TRUE(management_.prepare(at("127.0.0.1")));
  management_.commit();
  ASSERT_TRUE(management_.prepare(at("")));
  EXPECT_FALSE(connect_to("127.0.0.2")) << "not yet";
  management_.commit();
  EXPECT_TRUE(connect_to("127.0.0.2"));
  EXPECT_TRUE(connect_to("127.0.0.1"));
}

}  // namespace
}  // namespace restgate::master
