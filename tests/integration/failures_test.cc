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

TEST(StaleConnection, KeepAliveTimeoutOfTheBackendIsHonoured) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/1"), response(200, "one", "Keep-Alive: timeout=1\r\n")).response.body,
            "one");
  EXPECT_EQ(played.backend.read_to_end(), "") << "given up before the backend does";
  played.backend.close();
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/2"), response(200, "two")).response.body, "two");
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
    const pid_t worker = played.gateway.workers().at(0);
    suspend(worker);
    played.client.send(request_head(method, "/2"));
    played.backend.send(response(200, "poison"));
    resume(worker);
    if (method == std::string("GET")) {
      Stream fresh = played.origin.accept();
      EXPECT_EQ(fresh.read_request().target(), "/2");
      fresh.send(response(200, "two"));
      EXPECT_EQ(played.client.read_response().body, "two");
    } else {
      EXPECT_EQ(played.client.read_response().status(), 502);
      EXPECT_FALSE(played.origin.contacted());
    }
    played.backend.read_until_gone();
    played.gateway.stop();
  }
}

}  // namespace
}  // namespace restgate::itest
