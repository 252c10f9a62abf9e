// Persistent connections on both sides, pipelining, HTTP/1.0 (RFC 9112 §9).
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

std::string echo_target(const Message& request) {
  return response(200, request.target() + " " + request.body);
}

TEST(KeepAlive, OneConnectionOnEachSideForManyRequests) {
  HandlerOrigin origin(echo_target);
  Gateway gateway(catch_all(origin.url()));
  Stream client = gateway.connect();
  for (int i = 0; i < 50; ++i) {
    const std::string target = "/" + std::to_string(i);
    EXPECT_EQ(client.exchange(request_head("POST", target, "Content-Length: 1\r\n") + "x").body, target + " x");
  }
  EXPECT_EQ(origin.connections(), 1U);
  gateway.expect_requests("all", "POST", 200, 50);
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_client_connections_accepted_total") == 1; },
                        "one accepted connection");
  gateway.stop();
}

TEST(KeepAlive, BackendConnectionsAreSharedByClients) {
  HandlerOrigin origin(echo_target);
  Gateway gateway(catch_all(origin.url()));
  for (int i = 0; i < 5; ++i) {
    Stream client = gateway.connect();
    EXPECT_EQ(client.exchange(request_head("GET", "/a")).body, "/a ");
  }
  EXPECT_EQ(origin.connections(), 1U);
  gateway.expect_requests("all", "GET", 200, 5);
  gateway.stop();
}

TEST(KeepAlive, AtTheSameTimeEachHasItsOwn) {
  Played played;
  Stream first = played.gateway.connect();
  Stream second = played.gateway.connect();
  first.send(request_head("GET", "/1"));
  Stream backend1 = played.origin.accept();
  EXPECT_EQ(backend1.read_request().target(), "/1");
  second.send(request_head("GET", "/2"));
  Stream backend2 = played.origin.accept();
  EXPECT_EQ(backend2.read_request().target(), "/2");
  backend2.send(response(200, "two"));
  EXPECT_EQ(second.read_response().body, "two");
  EXPECT_TRUE(first.quiet());
  backend1.send(response(200, "one"));
  EXPECT_EQ(first.read_response().body, "one");
  played.gateway.expect_requests("all", "GET", 200, 2);
  played.gateway.stop();
}

TEST(KeepAlive, PipelinedRequestsAreAnsweredInOrder) {
  HandlerOrigin origin(echo_target);
  Gateway gateway(catch_all(origin.url()));
  Stream client = gateway.connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    const std::string target = "/" + std::to_string(i);
    if (i % 3 == 0) {
      requests += request_head("GET", target);
    } else if (i % 3 == 1) {
      requests += request_head("POST", target, "Content-Length: 4\r\n") + "body";
    } else {
      requests +=
          request_head("POST", target, "Transfer-Encoding: chunked\r\n") + chunk("bo") + chunk("dy") + chunk("");
    }
  }
  client.send(requests);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(client.read_response().body, "/" + std::to_string(i) + (i % 3 == 0 ? " " : " body"));
  const std::vector<Message> seen = origin.requests();
  ASSERT_EQ(seen.size(), 100U);
  for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].target(), "/" + std::to_string(i));
  gateway.expect_requests("all", "GET", 200, 34);
  gateway.expect_requests("all", "POST", 200, 66);
  gateway.stop();
}

TEST(KeepAlive, NothingOfAPipelinedRequestGoesOnBeforeItsTurn) {
  Played played;
  played.forward(request_head("GET", "/1") + request_head("POST", "/2", "Content-Length: 1\r\n") + "x");
  EXPECT_TRUE(played.backend.quiet());
  played.backend.send(response(200, "one"));
  EXPECT_EQ(played.client.read_response().body, "one");
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().target(), "/2");
  played.backend.send(response(200, "two"));
  EXPECT_EQ(played.client.read_response().body, "two");
  played.gateway.stop();
}

// An answer may wait a moment for the next one, but not for what comes later, and goes before it in any case.
TEST(KeepAlive, AnAnswerGoesBeforeWhateverFollowsIt) {
  Played played;
  played.forward(request_head("GET", "/1") + "GARBAGE\r\n\r\n");
  played.backend.send(response(200, "one"));
  EXPECT_EQ(played.client.read_response().body, "one");
  EXPECT_EQ(played.client.read_response().status(), 400);
  played.client.expect_end();

  played.forward(request_head("GET", "/1") + request_head("GET", "/2", "Connection: close\r\n"));
  played.backend.send(response(200, "one"));
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().target(), "/2");
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_EQ(played.client.read_response().body, "one");
  EXPECT_EQ(played.client.read_head().status(), 200);
  EXPECT_EQ(played.client.read_exactly(4), "half");
  played.backend.reset();
  EXPECT_EQ(played.client.read_until_gone(), "");

  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: x\r\n";
  played.forward(request_head("GET", "/1") + request_head("GET", "/2", upgrade));
  played.backend.send(response(200, "one"));
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().target(), "/2");
  played.backend.send("HTTP/1.1 101 Switching Protocols\r\n" + upgrade + "\r\nhello");
  EXPECT_EQ(played.client.read_response().body, "one");
  EXPECT_EQ(played.client.read_head().status(), 101);
  EXPECT_EQ(played.client.read_exactly(5), "hello");
  played.backend.close();
  EXPECT_EQ(played.client.read_until_gone(), "");
  played.client.close();
  played.gateway.stop();
}

// Those that need no backend come within one turn: more of them than can be held, and they arrive whole, in order, and
// many by one send.
TEST(KeepAlive, ManyOfOurOwnAnswersAtOnce) {
  Played played;
  Stream client = played.gateway.connect();
  constexpr int kMany = 500;
  std::string requests;
  for (int i = 0; i < kMany; ++i)
    requests += request_head("DELETE", "/", "X-Request-Id: " + std::to_string(i) + "\r\n");
  client.send(requests);
  for (int i = 0; i < kMany; ++i) {
    const Message answer = client.read_response();
    ASSERT_EQ(answer.status(), 405);
    EXPECT_EQ(*answer.field("X-Request-Id"), std::to_string(i));
  }
  EXPECT_TRUE(client.quiet());
  tcp_info info{};
  socklen_t size = sizeof info;
  ASSERT_EQ(getsockopt(client.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  EXPECT_LT(info.tcpi_data_segs_in, kMany * 3 / 4);  // how many fewer is a question of the acknowledgements
  played.gateway.stop();
}

/// The last request, and its answer's status.
class PipelinedToASlowReader : public testing::TestWithParam<std::pair<std::string, int>> {};

// The client reads nothing before it has said its last word, so that at some number of answers the last ones are held
// when there is no room for them any more. It gets all of them.
TEST_P(PipelinedToASlowReader, GetsEveryAnswer) {
  const auto [last, status] = GetParam();
  HandlerOrigin origin([](const Message& request) {
    if (request.target() == "/") return response(200, std::string(1'000, 'x'));
    return std::string("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  Gateway gateway(catch_all(origin.url()).set("access_log", "false").set("write_timeout", "60s"));
  constexpr size_t kClients = 100;
  constexpr size_t kFewest = 80;
  std::vector<Stream> clients;
  for (size_t i = 0; i < kClients; ++i) {
    Stream& client = clients.emplace_back(gateway.connect(16 * 1024));
    std::string requests;
    for (size_t n = 1; n < kFewest + i; ++n) requests += request_head("GET", "/");
    client.send(requests + last);
  }
  size_t served = 0;
  int same = 0;
  ASSERT_TRUE(eventually([&] {  // all of them are stuck, or have all that the kernel takes
    same = std::exchange(served, origin.requests().size()) == origin.requests().size() ? same + 1 : 0;
    return same >= 5;
  }));
  for (Stream& client : clients) client.finish_sending();
  for (size_t i = 0; i < kClients; ++i) {
    for (size_t n = 1; n < kFewest + i; ++n) ASSERT_EQ(clients[i].read_response().status(), 200) << n << " of " << i;
    ASSERT_EQ(status == 101 ? clients[i].read_head().status() : clients[i].read_response().status(), status)
        << "last of " << i;
    clients[i].expect_end();
  }
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    KeepAlive, PipelinedToASlowReader,
    testing::Values(std::pair(request_head("GET", "/"), 200),
                    std::pair(request_head("GET", "/", "Connection: close\r\n"), 200),
                    std::pair(request_head("GET", "/switch", "Connection: Upgrade\r\nUpgrade: x\r\n"), 101),
                    std::pair(std::string("GARBAGE\r\n\r\n"), 400)));

TEST(KeepAlive, PipelinedAfterARefusedOneIsNotServed) {
  Played played;
  Stream client = played.gateway.connect();
  client.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n" + request_head("GET", "/smuggled"));
  EXPECT_EQ(client.read_response().status(), 400);
  client.expect_end();
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.stop();
}

class CloseAsked : public testing::TestWithParam<std::string> {};

TEST_P(CloseAsked, IsAnnouncedAndDone) {
  Played played;
  const auto passed = played.pass(request_head("GET", "/", GetParam()), response(200, "last"));
  EXPECT_TRUE(passed.response.lists("Connection", "close"));
  EXPECT_EQ(passed.response.body, "last");
  EXPECT_FALSE(passed.request.lists("Connection", "close")) << "the backend connection is another matter";
  played.client.expect_end();
  // The backend connection serves the next client.
  EXPECT_EQ(played.pass(request_head("GET", "/2"), response(200, "next")).response.body, "next");
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.expect_requests("all", "GET", 200, 2);
  played.gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(KeepAlive, CloseAsked,
                         testing::Values("Connection: close\r\n", "connection: CLOSE\r\n",
                                         "Connection: x-foo, Close\r\n", "Connection: x-foo\r\nConnection: close\r\n",
                                         "Connection: keep-alive, close\r\n", "Connection: ,close ,\r\n"));

TEST(KeepAlive, BackendThatClosesCostsTheClientNothing) {
  Played played;
  const auto first = played.pass(request_head("GET", "/1"), response(200, "one", "Connection: close\r\n"));
  EXPECT_EQ(first.response.body, "one");
  EXPECT_FALSE(first.response.lists("Connection", "close"));
  played.backend.expect_end();  // the gateway has closed its side: it keeps no connection that was announced dead
  played.backend.close();
  const auto second = played.pass_on_same(request_head("GET", "/2"), response(200, "two"));
  EXPECT_EQ(second.response.body, "two");
  played.gateway.expect_requests("all", "GET", 200, 2);
  played.gateway.stop();
}

TEST(KeepAlive, Http10BackendIsNotReusedUnlessItSaysSo) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none").response.body,
            "one");
  played.backend.expect_end();
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/2"), response(200, "two")).response.body, "two");
  played.gateway.stop();
}

TEST(KeepAlive, Http10ClientGetsCloseAndNoChunks) {
  Played played;
  played.forward("GET /old HTTP/1.0\r\n\r\n");
  played.backend.send("HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\n");
  played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("not ") + chunk("chunked") +
                      chunk(""));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 200) << "no 1xx to HTTP/1.0 (RFC 9110 §15.2)";
  EXPECT_FALSE(answer.has("Transfer-Encoding"));
  EXPECT_EQ(answer.body, "not chunked");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(KeepAlive, Http10RequestGoesOnAsHttp11WithHost) {
  Played played;
  const auto passed = played.pass("GET /old HTTP/1.0\r\n\r\n", response(200, "ok"));
  EXPECT_EQ(passed.request.start_line, "GET /old HTTP/1.1");
  EXPECT_TRUE(passed.request.has("Host"));
  EXPECT_EQ(passed.response.field("Content-Length"), "2");
  played.client.expect_end();
  played.gateway.stop();
}

TEST(KeepAlive, Http10ClientThatAsksForIt) {
  Played played;
  const std::string request = "GET /old HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
  const auto passed = played.pass(request, response(200, "ok"));
  EXPECT_EQ(passed.response.body, "ok");
  if (passed.response.lists("Connection", "keep-alive")) {
    EXPECT_EQ(played.pass_on_same(request, response(200, "again")).response.body, "again");
  } else {
    played.client.expect_end();
  }
  played.gateway.stop();
}

TEST(KeepAlive, EmptyLinesBeforeARequestAreForgiven) {
  Played played;
  const auto first = played.pass("\r\n\r\n" + request_head("GET", "/1") + "\r\n", response(200, "one"));
  EXPECT_EQ(first.response.body, "one");
  EXPECT_EQ(played.pass_on_same("\r\n" + request_head("GET", "/2"), response(200, "two")).response.body, "two");
  played.gateway.expect_requests("all", "GET", 200, 2);
  played.gateway.stop();
}

// More of them than a turn's share, while further ones arrive: between two turns the connection has no exchange.
TEST(KeepAlive, AFloodOfRequestsThatNeedNoBackend) {
  constexpr size_t kRequests = 30'000;
  Played played;
  const std::string request = "UNKNOWN / HTTP/1.1\r\nHost: a\r\n\r\n";
  std::string requests;
  for (size_t i = 0; i < kRequests; ++i) requests += request;
  Stream client = played.gateway.connect();
  size_t sent = 0;
  for (size_t answered = 0; answered < kRequests;) {
    sent += client.send_some(std::string_view(requests).substr(sent));
    const Message answer = client.read_response();
    ASSERT_EQ(answer.status(), 405);
    ++answered;
  }
  EXPECT_TRUE(client.quiet());
  played.gateway.expect_requests("unmatched", "other", 405, kRequests);
  played.gateway.stop();
}

TEST(KeepAlive, AnEmptyLineAfterARequestLeavesTheConnectionIdle) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1") + "\r\n", response(200, "one")).response.body, "one");
  played.gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_client_connections", {{"state", "idle"}}) == 1;
      },
      "one idle connection");
  played.client.send("\r\n");
  EXPECT_EQ(played.pass_on_same("\r\n" + request_head("GET", "/2"), response(200, "two")).response.body, "two");
  played.client.send("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n");
  EXPECT_EQ(played.client.read_response().status(), 400) << "a few are forgiven, not any number";
  played.client.expect_end();
  played.gateway.stop();
}

// The last of many pipelined heads ends where the worker's buffer ends: its body has to fit in nevertheless.
TEST(KeepAlive, APipelinedHeadAtTheEndOfTheBufferKeepsItsBody) {
  constexpr size_t kBuffer = (64 + 16) * 1024;
  Played played;
  const std::string filler = "UNKNOWN / HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string head = request_head("POST", "/", "Content-Length: 5\r\n");
  std::string requests;
  size_t fillers = 0;
  for (; requests.size() < kBuffer - 30'000 - head.size(); ++fillers) requests += filler + "y\r\n\r\n";
  requests += filler + std::string(kBuffer - requests.size() - filler.size() - 4 - head.size(), 'y') + "\r\n\r\n";
  requests += head;
  ASSERT_EQ(requests.size(), kBuffer);
  played.client = played.gateway.connect();
  {
    const Paused worker(played.gateway.workers().at(0));  // so that it reads all of it at once
    played.client.send(requests + "hello");
  }
  for (size_t i = 0; i <= fillers; ++i) EXPECT_EQ(played.client.read_response().status(), 405);
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().body, "hello");
  played.backend.send(response(200, "ok"));
  EXPECT_EQ(played.client.read_response().body, "ok");
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
