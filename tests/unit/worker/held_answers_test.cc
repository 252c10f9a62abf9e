#include "worker/held_answers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <deque>
#include <string>
#include <string_view>

namespace restgate::worker {
namespace {

constexpr size_t kHeld = 1024;

/// One connection: both ends, and its place.
struct Client {
  Client() {
    std::array<int, 2> pair{-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    transport = Transport(UniqueFd(pair[0]));
    peer.reset(pair[1]);
  }
  std::string read() const {
    std::array<char, 65536> chunk{};
    std::string all;
    for (ssize_t n = 0; (n = ::read(peer.get(), chunk.data(), chunk.size())) > 0;)
      all.append(chunk.data(), static_cast<size_t>(n));
    return all;
  }

  Transport transport;
  UniqueFd peer;
  HeldAnswers::Place place = 0;
};

class HeldAnswersTest : public testing::Test {
 protected:
  bool take(Client& of, std::string_view bytes) {
    Outbox outbox;
    outbox.add(bytes);
    if (!held.take(of.place, of.transport, outbox)) return false;
    EXPECT_TRUE(outbox.empty());
    EXPECT_EQ(outbox.written(), bytes.size());
    return true;
  }
  /// Fills the socket; returns with how much.
  static size_t stuff(Client& of) {
    const std::string much(1 << 20, 'x');
    const iovec piece{const_cast<char*>(much.data()), much.size()};
    size_t stuffed = 0;
    for (IoResult result; (result = of.transport.write({&piece, 1})).kind == IoResult::Kind::Ok;)
      stuffed += result.bytes;
    return stuffed;
  }
  void run_turn() {
    loop.set_turn_hook([this] {
      held.send_due();
      loop.stop();
    });
    loop.run();
  }

  EventLoop loop;
  BufferPool buffers{kHeld, 4};
  HeldAnswers held{loop, buffers};
  Client client;
};

TEST_F(HeldAnswersTest, GoTogether) {
  EXPECT_TRUE(take(client, "one "));
  EXPECT_TRUE(take(client, "two"));
  EXPECT_EQ(client.read(), "");
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Drained);
  EXPECT_EQ(client.read(), "one two");
  EXPECT_EQ(client.place, 0U);
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Drained) << "nothing is held";
}

TEST_F(HeldAnswersTest, GoAtTheEndOfTheNextTurnWhichDoesNotWait) {
  TimerEvent begin(loop, [this] { EXPECT_TRUE(take(client, "one")); });
  begin.arm(std::chrono::microseconds(0));
  std::string after_first;
  loop.set_turn_hook([this, &after_first] {
    held.send_due();
    if (loop.turn() == 1) after_first = client.read();
    if (loop.turn() == 2) loop.stop();
  });
  loop.run();  // would wait for ever in its second turn
  EXPECT_EQ(after_first, "");
  EXPECT_EQ(client.read(), "one");
}

TEST_F(HeldAnswersTest, NoMoreThanThereIsRoomFor) {
  EXPECT_FALSE(take(client, std::string(kHeld + 1, 'x')));
  EXPECT_EQ(client.place, 0U);
  EXPECT_TRUE(take(client, std::string(kHeld - 1, 'a')));
  EXPECT_FALSE(take(client, "bc"));
  EXPECT_TRUE(take(client, "d"));
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Drained);
  EXPECT_EQ(client.read(), std::string(kHeld - 1, 'a') + "d");
}

TEST_F(HeldAnswersTest, WhatDoesNotGoAtOnceWaitsForTheTransport) {
  EXPECT_TRUE(take(client, "late"));
  const size_t stuffed = stuff(client);
  EXPECT_FALSE(held.stuck(client.place));
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Blocked);
  EXPECT_TRUE(held.stuck(client.place));
  EXPECT_EQ(client.read(), std::string(stuffed, 'x'));
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Drained);
  EXPECT_FALSE(held.stuck(client.place));
  EXPECT_EQ(client.read(), "late");
}

TEST_F(HeldAnswersTest, OfAClientThatDoesNotTakeThemNothingIsHeld) {
  const size_t stuffed = stuff(client);
  EXPECT_FALSE(take(client, "late"));
  EXPECT_EQ(client.place, 0U);
  EXPECT_EQ(client.read(), std::string(stuffed, 'x'));
  EXPECT_TRUE(take(client, "in time"));
}

TEST_F(HeldAnswersTest, AreForgottenOnce) {
  EXPECT_TRUE(take(client, "one"));
  held.drop(client.place);
  EXPECT_EQ(client.place, 0U);
  held.drop(client.place);
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Drained);
  EXPECT_EQ(client.read(), "");
}

TEST_F(HeldAnswersTest, AVanishedPeerIsAFailure) {
  EXPECT_TRUE(take(client, "one"));
  client.peer.reset();
  EXPECT_EQ(held.send(client.place), Outbox::Flush::Failed);
  EXPECT_EQ(client.place, 0U);
  char byte = 0;
  EXPECT_EQ(client.transport.read(&byte, 1).kind, IoResult::Kind::Eof) << "nothing else goes through it";
}

TEST_F(HeldAnswersTest, ManyConnectionsKeepTheirPlaces) {
  std::deque<Client> clients(9);
  for (size_t i = 0; i < clients.size(); ++i) EXPECT_TRUE(take(clients[i], std::to_string(i)));
  held.drop(clients[0].place);
  EXPECT_EQ(held.send(clients[4].place), Outbox::Flush::Drained);
  held.drop(clients[8].place);
  clients[2].peer.reset();
  run_turn();
  for (size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i].place, 0U);
    const bool lost = i == 0 || i == 2 || i == 8;
    EXPECT_EQ(clients[i].read(), lost ? "" : std::to_string(i));
  }
}

}  // namespace
}  // namespace restgate::worker
