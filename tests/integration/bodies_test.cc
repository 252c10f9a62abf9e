// Bodies and their framing, both ways (RFC 9112 §6, §7; RFC 9110 §6.4, §6.5, §8.6).
#include <gtest/gtest.h>

#include <future>
#include <nlohmann/json.hpp>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

constexpr size_t kBig = size_t{10} << 20;

TEST(Bodies, LengthBothWays) {
  Played played;
  const auto passed =
      played.pass(request_head("POST", "/", "Content-Length: 5\r\n") + "hello", response(200, "world!"));
  EXPECT_EQ(passed.request.field("Content-Length"), "5");
  EXPECT_FALSE(passed.request.has("Transfer-Encoding"));
  EXPECT_EQ(passed.request.body, "hello");
  EXPECT_EQ(passed.response.field("Content-Length"), "6");
  EXPECT_FALSE(passed.response.has("Transfer-Encoding"));
  EXPECT_EQ(passed.response.body, "world!");
  EXPECT_TRUE(played.backend.quiet());
  EXPECT_TRUE(played.client.quiet());
  played.gateway.expect_requests("all", "POST", 200, 1);
  played.gateway.stop();
}

TEST(Bodies, ChunkedBothWays) {
  Played played;
  const auto passed = played.pass(
      request_head("POST", "/", "Transfer-Encoding: chunked\r\n") + chunk("hello ") + chunk("there") + chunk(""),
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("gene") + "5;x=\"y\"\r\nral k\r\n" +
          chunk("enobi") + chunk(""));
  EXPECT_TRUE(passed.request.chunked());
  EXPECT_FALSE(passed.request.has("Content-Length"));
  EXPECT_EQ(passed.request.body, "hello there");
  EXPECT_TRUE(passed.response.chunked());
  EXPECT_FALSE(passed.response.has("Content-Length"));
  EXPECT_EQ(passed.response.body, "general kenobi");
  EXPECT_EQ(passed.response.raw_body.find(";x="), std::string::npos) << "extensions end here (RFC 9112 §7.1.1)";
  EXPECT_TRUE(played.backend.quiet());
  EXPECT_TRUE(played.client.quiet());
  played.gateway.expect_requests("all", "POST", 200, 1);
  played.gateway.stop();
}

TEST(Bodies, EmptyOnes) {
  Played played;
  const auto none = played.pass(request_head("POST", "/"), response(200, ""));
  EXPECT_FALSE(none.request.chunked());
  EXPECT_EQ(none.response.field("Content-Length"), "0");
  const auto zero = played.pass(request_head("POST", "/", "Content-Length: 0\r\n"), response(200, ""));
  EXPECT_EQ(zero.request.field("Content-Length"), "0");
  const auto chunks = played.pass(request_head("PUT", "/", "Transfer-Encoding: chunked\r\n") + chunk(""),
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(""));
  EXPECT_EQ(chunks.request.body, "");
  EXPECT_EQ(chunks.response.body, "");
  EXPECT_TRUE(played.client.quiet());
  played.gateway.expect_requests("all", "POST", 200, 2);
  played.gateway.expect_requests("all", "PUT", 200, 1);
  played.gateway.stop();
}

// A request's first bytes are kept in a buffer of a page if they fit; what outgrows it moves, head and all.
TEST(Bodies, RequestsAboutTheSizeOfAPage) {
  Played played;
  played.client = played.gateway.connect();
  for (const size_t padding : {0, 3'800, 3'950, 4'020, 4'200}) {
    for (const size_t size : {1, 60, 150, 4'031, 4'032, 4'033, 16'383, 16'384, 70'000}) {
      for (const bool chunked : {false, true}) {
        SCOPED_TRACE(std::to_string(padding) + " in the head, body " + std::to_string(size) +
                     (chunked ? ", chunked" : ""));
        const std::string body = pattern_bytes(size);
        const std::string framing =
            chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: " + std::to_string(size) + "\r\n";
        std::string request = request_head("POST", "/", "X-Padding: " + std::string(padding, 'p') + "\r\n" + framing) +
                              (chunked ? chunk(body) + chunk("") : body);
        // In two parts, too: the second comes when the first has been dealt with, or not.
        const size_t first = padding % 100 == 0 ? request.size() : request.size() - size / 2;
        played.client.send(request.substr(0, first));
        if (first != request.size()) played.client.send(request.substr(first));
        played.await_backend();
        const Message received = played.backend.read_request();
        ASSERT_EQ(received.body, body);
        ASSERT_EQ(received.field("X-Padding").value_or("").size(), padding);
        played.backend.send(response(200, "done"));
        ASSERT_EQ(played.client.read_response("POST").body, "done");
      }
    }
  }
  EXPECT_TRUE(played.client.quiet());
  played.gateway.stop();
}

struct NoBodyCase {
  std::string method;
  std::string answer_head;
  int status;
};

TEST(Bodies, HeadAnd204And304HaveNone) {
  Played played;
  played.client = played.gateway.connect();
  const std::vector<NoBodyCase> cases = {
      {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 200},
      {"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200},
      {"HEAD", "HTTP/1.1 404 No\r\n\r\n", 404},
      {"GET", "HTTP/1.1 204 No\r\n\r\n", 204},
      {"POST", "HTTP/1.1 204 No\r\n\r\n", 204},
      {"GET", "HTTP/1.1 304 Same\r\nContent-Length: 1000\r\nETag: \"x\"\r\n\r\n", 304},
  };
  for (const NoBodyCase& row : cases) {
    SCOPED_TRACE(row.method + " " + row.answer_head);
    const auto passed = played.pass_on_same(request_head(row.method, "/"), row.answer_head);
    EXPECT_EQ(passed.response.status(), row.status);
    EXPECT_EQ(passed.response.body, "");
    if (row.status == 204) {
      EXPECT_FALSE(passed.response.has("Content-Length"));
    }
    if (row.method == "HEAD" && passed.response.has("Content-Length")) {
      EXPECT_EQ(passed.response.field("Content-Length"), "1000");
    }
    // The next answer begins at once: nothing of a body was invented.
    EXPECT_EQ(played.pass_on_same(request_head("GET", "/next"), response(200, "next")).response.body, "next");
  }
  played.gateway.expect_requests("all", "HEAD", 200, 2);
  played.gateway.expect_requests("all", "GET", 200, static_cast<double>(cases.size()));
  played.gateway.expect_requests("all", "GET", 304, 1);
  played.gateway.stop();
}

TEST(Bodies, ContentLengthOf204IsStripped) {
  Played played;
  const auto passed = played.pass(request_head("GET", "/"), "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(passed.response.status(), 204);
  EXPECT_FALSE(passed.response.has("Content-Length")) << "RFC 9110 §8.6";
  played.gateway.stop();
}

TEST(Bodies, ResponseUntilCloseIsComplete) {
  Played played;
  const std::string body = pattern_bytes(300'000);
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Type: x/y\r\n\r\n");
  std::future<Message> answer = std::async(std::launch::async, [&] { return played.client.read_response(); });
  played.backend.send(body);
  played.backend.close();
  const Message received = answer.get();
  EXPECT_EQ(received.body, body);
  EXPECT_TRUE(received.chunked() || received.lists("Connection", "close"));
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

// Sends `request` and `answer` at the same time as both ends read, so that no buffer has to hold them.
Played::Passed pass_big(Played& played, const std::string& request, const std::string& answer) {
  played.client = played.gateway.connect();
  std::future<void> sent = std::async(std::launch::async, [&] { played.client.send(request); });
  played.await_backend();
  Message received = played.backend.read_request();
  sent.get();
  std::future<void> answered = std::async(std::launch::async, [&] { played.backend.send(answer); });
  Message response = played.client.read_response();
  answered.get();
  return {std::move(received), std::move(response)};
}

std::string in_chunks(const std::string& body) {
  std::string coded;
  size_t size = 1;
  for (size_t at = 0; at < body.size(); at += size, size = size % 70'000 + 997)
    coded += chunk(body.substr(at, std::min(size, body.size() - at)));
  return coded + chunk("");
}

TEST(Bodies, TenMegabytesByLength) {
  Played played;
  const std::string up = pattern_bytes(kBig, 1);
  const std::string down = pattern_bytes(kBig, 2);
  const auto passed =
      pass_big(played, request_head("PUT", "/", "Content-Length: " + std::to_string(up.size()) + "\r\n") + up,
               response(200, down));
  EXPECT_TRUE(passed.request.body == up);
  EXPECT_TRUE(passed.response.body == down);
  played.gateway.expect_requests("all", "PUT", 200, 1);
  const Json access = played.gateway.await_access();
  EXPECT_GE(access.at("bytes").get<uint64_t>(), down.size());
  played.gateway.stop();
}

TEST(Bodies, TenMegabytesInChunks) {
  Played played;
  const std::string up = pattern_bytes(kBig, 3);
  const std::string down = pattern_bytes(kBig, 4);
  const auto passed = pass_big(played, request_head("PUT", "/", "Transfer-Encoding: chunked\r\n") + in_chunks(up),
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(down));
  EXPECT_TRUE(passed.request.body == up);
  EXPECT_TRUE(passed.response.body == down);
  played.gateway.expect_requests("all", "PUT", 200, 1);
  played.gateway.stop();
}

TEST(Bodies, EachPieceIsPassedOnAsItComes) {
  Played played;
  const Message ignored = [&] {
    played.client = played.gateway.connect();
    played.client.send(request_head("POST", "/", "Content-Length: 6\r\n"));
    played.await_backend();
    return played.backend.read_head();
  }();
  for (const char* piece : {"a", "bc", "def"}) {
    played.client.send(piece);
    played.backend.expect(piece);
  }
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  for (const char* piece : {"u", "vw", "xyz"}) {
    played.backend.send(piece);
    played.client.expect(piece);
  }
  played.gateway.expect_requests("all", "POST", 200, 1);
  played.gateway.stop();
}

TEST(Bodies, OneByteAtATime) {
  Played played;
  const std::string request = request_head("POST", "/x?y", "Transfer-Encoding: chunked\r\n") + chunk("abc") +
                              chunk("defghijklmnopqrst") + chunk("");
  played.client = played.gateway.connect();
  for (const char byte : request) played.client.send(std::string_view(&byte, 1));
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().body, "abcdefghijklmnopqrst");
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("0123456789abcdef0") + chunk("");
  for (const char byte : answer) played.backend.send(std::string_view(&byte, 1));
  EXPECT_EQ(played.client.read_response().body, "0123456789abcdef0");
  played.gateway.expect_requests("all", "POST", 200, 1);
  played.gateway.stop();
}

TEST(Bodies, TrailersOnlyForThoseWhoTakeThem) {
  Played played;
  const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n" + chunk("abc") +
                             "0\r\nX-Sum: 42\r\nContent-Length: 9\r\nHost: evil\r\n\r\n";
  const auto takes = played.pass(request_head("GET", "/", "TE: trailers\r\nConnection: TE\r\n"), answer);
  EXPECT_EQ(takes.response.body, "abc");
  ASSERT_EQ(takes.response.trailers.size(), 1U) << takes.response.raw_body;
  EXPECT_EQ(takes.response.trailers[0], (std::pair<std::string, std::string>("X-Sum", "42")));
  const auto not_asked = played.pass(request_head("GET", "/"), answer);
  EXPECT_EQ(not_asked.response.body, "abc");
  EXPECT_TRUE(not_asked.response.trailers.empty());
  EXPECT_FALSE(not_asked.response.has("X-Sum"));
  played.gateway.stop();
}

TEST(Bodies, RequestTrailersNeverBecomeFields) {
  Played played;
  const auto passed = played.pass(request_head("POST", "/", "Transfer-Encoding: chunked\r\nTrailer: X-Admin\r\n") +
                                      chunk("abc") + "0\r\nX-Admin: yes\r\n\r\n",
                                  response(200, ""));
  EXPECT_EQ(passed.request.body, "abc");
  EXPECT_FALSE(passed.request.has("X-Admin"));
  EXPECT_TRUE(played.backend.quiet());
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
