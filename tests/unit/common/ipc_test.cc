#include "common/ipc.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace restgate::ipc {
namespace {

using Receipt = Channel::Receipt;

std::pair<Channel, Channel> make_pair() {
  auto made = Channel::make_pair();
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

TEST(Channel, CarriesMessagesBothWaysInOrder) {
  auto [a, b] = make_pair();
  EXPECT_TRUE(a.send({Kind::Drain, 0, 1}));
  EXPECT_TRUE(a.send({Kind::Drain, 0, 2}));
  EXPECT_TRUE(b.send({Kind::Ready, 0, 3}));
  Message message;
  for (const uint64_t value : {1U, 2U}) {
    ASSERT_EQ(b.receive(message), Receipt::Message);
    EXPECT_EQ(message.kind, Kind::Drain);
    EXPECT_EQ(message.value, value);
  }
  EXPECT_EQ(b.receive(message), Receipt::Nothing);
  ASSERT_EQ(a.receive(message), Receipt::Message);
  EXPECT_EQ(message.kind, Kind::Ready);
}

TEST(Channel, TellsWhenThePeerIsGone) {
  auto [a, b] = make_pair();
  EXPECT_TRUE(a.send({Kind::Ready, 0, 7}));
  a.close();
  Message message;
  EXPECT_EQ(b.receive(message), Receipt::Message);  // what was sent before still arrives
  EXPECT_EQ(b.receive(message), Receipt::Closed);
  EXPECT_FALSE(b.send({}));  // and no SIGPIPE
}

TEST(Channel, NeverBlocksWhenThePeerDoesNotRead) {
  auto [a, b] = make_pair();
  int sent = 0;
  while (a.send({}) && sent < 1'000'000) ++sent;
  EXPECT_GT(sent, 0);
  EXPECT_LT(sent, 1'000'000);
  Message message;
  EXPECT_EQ(b.receive(message), Receipt::Message);
}

TEST(Channel, DropsWhatIsNoMessage) {
  auto [a, b] = make_pair();
  const char bytes[64] = {};
  EXPECT_EQ(::send(a.fd(), bytes, 3, 0), 3);
  EXPECT_EQ(::send(a.fd(), bytes, sizeof(Message) + 1, 0), static_cast<ssize_t>(sizeof(Message) + 1));
  EXPECT_TRUE(a.send({Kind::Drain, 0, 9}));
  Message message;
  ASSERT_EQ(b.receive(message), Receipt::Message);
  EXPECT_EQ(message.value, 9U);
}

TEST(Channel, IsNonBlockingAndClosedOnExec) {
  auto [a, b] = make_pair();
  for (const int fd : {a.fd(), b.fd()}) {
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

}  // namespace
}  // namespace restgate::ipc
