// What becomes of target and fields between client and backend (DESIGN §6, RFC 9110 §7.6, RFC 9112 §3.2).
#include <gtest/gtest.h>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

std::string joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ", ") + value;
  return text;
}

struct TargetCase {
  std::string base;
  std::string target;
  std::string at_origin;
};

class Target : public testing::TestWithParam<TargetCase> {};

TEST_P(Target, AtOrigin) {
  Played played({.base = GetParam().base});
  const auto passed = played.pass(request_head("GET", GetParam().target), response(200, "ok"));
  EXPECT_EQ(passed.request.start_line, "GET " + GetParam().at_origin + " HTTP/1.1");
  EXPECT_EQ(passed.response.status(), 200);
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    Rewriting, Target,
    testing::Values(TargetCase{"/base/v1?key=1&flag", "/users/7?x=y&x=%20", "/base/v1/users/7?key=1&flag&x=y&x=%20"},
                    TargetCase{"/base/v1?key=1", "/users/7", "/base/v1/users/7?key=1"},
                    TargetCase{"/base/", "/a", "/base/a"}, TargetCase{"/base", "/", "/base/"},
                    TargetCase{"", "/a?", "/a?"}, TargetCase{"", "/a/?q=/?&=//..", "/a/?q=/?&=//.."},
                    TargetCase{"", "/a%2Fb/%7Ec;p=1/@:!$&'()*+,=", "/a%2Fb/%7Ec;p=1/@:!$&'()*+,="},
                    TargetCase{"", "/caf%C3%A9/%e2%82%ac", "/caf%C3%A9/%e2%82%ac"},
                    TargetCase{"", "/caf\xC3\xA9?\xE9=\"<{|}>\"", "/caf\xC3\xA9?\xE9=\"<{|}>\""}));

TEST(Rewriting, AbsoluteFormGoesOnAsOriginForm) {
  Played played;
  const auto passed =
      played.pass("GET http://shop.test:8080/a?b HTTP/1.1\r\nHost: other.test\r\n\r\n", response(200, ""));
  EXPECT_EQ(passed.request.start_line, "GET /a?b HTTP/1.1");
  EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "shop.test:8080") << "the target's authority replaces Host";
  const auto no_path = played.pass("GET http://shop.test HTTP/1.1\r\nHost: shop.test\r\n\r\n", response(200, ""));
  EXPECT_EQ(no_path.request.start_line, "GET / HTTP/1.1");
  const auto query = played.pass("GET http://shop.test?q HTTP/1.1\r\nHost: shop.test\r\n\r\n", response(200, ""));
  EXPECT_EQ(query.request.start_line, "GET /?q HTTP/1.1");
  played.gateway.expect_requests("all", "GET", 200, 3);
  played.gateway.stop();
}

TEST(Rewriting, HostIsTheServicesAndTheClientsIsForwarded) {
  Played played;
  const auto passed = played.pass("GET /a HTTP/1.1\r\nHost: Shop.Test:81\r\n\r\n", response(200, ""));
  EXPECT_EQ(passed.request.field("Host"), "127.0.0.1:" + std::to_string(played.origin.port()));
  EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "Shop.Test:81");
  EXPECT_EQ(passed.request.field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(passed.request.field("X-Forwarded-For"), "127.0.0.1");
  played.gateway.stop();
}

TEST(Rewriting, PreserveHost) {
  Played played({.service = {{"preserve_host", "true"}}});
  const auto passed = played.pass("GET /a HTTP/1.1\r\nHost: shop.test:81\r\n\r\n", response(200, ""));
  EXPECT_EQ(passed.request.field("Host"), "shop.test:81");
  played.gateway.stop();
}

TEST(Rewriting, ForwardedForIsAppendedTo) {
  Played played;
  const auto one = played.pass(request_head("GET", "/", "X-Forwarded-For: 192.0.2.1\r\n"), response(200, ""));
  EXPECT_EQ(joined(one.request.all("X-Forwarded-For")), "192.0.2.1, 127.0.0.1");
  const auto two = played.pass(
      request_head("GET", "/", "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nA: b\r\nx-forwarded-for: 192.0.2.3\r\n"),
      response(200, ""));
  EXPECT_EQ(joined(two.request.all("X-Forwarded-For")), "192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1");
  played.gateway.stop();
}

TEST(Rewriting, EachForwardedFieldIsThereOnce) {
  Played played;
  const auto passed = played.pass(
      request_head("GET", "/",
                   "X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: gopher\r\n"),
      response(200, ""));
  EXPECT_EQ(passed.request.all("X-Forwarded-Proto").size(), 1U);
  EXPECT_EQ(passed.request.all("X-Forwarded-Host").size(), 1U);
  played.gateway.stop();
}

TEST(Rewriting, ConnectionCannotNameAwayForwardedFieldsOrHost) {
  Played played;
  const auto passed = played.pass(
      request_head("POST", "/",
                   "X-Forwarded-For: 192.0.2.1\r\nContent-Length: 2\r\n"
                   "Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Host, Content-Length\r\n") +
          "ab",
      response(200, ""));
  EXPECT_EQ(joined(passed.request.all("X-Forwarded-For")), "192.0.2.1, 127.0.0.1");
  EXPECT_EQ(passed.request.field("X-Forwarded-Host"), "client.test");
  EXPECT_EQ(passed.request.field("X-Forwarded-Proto"), "http");
  EXPECT_TRUE(passed.request.has("Host"));
  EXPECT_EQ(passed.request.body, "ab");
  played.gateway.stop();
}

TEST(Rewriting, HopByHopRequestFieldsEndHere) {
  Played played;
  const auto passed = played.pass(
      request_head("GET", "/",
                   "Connection: X-Private, keep-alive\r\nX-Private: 1\r\nconnection:\t x-Other\r\nX-Other: 2\r\n"
                   "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: h2c\r\n"
                   "Proxy-Authorization: Basic x\r\nX-Kept: yes\r\nAuthorization: Bearer y\r\nCookie: a=b\r\n"),
      response(200, ""));
  for (const char* name : {"X-Private", "X-Other", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade"})
    EXPECT_FALSE(passed.request.has(name)) << name;
  EXPECT_FALSE(passed.request.lists("Connection", "X-Private"));
  EXPECT_EQ(passed.request.field("X-Kept"), "yes");
  EXPECT_EQ(passed.request.field("Authorization"), "Bearer y");
  EXPECT_EQ(passed.request.field("Cookie"), "a=b");
  played.gateway.stop();
}

TEST(Rewriting, HopByHopResponseFieldsEndHere) {
  Played played;
  const auto passed = played.pass(
      request_head("GET", "/"),
      response(
          200, "ok",
          "Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n"
          "Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\nServer: Origin/1\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
          "Content-Encoding: br\r\nETag: \"x\"\r\nX-Empty:\r\n"));
  for (const char* name : {"X-Secret", "Keep-Alive", "Proxy-Connection"})
    EXPECT_FALSE(passed.response.has(name)) << name;
  EXPECT_FALSE(passed.response.lists("Connection", "X-Secret"));
  EXPECT_EQ(passed.response.all("Set-Cookie"), (std::vector<std::string>{"a=1; Path=/", "b=2"}));
  EXPECT_EQ(passed.response.field("Server"), "Origin/1");
  EXPECT_EQ(passed.response.field("Date"), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(passed.response.field("Content-Encoding"), "br");
  EXPECT_EQ(passed.response.field("ETag"), "\"x\"");
  EXPECT_EQ(passed.response.field("X-Empty"), "");
  EXPECT_EQ(passed.response.body, "ok");
  played.gateway.stop();
}

TEST(Rewriting, ViaBothWaysUnlessSwitchedOff) {
  {
    Played played;
    const auto passed =
        played.pass(request_head("GET", "/", "Via: 1.0 first\r\n"), response(200, "", "Via: 1.1 cdn\r\n"));
    const std::string request_via = joined(passed.request.all("Via"));
    EXPECT_TRUE(request_via.starts_with("1.0 first, 1.1 ")) << request_via;
    const std::string response_via = joined(passed.response.all("Via"));
    EXPECT_TRUE(response_via.starts_with("1.1 cdn, 1.1 ")) << response_via;
    played.gateway.stop();
  }
  Played played({.settings = {{"via", "false"}}});
  const auto passed = played.pass(request_head("GET", "/", "Via: 1.0 first\r\n"), response(200, ""));
  EXPECT_EQ(joined(passed.request.all("Via")), "1.0 first");
  EXPECT_FALSE(passed.response.has("Via"));
  played.gateway.stop();
}

TEST(Rewriting, OrderDuplicatesAndBytesOfFieldsStay) {
  Played played;
  const auto passed =
      played.pass(request_head("GET", "/", "B: 1\r\nA: 2\r\nb: \t 3 \r\nX-Bytes: \xc3\xa9\xff \"q\"\r\n"),
                  response(299, "x", "D: 1\r\nC: 2\r\nd: 3\r\nX-Bytes: \xe9\r\n"));
  EXPECT_EQ(passed.request.all("B"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(passed.request.field("X-Bytes"), "\xc3\xa9\xff \"q\"");
  EXPECT_EQ(passed.response.start_line, "HTTP/1.1 299 X");
  EXPECT_EQ(passed.response.all("D"), (std::vector<std::string>{"1", "3"}));
  EXPECT_EQ(passed.response.field("X-Bytes"), "\xe9");
  played.gateway.expect_requests("all", "GET", 299, 1);
  played.gateway.stop();
}

TEST(Rewriting, ReasonPhraseMayBeAnything) {
  Played played;
  const auto odd = played.pass(request_head("GET", "/"), "HTTP/1.1 200 All right: 100%\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(odd.response.start_line, "HTTP/1.1 200 All right: 100%");
  const auto empty = played.pass(request_head("GET", "/"), "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(empty.response.start_line.starts_with("HTTP/1.1 404 ")) << empty.response.start_line;
  const auto old = played.pass(request_head("GET", "/"), "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(old.response.start_line, "HTTP/1.1 200 OK") << "the version is the gateway's own (RFC 9110 §2.5)";
  EXPECT_EQ(old.response.body, "ok");
  played.gateway.stop();
}

// RFC 9110 §6.6.1
TEST(Rewriting, TheBackendsDateStaysAndAMissingOneIsAdded) {
  Played played;
  const std::string then = "Sun, 06 Nov 1994 08:49:37 GMT";
  EXPECT_EQ(played.pass(request_head("GET", "/"), response(200, "", "date: " + then + "\r\n")).response.field("Date"),
            then);
  const auto added = played.pass(request_head("GET", "/"), response(200, ""));
  ASSERT_TRUE(added.response.has("Date"));
  EXPECT_TRUE(added.response.field("Date")->ends_with(" GMT"));
  played.gateway.stop();
}

// RFC 9110 §7.6.2
TEST(Rewriting, MaxForwardsEndsHere) {
  Origin origin;
  ConfigText config;
  config.service("s", origin.url()).route("all", "OPTIONS,TRACE", "/{path...}");
  Gateway gateway(config);
  Stream client = gateway.connect();
  EXPECT_EQ(client.exchange(request_head("OPTIONS", "/", "Max-Forwards: 0\r\n")).status(), 200);
  EXPECT_EQ(client.exchange(request_head("TRACE", "/", "Max-Forwards: 0\r\n")).status(), 501);
  EXPECT_FALSE(origin.contacted());
  client.send(request_head("OPTIONS", "/", "Max-Forwards: 1\r\n"));
  Stream backend = origin.accept();
  EXPECT_EQ(backend.read_request().field("Max-Forwards"), "0");
  backend.send(response(200, "ok"));
  EXPECT_EQ(client.read_response().body, "ok");
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
