#include "worker/outbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <string>
#include <utility>

namespace restgate::worker {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    transport = Transport(UniqueFd(pair[0]));
    peer = UniqueFd(pair[1]);
    const int small = 4096;
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
  }
  std::string read_all() const {
    std::string all;
    std::array<char, 65536> chunk{};
    for (ssize_t n = 0; (n = read(peer.get(), chunk.data(), chunk.size())) > 0;)
      all.append(chunk.data(), static_cast<size_t>(n));
    return all;
  }

  Transport transport;
  UniqueFd peer;
  BufferPool buffers{1 << 20, 4};
  Outbox outbox;
};

TEST_F(OutboxTest, WritesPiecesInOrder) {
  outbox.add_scratch("head ");
  outbox.add_small("framing ");
  outbox.add("body");
  outbox.add("");
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "head framing body");
  EXPECT_EQ(outbox.written(), 17U);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(OutboxTest, CopiesAShortPieceBehindTheScratchBytes) {
  std::array<char, 32> scratch{'h', 'e', 'a', 'd', ' '};
  outbox.add_scratch({scratch.data(), 5}, scratch.size() - 5);
  std::string body = "body";
  outbox.add(body);
  body = "gone";  // it has been copied
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "head body");
}

TEST_F(OutboxTest, MovesWhatIsNotWrittenBehindOtherBytes) {
  BufferPool small(16, 1);
  const BufferPtr held = small.take_with("held ");
  outbox.add_scratch("head ");
  outbox.add("a body");
  EXPECT_TRUE(outbox.move_to(*held));
  EXPECT_EQ(held->view(), "held head a body");
  EXPECT_EQ(outbox.written(), 11U);
  EXPECT_TRUE(outbox.empty());
  outbox.add("x");
  EXPECT_FALSE(outbox.move_to(*held)) << "there is no room";
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "x");
  EXPECT_EQ(held->view(), "held head a body");
}

TEST_F(OutboxTest, MovesNothingThatIsInAPipe) {
  PipePool pipes;
  const BufferPtr held = buffers.take();
  ASSERT_NE(outbox.take_pipe(pipes), nullptr);
  EXPECT_FALSE(outbox.move_to(*held));
  outbox.discard();  // the pool ends before it
}

TEST_F(OutboxTest, CopiesNothingForWhichThereIsNoRoom) {
  std::array<char, 8> scratch{'h', 'e', 'a', 'd', ' ', 'X', 'X', 'X'};
  outbox.add_scratch({scratch.data(), 5}, 3);
  outbox.add("body");
  outbox.add("!");
  EXPECT_EQ(std::string_view(scratch.data() + 5, 3), "XXX");
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "head body!");
}

TEST_F(OutboxTest, KeepsWhatIsLeftOfTheScratchSpace) {
  std::string scratch(400'000, 's');
  const std::string body(100'000, 'b');
  const std::string expected = scratch + "end" + body;
  outbox.add_scratch(scratch);
  outbox.add_small("end");
  outbox.add(body);
  ASSERT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Blocked);
  scratch.assign(scratch.size(), 'X');  // another exchange uses the space now
  std::string got;
  while (outbox.flush(transport, buffers) == Outbox::Flush::Blocked) got += read_all();
  got += read_all();
  EXPECT_EQ(got, expected);
}

TEST_F(OutboxTest, TellsABrokenConnection) {
  peer.reset();
  outbox.add("x");
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Failed);
}

TEST_F(OutboxTest, ResetForgets) {
  outbox.add("x");
  outbox.reset();
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(outbox.written(), 0U);
  EXPECT_EQ(read_all(), "");
}

class PipedOutbox : public OutboxTest {
 protected:
  /// Puts bytes into the outbox's pipe, from a socket.
  void pipe_in(std::string_view bytes) {
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    Transport source{UniqueFd(pair[0])};
    const UniqueFd end(pair[1]);
    Pipe* const pipe = outbox.take_pipe(pipes);
    ASSERT_NE(pipe, nullptr);
    ASSERT_EQ(source.read_into(*pipe, 1).kind, IoResult::Kind::WouldBlock);
    ASSERT_EQ(write(end.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    ASSERT_EQ(source.read_into(*pipe, bytes.size()).bytes, bytes.size());
    ASSERT_EQ(pipe->held, bytes.size());
  }

  PipePool pipes;
};

TEST_F(PipedOutbox, WritesWhatIsInThePipe) {
  pipe_in("never seen here");
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "never seen here");
  EXPECT_EQ(outbox.written(), 15U);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(PipedOutbox, WaitsWhileThePeerTakesNothing) {
  const std::string block(4096, 'b');
  while (write(transport.fd(), block.data(), block.size()) > 0) {
  }
  pipe_in("at last");
  ASSERT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Blocked);
  EXPECT_FALSE(outbox.empty());
  EXPECT_EQ(outbox.written(), 0U);
  (void)read_all();
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
  EXPECT_EQ(read_all(), "at last");
  EXPECT_EQ(outbox.written(), 7U);
}

TEST_F(PipedOutbox, TellsThatThePeerIsGone) {
  pipe_in("for nobody");
  peer.reset();
  signal(SIGPIPE, SIG_IGN);  // as in every process of the gateway
  EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Failed);
  signal(SIGPIPE, SIG_DFL);
  outbox.reset();
  EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace restgate::worker
