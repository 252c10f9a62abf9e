#include "worker/transport.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

namespace restgate::worker {
namespace {

using Kind = IoResult::Kind;

class PlainTransport : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_DFL);  // a write to nobody must not raise it
    int fds[2] = {-1, -1};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    transport_ = Transport(UniqueFd(fds[0]));
    peer_.reset(fds[1]);
  }
  IoResult write(std::vector<std::string> pieces) {
    std::vector<iovec> vectors;
    for (std::string& piece : pieces) vectors.push_back({piece.data(), piece.size()});
    return transport_.write(vectors);
  }
  std::string read_peer() {
    char buffer[4096];
    const ssize_t n = ::read(peer_.get(), buffer, sizeof buffer);
    return {buffer, n > 0 ? static_cast<size_t>(n) : 0};
  }

  Transport transport_;
  UniqueFd peer_;
  char buffer_[64] = {};
};

TEST_F(PlainTransport, IsReadyAtOnce) {
  EXPECT_TRUE(transport_.open());
  EXPECT_FALSE(transport_.is_tls());
  EXPECT_EQ(transport_.handshake().kind, Kind::Ok);
  EXPECT_FALSE(transport_.has_buffered_input());
  EXPECT_EQ(transport_.failure(), "");
}

TEST_F(PlainTransport, Reads) {
  EXPECT_EQ(transport_.read(buffer_, sizeof buffer_).kind, Kind::WouldBlock);
  ASSERT_EQ(::write(peer_.get(), "hello", 5), 5);
  const IoResult result = transport_.read(buffer_, sizeof buffer_);
  EXPECT_EQ(result.kind, Kind::Ok);
  EXPECT_EQ(std::string(buffer_, result.bytes), "hello");
  shutdown(peer_.get(), SHUT_WR);
  EXPECT_EQ(transport_.read(buffer_, sizeof buffer_).kind, Kind::Eof);
}

TEST_F(PlainTransport, WritesPiecesInOrder) {
  EXPECT_EQ(write({"one"}).bytes, 3U);
  EXPECT_EQ(write({"a", "", "bc", "def"}).bytes, 6U);
  EXPECT_EQ(write({}).bytes, 0U);
  EXPECT_EQ(read_peer(), "oneabcdef");
}

TEST_F(PlainTransport, WritesAtMostSoManyPiecesAtOnce) {
  const std::vector<std::string> pieces(Transport::kMaxPieces + 10, "x");
  const IoResult result = write(pieces);
  EXPECT_EQ(result.kind, Kind::Ok);
  EXPECT_EQ(result.bytes, Transport::kMaxPieces);
}

TEST_F(PlainTransport, APartialWriteThenWouldBlock) {
  const std::string much(8 << 20, 'x');
  IoResult result = write({much});
  EXPECT_EQ(result.kind, Kind::Ok);
  EXPECT_GT(result.bytes, 0U);
  EXPECT_LT(result.bytes, much.size());
  EXPECT_EQ(write({much}).kind, Kind::WouldBlock);
}

TEST_F(PlainTransport, AVanishedPeerIsAFailureNotASignal) {
  peer_.reset();
  const IoResult result = write({"x"});
  EXPECT_EQ(result.kind, Kind::Failed);
  EXPECT_EQ(result.sys_errno, EPIPE);
  EXPECT_EQ(write({"x", "y"}).sys_errno, EPIPE);
}

TEST_F(PlainTransport, HalfCloses) {
  EXPECT_TRUE(transport_.shutdown_send());
  char byte = 0;
  EXPECT_EQ(::read(peer_.get(), &byte, 1), 0);
  ASSERT_EQ(::write(peer_.get(), "late", 4), 4);
  EXPECT_EQ(transport_.read(buffer_, sizeof buffer_).bytes, 4U);
}

TEST_F(PlainTransport, MovesAndGivesItsDescriptorAway) {
  const int fd = transport_.fd();
  Transport moved = std::move(transport_);
  EXPECT_FALSE(transport_.open());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(moved.fd(), fd);
  transport_ = std::move(moved);
  const UniqueFd given = transport_.release_fd();
  EXPECT_EQ(given.get(), fd);
  EXPECT_FALSE(transport_.open());
  transport_.close();
  EXPECT_FALSE(transport_.shutdown_send());
}

TEST_F(PlainTransport, ClosesOnDestruction) {
  { Transport ending = std::move(transport_); }
  char byte = 0;
  EXPECT_EQ(::read(peer_.get(), &byte, 1), 0);
}

}  // namespace
}  // namespace restgate::worker
