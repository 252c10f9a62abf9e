#include "worker/forwarding.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "worker/http1/parser.h"

namespace restgate::worker {
namespace {

class ForwardingTest : public ::testing::Test {
 protected:
  ForwardingTest() {
    service.url.authority = "backend:81";
    config.via = false;
  }
  std::string request(std::string_view text, bool upgrade = false, PeerTrust trust = PeerTrust::Unset) {
    raw = text;
    http1::RequestParser parser{http1::Limits{}};
    EXPECT_EQ(parser.parse(raw.data(), raw.data() + raw.size()), http1::ParseStatus::Done) << text;
    return std::string(
        render_request_head(space, {config, service, parser.head(), "192.0.2.7", trust, upgrade, identity}));
  }
  std::string response(std::string_view text, bool chunked = false, bool close = false, uint8_t minor_version = 1) {
    raw = text;
    http1::ResponseParser parser{http1::Limits{}};
    parser.reset(false);
    EXPECT_EQ(parser.parse(raw.data(), raw.data() + raw.size()), http1::ParseStatus::Done) << text;
    ForwardedResponse what{config, parser.head(), minor_version, chunked, close};
    what.switching = parser.head().status == 101;
    what.trailers = trailers;
    what.date = date;
    what.request_id = identity.request_id;
    what.server_timing = server_timing;
    return std::string(render_response_head(space, what));
  }

  config::Config config;
  config::Service service;
  ForwardedIdentity identity;
  std::string server_timing;
  bool trailers = false;
  std::string date;
  std::string raw;
  std::array<char, 4096> space{};
};

constexpr std::string_view kForwarded =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n";

TEST_F(ForwardingTest, TheTargetIsJoinedToTheServicesBaseAndQuery) {
  struct Case {
    const char* base;
    const char* query;
    const char* target;
    const char* expected;
  };
  constexpr std::array<Case, 8> kCases = {{
      {"", "", "/x", "/x"},
      {"/base", "", "/x", "/base/x"},
      {"/base", "", "/", "/base/"},
      {"", "k=1", "/x", "/x?k=1"},
      {"", "k=1", "/x?", "/x?k=1"},
      {"", "k=1", "/x?b=%20&c", "/x?k=1&b=%20&c"},
      {"", "", "/x?", "/x?"},
      {"/b", "", "/a%2Fb/%7e?q=%2F", "/b/a%2Fb/%7e?q=%2F"},
  }};
  for (const Case& c : kCases) {
    service.url.base_path = c.base;
    service.url.query = c.query;
    const std::string got = request(std::string("GET ") + c.target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(got.substr(0, got.find("\r\n")), std::string("GET ") + c.expected + " HTTP/1.1");
  }
}

TEST_F(ForwardingTest, HopByHopFieldsEndHere) {
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n"
                    "Proxy-Connection: x\r\nTE: gzip\r\nUpgrade: h2c\r\nAccept: */*\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: backend:81\r\nAccept: */*\r\n" + std::string(kForwarded));
}

TEST_F(ForwardingTest, TheBackendIsToldWhichRequestItIs) {
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: theirs\r\nTraceparent: theirs\r\nTracestate: a=1\r\nTracestate: "
      "b=2\r\n"
      "\r\n";
  const std::string line = "GET / HTTP/1.1\r\nHost: backend:81\r\n";
  const std::string forwarded(kForwarded.substr(0, kForwarded.size() - 2));
  const std::string state = "Tracestate: a=1\r\nTracestate: b=2\r\n";
  EXPECT_EQ(request(text), line + "X-Request-Id: theirs\r\nTraceparent: theirs\r\n" + state + forwarded + "\r\n");
  identity = {.request_id = "ours", .traceparent = {}, .pass_trace = true};
  EXPECT_EQ(request(text), line + "Traceparent: theirs\r\n" + state + forwarded + "X-Request-Id: ours\r\n\r\n");
  identity = {.request_id = "ours", .traceparent = "00-ours", .pass_trace = true};
  EXPECT_EQ(request(text), line + state + forwarded + "X-Request-Id: ours\r\ntraceparent: 00-ours\r\n\r\n");
  identity = {.request_id = {}, .traceparent = "00-ours", .pass_trace = false};
  EXPECT_EQ(request(text), line + "X-Request-Id: theirs\r\n" + forwarded + "traceparent: 00-ours\r\n\r\n");
  identity = {.request_id = "ours", .traceparent = {}, .pass_trace = false};
  EXPECT_EQ(request(text), line + forwarded + "X-Request-Id: ours\r\n\r\n");
}

TEST_F(ForwardingTest, TheClientIsToldWhichRequestItWasAndHowLongItTook) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\nServer-Timing: db;dur=1\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(response(text), text);
  identity.request_id = "ours";
  server_timing = "queue;dur=0.001";
  EXPECT_EQ(response(text),
            "HTTP/1.1 200 OK\r\nServer-Timing: db;dur=1\r\nX-Request-Id: ours\r\nServer-Timing: queue;dur=0.001\r\n"
            "Content-Length: 0\r\n\r\n");
  OwnResponse own;
  own.status = 404;
  own.date = "now";
  own.request_id = "ours";
  EXPECT_EQ(render_own_response(space, own),
            "HTTP/1.1 404 OK\r\nContent-Length: 0\r\nDate: now\r\nX-Request-Id: ours\r\n\r\n");
}

TEST_F(ForwardingTest, TheHostIsTheServicesUnlessPreserved) {
  service.preserve_host = true;
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(kForwarded));
}

TEST_F(ForwardingTest, ForwardedForIsAppendedToTheOthersAreOurs) {
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
                    "X-Forwarded-For: 2.2.2.2, 3.3.3.3\r\nX-Forwarded-Host: evil\r\n\r\n"),
            "GET / HTTP/1.1\r\nHost: backend:81\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7\r\n"
            "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n");
}

TEST_F(ForwardingTest, WhatAnUntrustedPeerSaysOfItsClientIsReplaced) {
  const std::string said =
      "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nx-forwarded-port: 443\r\n"
      "X-Forwarded-Prefix: /p\r\nX-Forwarded: x\r\nX-Real-Ip: 1.1.1.1\r\n";
  EXPECT_EQ(request("GET / HTTP/1.1\r\nHost: a\r\n" + said + "\r\n", false, PeerTrust::Untrusted),
            "GET / HTTP/1.1\r\nHost: backend:81\r\nX-Forwarded: x\r\nX-Real-Ip: 1.1.1.1\r\n" + std::string(kForwarded));
}

TEST_F(ForwardingTest, WhatATrustedPeerSaysOfItsClientIsKept) {
  const auto sent = [&](std::string_view fields) {
    return request("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n", false, PeerTrust::Trusted);
  };
  const std::string begin = "GET / HTTP/1.1\r\nHost: backend:81\r\n";
  EXPECT_EQ(sent("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n"
                 "X-Forwarded-Port: 443\r\n"),
            begin +
                "X-Forwarded-Port: 443\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
                "X-Forwarded-Host: shop\r\n\r\n");
  EXPECT_EQ(sent("X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
                 "X-Forwarded-Host: shop\r\nX-Forwarded-Proto:\r\n"),
            begin + "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n\r\n")
      << "each once: of several lines the last that says something";
  EXPECT_EQ(sent("X-Forwarded-Proto:\r\n"), begin + std::string(kForwarded)) << "ours where it says nothing";
}

TEST_F(ForwardingTest, FramingIsRebuilt) {
  EXPECT_EQ(request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: backend:81\r\nContent-Length: 7\r\n" + std::string(kForwarded));
  EXPECT_EQ(request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: backend:81\r\nContent-Length: 0\r\n" + std::string(kForwarded));
  EXPECT_EQ(request("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\nExpect: 100-continue\r\n\r\n"),
            "POST / HTTP/1.1\r\nHost: backend:81\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n" +
                std::string(kForwarded));
}

TEST_F(ForwardingTest, UpgradeGoesOnOnlyWhenWanted) {
  EXPECT_EQ(
      request("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true),
      "GET / HTTP/1.1\r\nHost: backend:81\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + std::string(kForwarded));
}

TEST_F(ForwardingTest, ViaNamesTheReceivedVersion) {
  config.via = true;
  const std::string got = request("GET / HTTP/1.0\r\nHost: a\r\nVia: 1.1 other\r\n\r\n");
  EXPECT_NE(got.find("Via: 1.1 other\r\n"), std::string::npos);
  EXPECT_NE(got.find("Via: 1.0 restgate\r\n"), std::string::npos);
}

// RFC 9110 §7.6.2
TEST_F(ForwardingTest, MaxForwardsCountsDown) {
  const auto sent = [this](const std::string& method, const std::string& fields) {
    const std::string got = request(method + " / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
    const size_t begin = got.find("\r\n", got.find("\r\n") + 2) + 2;
    return got.substr(begin, got.find("X-Forwarded-For") - begin);
  };
  EXPECT_EQ(sent("OPTIONS", "Max-Forwards: 10\r\n"), "Max-Forwards: 9\r\n");
  EXPECT_EQ(sent("TRACE", "max-forwards:1\r\n"), "Max-Forwards: 0\r\n");
  EXPECT_EQ(sent("OPTIONS", "Max-Forwards: 7\r\nMax-Forwards: 3\r\n"), "Max-Forwards: 2\r\n");
  EXPECT_EQ(sent("GET", "Max-Forwards: 10\r\n"), "Max-Forwards: 10\r\n");
  EXPECT_EQ(sent("OPTIONS", "Max-Forwards: many\r\n"), "Max-Forwards: many\r\n");
}

TEST_F(ForwardingTest, WhatDoesNotFitIsEmpty) {
  http1::RequestParser parser{http1::Limits{}};
  raw = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ASSERT_EQ(parser.parse(raw.data(), raw.data() + raw.size()), http1::ParseStatus::Done);
  std::array<char, 40> small{};
  EXPECT_EQ(render_request_head(small, {config, service, parser.head(), "192.0.2.7"}), "");
}

TEST_F(ForwardingTest, ResponsesKeepTheirFieldsAndLoseTheirHops) {
  EXPECT_EQ(response("HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 5\r\nKeep-Alive: timeout=3\r\n"
                     "Connection: X-Hop\r\nX-Hop: 1\r\nDate: today\r\n\r\n"),
            "HTTP/1.1 200 Fine\r\nServer: s\r\nDate: today\r\nContent-Length: 5\r\n\r\n");
}

TEST_F(ForwardingTest, ResponseFramingIsOurs) {
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(response("HTTP/1.0 200 OK\r\n\r\n", false, true), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", false, false, 0),
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(ForwardingTest, TrailersAreAnnouncedOnlyIfTheyCome) {
  const char* const head = "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(response(head, true), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  trailers = true;
  EXPECT_EQ(response(head, true), "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
}

// RFC 9110 §6.6.1
TEST_F(ForwardingTest, TheDateIsAddedWhereItIsMissing) {
  date = "now";
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(response("HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(response("HTTP/1.1 103 Early Hints\r\n\r\n"), "HTTP/1.1 103 Early Hints\r\n\r\n");
}

TEST_F(ForwardingTest, SwitchingTellsTheProtocol) {
  EXPECT_EQ(response("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"),
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST_F(ForwardingTest, OurOwnAnswers) {
  OwnResponse answer;
  answer.status = 405;
  answer.title = "Method Not Allowed";
  answer.code = "method_not_allowed";
  answer.allow = "GET, HEAD";
  answer.date = "now";
  const std::string text(render_own_response(space, answer));
  EXPECT_EQ(text.substr(0, text.find("\r\n")), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_NE(text.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nDate: now\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nContent-Type: text/plain; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(text.find("\r\nContent-Length: 43\r\n"), std::string::npos);
  EXPECT_EQ(text.substr(text.find("\r\n\r\n") + 4), "405 Method Not Allowed: method_not_allowed\n");

  answer.json = answer.close = true;
  const std::string json(render_own_response(space, answer));
  EXPECT_NE(json.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(
      json.substr(json.find("\r\n\r\n") + 4),
      "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,\"code\":\"method_not_allowed\"}\n");

  answer.head_only = true;
  const std::string head(render_own_response(space, answer));
  EXPECT_EQ(head.substr(head.find("\r\n\r\n") + 4), "");
}

// RFC 9110 §12.5.1
TEST(PrefersJson, IfAcceptNamesAJsonType) {
  const auto prefers = [](const std::string& field_lines) {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n" + field_lines + "\r\n";
    http1::RequestParser parser{http1::Limits{}};
    EXPECT_EQ(parser.parse(head.data(), head.data() + head.size()), http1::ParseStatus::Done) << head;
    return prefers_json(parser.head());
  };
  for (const char* accept :
       {"application/json", "application/problem+json", "Application/JSON", "application/*", "application/vnd.api+json",
        "text/html, application/json;q=0.9", "text/html,application/json ; charset=utf-8", "application/json;q=0.001"})
    EXPECT_TRUE(prefers("Accept: " + std::string(accept) + "\r\n")) << accept;
  EXPECT_TRUE(prefers("Accept: text/html\r\nACCEPT: application/json\r\n"));
  for (const char* accept : {"", "*/*", "text/html", "text/html, application/xml;q=0.9, */*;q=0.8", "application/jsonp",
                             "application/json;q=0", "application/json; Q=0.000", "text/json-ish", "application/+json"})
    EXPECT_FALSE(prefers("Accept: " + std::string(accept) + "\r\n")) << accept;
  EXPECT_FALSE(prefers(""));
}

}  // namespace
}  // namespace restgate::worker
