// What must not wait: events, interim responses, early answers (RFC 9110 §10.1.1, §15.2; HTML "server-sent events").
#include <gtest/gtest.h>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

// The content of chunks of which the last may be incomplete.
std::string content_of(std::string_view chunks) {
  std::string content;
  while (!chunks.empty()) {
    const size_t line = chunks.find("\r\n");
    if (line == std::string_view::npos) break;
    const size_t size = std::stoul(std::string(chunks.substr(0, line)), nullptr, 16);
    content += chunks.substr(line + 2, size);
    chunks.remove_prefix(std::min(chunks.size(), line + 2 + size + 2));
  }
  return content;
}

TEST(ServerSentEvents, EachArrivesBeforeTheNextIsSent) {
  Played played;
  played.forward(request_head("GET", "/events", "Accept: text/event-stream\r\n"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  for (int i = 0; i < 20; ++i) {
    const std::string event = "id: " + std::to_string(i) + "\ndata: tick\n\n";
    played.backend.send(chunk(event));
    EXPECT_NE(played.client.read_until("tick\n\n").find("id: " + std::to_string(i) + "\n"), std::string::npos);
  }
  played.backend.send(chunk(""));
  played.client.read_until("\r\n0\r\n\r\n");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(ServerSentEvents, UntilCloseIsFlushedToo) {
  Played played;
  played.forward(request_head("GET", "/events"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  for (int i = 0; i < 5; ++i) {
    played.backend.send("data: " + std::to_string(i) + "\n\n");
    played.client.read_until("data: " + std::to_string(i) + "\n\n");
  }
  played.backend.close();
  played.client.read_until("0\r\n\r\n");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(ServerSentEvents, TheHeadAloneIsPassedOnAtOnce) {
  Played played;
  played.forward(request_head("GET", "/slow"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  played.backend.send("abc");
  played.client.expect("abc");
  played.gateway.stop();
}

TEST(ExpectContinue, IsTheBackendsToAnswer) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 4\r\nExpect: 100-Continue\r\n"));
  played.await_backend();
  EXPECT_TRUE(played.backend.read_head().lists("Expect", "100-continue"));
  EXPECT_TRUE(played.client.quiet());
  played.backend.send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 100);
  played.client.send("body");
  played.backend.expect("body");
  played.backend.send(response(201, "made"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 201);
  EXPECT_EQ(answer.body, "made");
  played.gateway.expect_requests("all", "POST", 201, 1);
  played.gateway.stop();
}

TEST(ExpectContinue, RefusedWithoutTheBody) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
  played.await_backend();
  played.backend.read_head();
  played.backend.send(response(401, "who?"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 401);
  EXPECT_EQ(answer.body, "who?");
  played.gateway.expect_requests("all", "POST", 401, 1);
  played.gateway.stop();
}

TEST(ExpectContinue, BodyWithoutWaitingIsFine) {
  Played played;
  const auto passed = played.pass(request_head("POST", "/", "Content-Length: 4\r\nExpect: 100-continue\r\n") + "body",
                                  response(200, "ok"));
  EXPECT_EQ(passed.request.body, "body");
  EXPECT_EQ(passed.response.body, "ok");
  played.gateway.stop();
}

TEST(Interim, EarlyHintsGoOnBeforeTheAnswer) {
  Played played;
  played.forward(request_head("GET", "/"));
  for (int i = 0; i < 2; ++i) {
    played.backend.send("HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n");
    const Message hints = played.client.read_head();
    EXPECT_EQ(hints.status(), 103);
    EXPECT_EQ(hints.field("Link"), "</s.css>; rel=preload");
    EXPECT_FALSE(hints.has("Content-Length"));
  }
  played.backend.send(response(200, "ok"));
  EXPECT_EQ(played.client.read_response().body, "ok");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(Interim, InOnePieceWithTheAnswer) {
  Played played;
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 103 A\r\nA: 1\r\n\r\nHTTP/1.1 102 B\r\n\r\n" + response(200, "ok"));
  EXPECT_EQ(played.client.read_head().status(), 103);
  EXPECT_EQ(played.client.read_head().status(), 102);
  EXPECT_EQ(played.client.read_response().body, "ok");
  played.gateway.stop();
}

// More of them at once than an exchange may take in one turn; what others get in between is not mixed up with them.
TEST(Interim, AFloodOfThemKeepsItsBytesApartFromOthers) {
  Played played;
  for (int count = 10; count <= 40; count += 5) {
    SCOPED_TRACE(count);
    Stream other = played.gateway.connect();
    EXPECT_EQ(other.exchange(request_head("UNKNOWN", "/")).status(), 405);  // it is known to the worker
    played.forward(request_head("GET", "/"));
    std::string answers;
    for (int i = 0; i < count; ++i) answers += "HTTP/1.1 103 Early Hints\r\nLink: </" + std::to_string(i) + ">\r\n\r\n";
    {
      const Paused worker(played.gateway.workers().at(0));
      played.backend.send(answers + response(200, "ok"));
      other.send(request_head("UNKNOWN", "/"));
    }
    for (int i = 0; i < count; ++i) {
      const Message hints = played.client.read_head();
      ASSERT_EQ(hints.start_line, "HTTP/1.1 103 Early Hints");
      EXPECT_EQ(hints.field("Link"), "</" + std::to_string(i) + ">");
    }
    EXPECT_EQ(played.client.read_response().body, "ok");
    EXPECT_EQ(other.read_response().status(), 405);
  }
  played.gateway.stop();
}

TEST(EarlyResponse, ReachesTheClientWhileItUploads) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 1000000\r\n") + std::string(1000, 'x'));
  played.await_backend();
  played.backend.read_head();
  played.backend.send(response(413, "too much", "Connection: close\r\n"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer.body, "too much");
  played.gateway.expect_requests("all", "POST", 413, 1);
  played.gateway.stop();
}

TEST(EarlyResponse, ArrivesThoughTheBackendResetsAfterIt) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 1000000\r\n") + std::string(1000, 'x'));
  played.await_backend();
  played.backend.read_head();
  played.backend.send(response(413, "too much", "Connection: close\r\n"));
  played.backend.close();  // with unread bytes: the kernel sends a reset
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer.body, "too much");
  played.gateway.stop();
}

TEST(EarlyResponse, TheUploadMayGoOnBesideTheDownload) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Transfer-Encoding: chunked\r\n"));
  played.await_backend();
  played.backend.read_head();
  played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  for (const std::string piece : {"ping", "pang", "pong"}) {
    played.client.send(chunk(piece));
    played.backend.read_until(piece);
    played.backend.send(chunk(piece));
    played.client.read_until(piece);
  }
  played.client.send(chunk(""));
  played.backend.read_until("\r\n0\r\n\r\n");
  played.backend.send(chunk(""));
  played.client.read_until("\r\n0\r\n\r\n");
  played.gateway.expect_requests("all", "POST", 200, 1);
  played.gateway.stop();
}

class BrokenUpload : public testing::TestWithParam<bool> {};

// The client does not read the answer yet, and the backend goes with a reset before it has all of the upload: what had
// come of the answer reaches the client unharmed, and an end by reset is no end of an answer (RFC 9112 §8).
TEST_P(BrokenUpload, HarmsNoAnswerThatHasBegun) {
  const bool until_close = GetParam();
  Played played;
  played.client = played.gateway.connect(16 * 1024);
  played.client.send(request_head("POST", "/", "Content-Length: 1000000\r\n") + std::string(1000, 'x'));
  played.await_backend();
  played.backend.read_head();
  const std::string answer = pattern_bytes(size_t{32} << 20);
  const std::string length = until_close ? "" : "Content-Length: " + std::to_string(answer.size()) + "\r\n";
  played.backend.send("HTTP/1.1 200 OK\r\n" + length + "\r\n");
  size_t sent = 0;
  while (sent < answer.size() && played.backend.writable_within(std::chrono::milliseconds(300)))
    sent += played.backend.send_some(std::string_view(answer).substr(sent));
  ASSERT_LT(sent, answer.size());
  played.backend.reset();
  played.client.send(std::string(1000, 'x'));  // cannot be passed on

  EXPECT_EQ(played.client.read_head().status(), 200);
  std::string got = played.client.read_until_gone();
  EXPECT_FALSE(got.ends_with("0\r\n\r\n"));
  if (until_close) got = content_of(got);
  EXPECT_GT(got.size(), 16U * 1024);
  EXPECT_EQ(std::mismatch(got.begin(), got.end(), answer.begin()).first - got.begin(),
            static_cast<ptrdiff_t>(got.size()));
  played.gateway.expect_errors("all", "backend_body_cut", 1);
  played.gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(EarlyResponse, BrokenUpload, testing::Bool(),
                         [](const auto& row) { return std::string(row.param ? "UntilClose" : "WithLength"); });

TEST(BodyLimit, IsKeptByLengthAndWhileItStreams) {
  Played played({.settings = {{"max_body_size", "10B"}}});
  Stream by_length = played.gateway.connect();
  by_length.send(request_head("POST", "/", "Content-Length: 11\r\n"));
  EXPECT_EQ(by_length.read_response().status(), 413);
  EXPECT_FALSE(played.origin.contacted());

  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Transfer-Encoding: chunked\r\n") + chunk("12345678"));
  played.await_backend();
  played.backend.read_head();
  played.client.send(chunk("901"));
  EXPECT_EQ(played.client.read_response().status(), 413);
  EXPECT_EQ(played.backend.read_until_gone().find("\r\n0\r\n"), std::string::npos);
  played.backend.close();

  EXPECT_EQ(played.pass(request_head("POST", "/", "Content-Length: 10\r\n") + "1234567890", response(200, ""))
                .response.status(),
            200);
  played.gateway.expect_requests("all", "POST", 413, 2);
  played.gateway.expect_errors("all", "request_body_too_large", 2);
  played.gateway.stop();
}

// The client is slow to read a large answer and still uploads when the backend is gone: what the backend had sent by
// then arrives as it was sent.
TEST(EarlyResponse, IsNotOverwrittenWhenTheBackendStopsReading) {
  constexpr size_t kBody = size_t{64} << 20;
  Played played;
  const std::string block = pattern_bytes(size_t{1} << 20);
  played.client = played.gateway.connect(64 * 1024);
  played.client.send(request_head("POST", "/", "Content-Length: 100000000\r\n") + "x");
  played.await_backend();
  played.backend.read_until("\r\n\r\nx");
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBody) + "\r\n\r\n");
  size_t sent = 0;
  while (played.backend.writable_within(std::chrono::milliseconds(500)))
    sent += played.backend.send_some(std::string_view(block).substr(sent % block.size()));
  ASSERT_LT(sent, kBody);
  played.backend.reset();
  for (int i = 0; i < 3; ++i) {
    (void)played.client.send_some(std::string(100'000, 'y'));
    (void)played.client.writable_within(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(played.client.read_head().status(), 200);
  const std::string got = played.client.read_until_gone();
  EXPECT_GT(got.size(), 0U);
  for (size_t at = 0; at < got.size(); at += block.size())
    ASSERT_EQ(got.substr(at, block.size()), block.substr(0, std::min(block.size(), got.size() - at))) << at;
  played.gateway.stop();
}

TEST(EarlyResponse, ArrivesInFullThoughTheClientStopsItsUpload) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 100\r\n") + "x");
  played.await_backend();
  played.backend.read_until("\r\n\r\nx");
  played.backend.send("HTTP/1.1 413 Enough\r\nContent-Length: 8\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 413);
  played.client.finish_sending();
  played.backend.send("too ");
  played.client.expect("too ");
  played.backend.send("much");
  played.client.expect("much");
  played.client.expect_end();
  EXPECT_EQ(played.backend.read_until_gone(), "");
  played.gateway.expect_requests("all", "POST", 413, 1);
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
