#include "worker/body.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace restgate::worker {
namespace {

using http1::BodyKind;

class BodyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> pair{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()), 0);
    transport = Transport(UniqueFd(pair[0]));
    peer = UniqueFd(pair[1]);
  }
  void receive(std::string_view bytes) {
    std::memcpy(buffer->room(), bytes.data(), bytes.size());
    buffer->filled(bytes.size());
  }
  /// Flushes and returns what the peer got.
  std::string sent() {
    EXPECT_EQ(outbox.flush(transport, buffers), Outbox::Flush::Drained);
    std::array<char, 65536> chunk{};
    const ssize_t n = read(peer.get(), chunk.data(), chunk.size());
    return n > 0 ? std::string(chunk.data(), static_cast<size_t>(n)) : std::string();
  }

  BufferPool buffers{65536, 4};
  BufferPtr buffer = buffers.take();
  BodyReader reader{http1::Limits{}};
  Outbox outbox;
  Transport transport;
  UniqueFd peer;
};

TEST_F(BodyTest, ALengthEndsWhereItSaysAndLeavesTheRest) {
  reader.start(BodyKind::Length, 5);
  receive("hel");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {}), BodyProgress::Produced);
  EXPECT_EQ(sent(), "hel");
  receive("loGET /");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {}), BodyProgress::Ended);
  EXPECT_EQ(sent(), "lo");
  EXPECT_EQ(buffer->view(), "GET /");
  EXPECT_EQ(reader.bytes(), 5U);
}

TEST_F(BodyTest, ChunksAreTakenOffAndPutOnAnew) {
  reader.start(BodyKind::Chunked, 0);
  receive("003;ext=1\r\nabc\r\n2\r\nde\r\n");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Produced);
  EXPECT_EQ(sent(), "5\r\nabcde\r\n");
  receive("0\r\n\r\nnext");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Ended);
  EXPECT_EQ(sent(), "0\r\n\r\n");
  EXPECT_EQ(buffer->view(), "next");
}

TEST_F(BodyTest, AChunkOfAnyShapeIsFramedAnew) {
  struct Case {
    std::vector<std::string> received;
    std::vector<std::string> sent;
  };
  const std::string long_data(300, 'd');
  const Case cases[] = {
      {{"3\r\nabc\r\n"}, {"3\r\nabc\r\n"}},
      {{"0003;a=b\r\nabc\r\n"}, {"3\r\nabc\r\n"}},
      {{"3\r\nabc\r\n2"}, {"3\r\nabc\r\n"}},                                 // and the next one begins
      {{"12c\r\n" + long_data + "\r\n"}, {"12c\r\n" + long_data + "\r\n"}},  // longer than is ever copied
      {{"5\r\nab", "cde\r\n"}, {"2\r\nab\r\n", "3\r\ncde\r\n"}},             // in two parts, at any place
      {{"5\r", "\nabcde", "\r\n"}, {"", "5\r\nabcde\r\n", ""}},              // no room for a frame
      {{"5\r\n", "abcde\r", "\n"}, {"", "5\r\nabcde\r\n", ""}},
      {{"5\r\nabcde\r", "\n"}, {"5\r\nabcde\r\n", ""}},
      {{"3\r\nabc\r\n0\r\n\r\n"}, {"3\r\nabc\r\n0\r\n\r\n"}},                       // the last one behind it
      {{"3\r\nabc\r\n", "1\r\nd\r\n1\r\ne\r\n"}, {"3\r\nabc\r\n", "2\r\nde\r\n"}},  // two in one
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.received[0]);
    reader.start(BodyKind::Chunked, 0);
    for (size_t i = 0; i < one.received.size(); ++i) {
      receive(one.received[i]);
      EXPECT_NE(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Malformed);
      EXPECT_EQ(one.sent[i].empty() ? "" : sent(), one.sent[i]);
      EXPECT_TRUE(outbox.empty());
    }
  }
}

TEST_F(BodyTest, AnewFramedChunkIsOnePiece) {
  reader.start(BodyKind::Chunked, 0);
  receive("03;x\r\nabc\r\n");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Produced);
  EXPECT_EQ(outbox.free_pieces(), Outbox::kMaxPieces - 1);
  EXPECT_EQ(sent(), "3\r\nabc\r\n");
}

TEST_F(BodyTest, ChunksForAClientThatCannotTakeThemAreRaw) {
  reader.start(BodyKind::Chunked, 0);
  receive("3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {}), BodyProgress::Ended);
  EXPECT_EQ(sent(), "abc");
}

TEST_F(BodyTest, ManySmallChunksComeInSeveralRounds) {
  reader.start(BodyKind::Chunked, 0);
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    receive("1\r\nx\r\n");
    expected += 'x';
  }
  receive("0\r\n\r\n");
  std::string got;
  for (BodyProgress progress = BodyProgress::Produced; progress != BodyProgress::Ended;) {
    progress = pump_body(reader, *buffer, outbox, {});
    ASSERT_TRUE(progress == BodyProgress::Produced || progress == BodyProgress::Ended);
    got += sent();
  }
  EXPECT_EQ(got, expected);
}

TEST_F(BodyTest, UntilCloseEndsWithTheConnection) {
  reader.start(BodyKind::UntilClose, 0);
  receive("abc");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Produced);
  EXPECT_EQ(sent(), "3\r\nabc\r\n");
  EXPECT_FALSE(reader.done());
  EXPECT_TRUE(reader.end_of_file());
  add_last_chunk(outbox, {});
  EXPECT_EQ(sent(), "0\r\n\r\n");
}

TEST_F(BodyTest, ALengthCutShortIsNoEnd) {
  reader.start(BodyKind::Length, 5);
  receive("abc");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {}), BodyProgress::Produced);
  EXPECT_EQ(sent(), "abc");
  EXPECT_FALSE(reader.end_of_file());
}

TEST_F(BodyTest, BadFramingIsTold) {
  reader.start(BodyKind::Chunked, 0);
  receive("zz\r\n");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true}), BodyProgress::Malformed);
}

TEST_F(BodyTest, NoBodyIsDoneAtOnce) {
  reader.start(BodyKind::None, 0);
  EXPECT_TRUE(reader.done());
  reader.start(BodyKind::Length, 0);
  EXPECT_TRUE(reader.done());
  receive("GET /");
  EXPECT_EQ(pump_body(reader, *buffer, outbox, {}), BodyProgress::Ended);
  EXPECT_EQ(buffer->view(), "GET /");
}

TEST_F(BodyTest, TrailersGoOnOnlyToAClientThatTakesThem) {
  for (const bool wanted : {false, true}) {
    reader.start(BodyKind::Chunked, 0);
    receive("1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n");
    EXPECT_EQ(pump_body(reader, *buffer, outbox, {.chunked = true, .trailers = wanted}), BodyProgress::Ended);
    EXPECT_EQ(sent(), wanted ? "1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n" : "1\r\na\r\n0\r\n\r\n");
  }
}

}  // namespace
}  // namespace restgate::worker
