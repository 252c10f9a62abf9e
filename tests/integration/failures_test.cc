// Clients that leave, backends whose kept connection has died (RFC 9110 §9.2.2, RFC 9112 §9.3.1).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

void await_idle_backends(const Gateway& gateway, double count) {
  gateway.await_metrics(
      [&](const Metrics& m) {
        return m.sum("restgate_backend_connections", {{"service", "backend"}, {"state", "idle"}}) == count;
      },
      "idle backend connections");
}

TEST(ClientLeaves, WhileTheBackendThinks) {
  Played played;
  played.forward(request_head("GET", "/thinking"));
  played.client.reset();
  EXPECT_EQ(played.backend.read_until_gone(), "");
  const Json access = played.gateway.await_access();
  EXPECT_EQ(access.at("status"), 499);
  EXPECT_EQ(access.at("path"), "/thinking");
  EXPECT_EQ(access.at("reason"), "client_reset");
  played.gateway.expect_requests("all", "GET", 499, 1);
  played.gateway.expect_errors("all", "client_reset", 1);
  played.gateway.stop();
}

TEST(ClientLeaves, WithAnOrderlyClose) {
  Played played;
  played.forward(request_head("GET", "/thinking"));
  played.client.close();
  EXPECT_EQ(played.backend.read_until_gone(), "");
  EXPECT_EQ(played.gateway.await_access().at("status"), 499);
  played.gateway.expect_requests("all", "GET", 499, 1);
  played.gateway.stop();
}

TEST(ClientLeaves, InTheMiddleOfItsUpload) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/up", "Content-Length: 10\r\n") + "half");
  played.await_backend();
  played.backend.read_head();
  played.backend.expect("half");
  played.client.close();
  played.backend.read_until_gone();
  EXPECT_EQ(played.gateway.await_access().at("status"), 499);
  played.gateway.expect_requests("all", "POST", 499, 1);
  played.gateway.stop();
}

TEST(ClientLeaves, InTheMiddleOfItsDownload) {
  Played played;
  played.forward(request_head("GET", "/down"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  played.client.read_until("half");
  played.client.reset();
  played.backend.read_until_gone();
  const Json access = played.gateway.await_access();
  EXPECT_TRUE(access.at("reason").get<std::string>().starts_with("client_")) << access;
  played.gateway.stop();
}

TEST(ClientLeaves, HalfCloseIsNotLeaving) {
  Played played;
  played.forward(request_head("GET", "/"));
  played.client.finish_sending();
  played.backend.send(response(200, "you still listen"));
  EXPECT_EQ(played.client.read_response().body, "you still listen");
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

// Each piece of the answer shows that the client is there; the grace for silence begins anew.
TEST(ClientLeaves, HalfCloseIsNotLeavingDuringALongAnswer) {
  Played played({.settings = {{"read_header_timeout", "700ms"}}});
  played.forward(request_head("GET", "/"));
  played.client.finish_sending();
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  for (int i = 0; i < 3; ++i) {
    Stream clock = played.gateway.connect();
    clock.read_until_gone();  // 700 ms later
    played.backend.send("more");
    played.client.expect("more");
  }
  played.client.expect_end();
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(ClientLeaves, BeforeThereIsABackend) {
  for (const bool orderly : {true, false}) {
    SCOPED_TRACE(orderly);
    const FullListener full;
    Gateway gateway(catch_all(full.url()).set("connect_timeout", "10m"));
    Stream client = gateway.connect();
    client.send(request_head("GET", "/"));
    gateway.await_metrics(
        [](const Metrics& m) {
          return m.sum("restgate_backend_connections", {{"state", "active"}}) == 1;
        },
        "a connection attempt");
    orderly ? client.close() : client.reset();
    const Json access = gateway.await_access();
    EXPECT_EQ(access.at("status"), 499);
    EXPECT_EQ(access.at("reason"), orderly ? "client_closed" : "client_reset");
    gateway.await_metrics(
        [](const Metrics& m) {
          return m.sum("restgate_backend_connections", {{"state", "active"}}) == 0;
        },
        "the attempt given up");
    gateway.stop();
  }
}

// The gateway cannot read on, since the backend takes nothing: a reset is seen all the same.
TEST(ClientLeaves, WhileItsUploadIsStuck) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("PUT", "/up", "Content-Length: 1000000000\r\n"));
  played.await_backend();
  const std::string block(size_t{1} << 20, 'x');
  while (played.client.writable_within(std::chrono::milliseconds(300))) played.client.send_some(block);
  played.client.reset();
  EXPECT_EQ(played.gateway.await_access().at("reason"), "client_reset");
  played.backend.read_until_gone();
  played.gateway.stop();
}

TEST(ClientLeaves, WithAnOrderlyCloseInTheMiddleOfItsDownload) {
  Played played;
  played.forward(request_head("GET", "/down"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  played.client.read_until("half");
  played.client.close();
  EXPECT_EQ(played.backend.read_until_gone(), "");
  EXPECT_EQ(played.gateway.await_access().at("status"), 499);
  played.gateway.stop();
}

TEST(StaleConnection, IdempotentRequestIsSentOnceMore) {
  for (const char* method : {"GET", "HEAD"}) {
    SCOPED_TRACE(method);
    Played played;
    EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
    played.client.send(request_head(method, "/2"));
    EXPECT_EQ(played.backend.read_request().target(), "/2");
    played.backend.reset();
    played.await_backend();  // a fresh connection
    EXPECT_EQ(played.backend.read_request().target(), "/2");
    played.backend.send(std::string(method) == "GET" ? response(200, "two")
                                                     : "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(played.client.read_response(method).status(), 200);
    EXPECT_FALSE(played.origin.contacted());
    played.gateway.await_metrics(
        [](const Metrics& m) {
          return m.sum("restgate_backend_retries_total", {{"service", "backend"}}) == 1;
        },
        "one retry");
    played.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_requests_total") == 2; },
                                 "two requests");
    EXPECT_EQ(played.gateway.await_access_of("/2").at("retries"), 1);
    played.gateway.stop();
  }
}

TEST(StaleConnection, AnOrderlyCloseIsTheSame) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
  played.client.send(request_head("GET", "/2"));
  EXPECT_EQ(played.backend.read_request().target(), "/2");
  played.backend.close();
  played.await_backend();
  EXPECT_EQ(played.backend.read_request().target(), "/2");
  played.backend.send(response(200, "two"));
  EXPECT_EQ(played.client.read_response().body, "two");
  played.gateway.stop();
}

TEST(StaleConnection, OnlyOnce) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
  played.client.send(request_head("GET", "/2"));
  played.backend.read_request();
  played.backend.reset();
  played.await_backend();
  played.backend.read_request();
  played.backend.reset();
  EXPECT_EQ(played.client.read_response().status(), 502);
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.expect_requests("all", "GET", 502, 1);
  played.gateway.expect_errors("all", "backend_reset", 1);
  played.gateway.stop();
}

TEST(StaleConnection, PostIsNeverSentTwice) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
  played.client.send(request_head("POST", "/2", "Content-Length: 2\r\n") + "ab");
  EXPECT_EQ(played.backend.read_request().body, "ab");
  played.backend.reset();
  EXPECT_EQ(played.client.read_response().status(), 502);
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.expect_requests("all", "POST", 502, 1);
  played.gateway.stop();
}

TEST(StaleConnection, NotAfterAByteOfTheResponse) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
  played.client.send(request_head("GET", "/2"));
  played.backend.read_request();
  played.backend.send("H");
  played.backend.close();
  EXPECT_EQ(played.client.read_response().status(), 502);
  EXPECT_FALSE(played.origin.contacted());
  played.gateway.stop();
}

TEST(StaleConnection, ThatIsSeenToCloseIsNotUsed) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
  await_idle_backends(played.gateway, 1);
  played.backend.close();
  await_idle_backends(played.gateway, 0);
  EXPECT_EQ(played.pass_on_same(request_head("POST", "/2", "Content-Length: 1\r\n") + "x", response(200, "two"))
                .response.body,
            "two");
  played.gateway.expect_requests("all", "POST", 200, 1);
  EXPECT_EQ(played.gateway.metrics().sum("restgate_backend_retries_total"), 0);
  played.gateway.stop();
}

// The worker sleeps while the request comes and then the backend goes: it sees both at once, the request first. A POST
// would not survive it, so the connection is looked at before it is used.
TEST(StaleConnection, PostDoesNotGoIntoOneThatHasJustClosed) {
  for (const bool orderly : {true, false}) {
    SCOPED_TRACE(orderly);
    Played played;
    EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
    await_idle_backends(played.gateway, 1);
    {
      const Paused worker(played.gateway.workers().at(0));
      played.client.send(request_head("POST", "/2", "Content-Length: 1\r\n") + "x");
      orderly ? played.backend.close() : played.backend.reset();
    }
    played.await_backend();
    EXPECT_EQ(played.backend.read_request().body, "x");
    played.backend.send(response(200, "two"));
    EXPECT_EQ(played.client.read_response().body, "two");
    played.gateway.stop();
  }
}

TEST(StaleConnection, KeepAliveTimeoutOfTheBackendIsHonoured) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one", "Keep-Alive: timeout=1\r\n")).response.body,
            "one");
  EXPECT_EQ(played.backend.read_to_end(), "") << "given up before the backend does";
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/2"), response(200, "two")).response.body, "two");
  played.gateway.stop();
}

// Bytes and the reset behind them in one event, after which no other will come.
TEST(ResetWithTheLastBytes, OfAnAnswer) {
  Played played;
  played.forward(request_head("GET", "/"));
  {
    const Paused worker(played.gateway.workers().at(0));
    played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    played.backend.reset();
  }
  EXPECT_EQ(played.client.read_head().status(), 200);
  EXPECT_EQ(played.client.read_until_gone(), "half");
  played.gateway.expect_errors("all", "backend_body_cut", 1);
  played.gateway.stop();
}

TEST(ResetWithTheLastBytes, OfAnAnswersHead) {
  Played played;
  played.forward(request_head("GET", "/"));
  {
    const Paused worker(played.gateway.workers().at(0));
    played.backend.send("HTTP/1.1 200 OK\r\nContent-");
    played.backend.reset();
  }
  EXPECT_EQ(played.client.read_response().status(), 502);
  played.gateway.expect_errors("all", "backend_reset", 1);
  played.gateway.stop();
}

TEST(ResetWithTheLastBytes, OfAnUpload) {
  Played played;
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/up", "Content-Length: 10\r\n"));
  played.await_backend();
  {
    const Paused worker(played.gateway.workers().at(0));
    played.client.send("half");
    played.client.reset();
  }
  EXPECT_EQ(played.gateway.await_access().at("status"), 499);
  played.backend.read_until_gone();
  played.gateway.stop();
}

TEST(BackendFails, FreshConnectionThatDiesGives502) {
  Played played;
  played.forward(request_head("GET", "/"));
  played.backend.reset();
  EXPECT_EQ(played.client.read_response().status(), 502);
  EXPECT_FALSE(played.origin.contacted());
  // The client's connection is as good as before.
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/2"), response(200, "two")).response.body, "two");
  played.gateway.expect_requests("all", "GET", 502, 1);
  played.gateway.stop();
}

// A backend that speaks out of turn just when the connection is lent: the worker hears of both at once.
TEST(StaleConnection, WhatCameBeforeTheRequestIsNoAnswerToIt) {
  for (const char* method : {"GET", "POST"}) {
    SCOPED_TRACE(method);
    Played played;
    EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one")).response.body, "one");
    {
      const Paused worker(played.gateway.workers().at(0));
      played.client.send(request_head(method, "/2"));
      played.backend.send(response(200, "poison"));
    }
    Stream fresh = played.origin.accept();
    EXPECT_EQ(fresh.read_request().target(), "/2");
    fresh.send(response(200, "two"));
    EXPECT_EQ(played.client.read_response().body, "two");
    // A POST has never been on its way there; a GET has, and is repeated.
    EXPECT_EQ(played.backend.read_until_gone().find("POST"), std::string::npos);
    played.gateway.stop();
  }
}

}  // namespace
}  // namespace restgate::itest
