// Which route takes a request, and what is answered when none does (DESIGN §6, RFC 9110 §9.3.2, §15.5.5, §15.5.6).
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "integration/support/gateway.h"
#include "integration/support/origin.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

struct Case {
  std::string method;
  std::string target;
  int status;
  std::string route;
};

// The origin answers with the target that it was asked for.
std::string echo_target(const Message& request) {
  const std::string answer = response(200, request.target());
  return request.method() == "HEAD" ? answer.substr(0, answer.find("\r\n\r\n") + 4) : answer;
}

void expect_routed(const ConfigText& config, const HandlerOrigin& origin, const std::vector<Case>& cases) {
  Gateway gateway(config);
  Stream client = gateway.connect();
  std::map<std::tuple<std::string, std::string, int>, int> expected;
  size_t forwarded = 0;
  for (const Case& row : cases) {
    SCOPED_TRACE(row.method + " " + row.target);
    const Message answer = client.exchange(request_head(row.method, row.target));
    EXPECT_EQ(answer.status(), row.status);
    ++expected[{row.route, row.method, row.status}];
    if (row.status != 200) continue;
    ++forwarded;
    EXPECT_EQ(origin.requests().back().target(), row.target);
    EXPECT_EQ(origin.requests().back().method(), row.method);
    if (row.method != "HEAD") {
      EXPECT_EQ(answer.body, row.target);
    }
  }
  EXPECT_EQ(origin.requests().size(), forwarded);
  for (const auto& [series, count] : expected) {
    const auto& [route, method, code] = series;
    gateway.expect_requests(route, method, code, count);
  }
  EXPECT_EQ(gateway.metrics().sum("restgate_requests_total"), static_cast<double>(cases.size()));
  gateway.stop();
}

TEST(Routing, SpecificityParametersAndRest) {
  HandlerOrigin origin(echo_target);
  ConfigText config;
  config.service("s", origin.url())
      .route("file", "GET", "/files/{path...}")
      .route("any", "GET", "/account/{id}")
      .route("number", "GET", "/account/{id:[0-9]+}")
      .route("me", "GET", "/account/me")
      .route("sub", "GET", "/account/{id}/sub")
      .route("me_post", "POST", "/account/{id}")
      .route("deep", "GET", "/account/me/{x}/end")
      .route("root", "GET", "/");
  expect_routed(config, origin,
                {{"GET", "/account/alice", 200, "any"},
                 {"GET", "/account/12345", 200, "number"},
                 {"GET", "/account/12345x", 200, "any"},
                 {"GET", "/account/me", 200, "me"},
                 {"GET", "/account/m%65", 200, "me"},
                 {"GET", "/account/Me", 200, "any"},
                 {"POST", "/account/me", 200, "me_post"},
                 {"GET", "/account/me/sub", 200, "sub"},
                 {"GET", "/account/me/q/end", 200, "deep"},
                 {"GET", "/files/a", 200, "file"},
                 {"GET", "/files/a/b/c.txt?q=/d", 200, "file"},
                 {"GET", "/files/", 200, "file"},
                 {"GET", "/", 200, "root"},
                 {"GET", "/?x", 200, "root"},
                 {"GET", "/files", 404, "unmatched"},
                 {"GET", "/account", 404, "unmatched"},
                 {"GET", "/account/me/q/other", 404, "unmatched"},
                 {"GET", "/nothing", 404, "unmatched"}});
}

TEST(Routing, TrailingSlashAndEncodedSlash) {
  HandlerOrigin origin(echo_target);
  ConfigText config;
  config.service("s", origin.url())
      .route("plain", "GET", "/a/b")
      .route("slash", "GET", "/a/b/")
      .route("one", "GET", "/one/{x}")
      .route("two", "GET", "/one/{x}/{y}");
  expect_routed(config, origin,
                {{"GET", "/a/b", 200, "plain"},
                 {"GET", "/a/b/", 200, "slash"},
                 {"GET", "/one/x%2Fy", 200, "one"},
                 {"GET", "/one/x%2fy/z", 200, "two"},
                 {"GET", "/one/x/y", 200, "two"},
                 {"GET", "/a%2Fb", 404, "unmatched"},
                 {"GET", "/one/x/y/z", 404, "unmatched"}});
}

TEST(Routing, PathsThatHideTheirMeaningAreRefused) {
  HandlerOrigin origin(echo_target);
  Gateway gateway(catch_all(origin.url()));
  const std::vector<std::string> targets = {"/a/../b", "/a/./b", "/..",     "/a/%2e%2e/b", "/a/.%2E",  "/%2e",
                                            "/a//b",   "//a",    "/a\\b",   "/a%zz",       "/a%2",     "/a%",
                                            "/a%00b",  "/a#b",   "/a\x01b", "/a/..;/../b", "/a/b/%2E."};
  for (const std::string& target : targets) {
    SCOPED_TRACE(printable(target));
    Stream client = gateway.connect();
    EXPECT_EQ(client.exchange(request_head("GET", target)).status(), 400);
  }
  gateway.await_metrics(
      [&](const Metrics& m) {
        return m.sum("restgate_requests_total", {{"route", "unmatched"}, {"code", "400"}}) ==
               static_cast<double>(targets.size());
      },
      "all refused paths");
  EXPECT_EQ(origin.connections(), 0U);
  gateway.stop();
}

TEST(Routing, HeadIsServedByGet) {
  HandlerOrigin origin(echo_target);
  ConfigText config;
  config.service("s", origin.url()).route("get", "GET", "/a").route("post", "POST", "/b");
  expect_routed(config, origin,
                {{"HEAD", "/a", 200, "get"}, {"GET", "/a", 200, "get"}, {"HEAD", "/b", 405, "unmatched"}});
}

TEST(Routing, OptionsOnlyWhereDeclared) {
  HandlerOrigin origin(echo_target);
  ConfigText config;
  config.service("s", origin.url()).route("with", "GET,OPTIONS", "/with").route("without", "GET", "/without");
  expect_routed(config, origin, {{"OPTIONS", "/with", 200, "with"}, {"OPTIONS", "/without", 405, "unmatched"}});
}

TEST(Routing, MethodNotAllowedNamesTheAllowedOnes) {
  HandlerOrigin origin(always("x"));
  ConfigText config;
  config.service("s", origin.url())
      .route("read", "GET", "/item/{id}")
      .route("write", "PUT,DELETE", "/item/{id}")
      .route("literal", "POST", "/item/new");
  Gateway gateway(config);
  Stream client = gateway.connect();

  const Message patched = client.exchange(request_head("PATCH", "/item/7"));
  EXPECT_EQ(patched.status(), 405);
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE"}) EXPECT_TRUE(patched.lists("Allow", method)) << method;
  EXPECT_FALSE(patched.lists("Allow", "POST"));
  EXPECT_FALSE(patched.lists("Allow", "PATCH"));

  const Message on_literal = client.exchange(request_head("PATCH", "/item/new"));
  EXPECT_EQ(on_literal.status(), 405);
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "POST"})
    EXPECT_TRUE(on_literal.lists("Allow", method)) << method;

  const Message lower_case = client.exchange(request_head("get", "/item/7"));
  EXPECT_EQ(lower_case.status(), 405) << "methods are case-sensitive (RFC 9110 §9.1)";

  EXPECT_EQ(origin.connections(), 0U);
  gateway.expect_requests("unmatched", "PATCH", 405, 2);
  gateway.expect_requests("unmatched", "other", 405, 1);
  gateway.expect_errors("unmatched", "method_not_allowed", 3);
  gateway.stop();
}

TEST(Routing, UnknownAndDeclaredMethodsAsLabels) {
  HandlerOrigin origin(always("x"));
  ConfigText config;
  config.service("s", origin.url()).route("purge", "PURGE", "/cache/{x}");
  Gateway gateway(config);
  Stream client = gateway.connect();
  EXPECT_EQ(client.exchange(request_head("PURGE", "/cache/1")).status(), 200);
  EXPECT_EQ(client.exchange(request_head("BREW", "/cache/1")).status(), 405);
  gateway.expect_requests("purge", "PURGE", 200, 1);
  gateway.expect_requests("unmatched", "other", 405, 1);
  gateway.stop();
}

TEST(Routing, SeveralServicesGetTheirOwn) {
  HandlerOrigin first(always("first"));
  HandlerOrigin second(always("second"));
  ConfigText config;
  config.service("one", first.url()).route("a", "GET", "/a");
  config.service("two", second.url()).route("b", "GET", "/b");
  Gateway gateway(config);
  Stream client = gateway.connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.exchange(request_head("GET", "/a")).body, "first");
    EXPECT_EQ(client.exchange(request_head("GET", "/b")).body, "second");
  }
  EXPECT_EQ(first.requests().size(), 3U);
  EXPECT_EQ(second.requests().size(), 3U);
  gateway.expect_requests("a", "GET", 200, 3);
  gateway.expect_requests("b", "GET", 200, 3);
  gateway.stop();
}

TEST(Routing, OwnAnswersAreShortTextOrProblemJson) {
  HandlerOrigin origin(always("x"));
  ConfigText config;
  config.service("s", origin.url()).route("a", "GET", "/a");
  Gateway gateway(config);
  Stream client = gateway.connect();
  const Message text = client.exchange(request_head("GET", "/none"));
  EXPECT_EQ(text.status(), 404);
  ASSERT_TRUE(text.has("Content-Type"));
  EXPECT_TRUE(text.field("Content-Type")->starts_with("text/plain")) << *text.field("Content-Type");
  EXPECT_FALSE(text.body.empty());
  const Message json = client.exchange(request_head("GET", "/none", "Accept: application/json\r\n"));
  ASSERT_TRUE(json.has("Content-Type"));
  EXPECT_EQ(*json.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(Json::parse(json.body).at("status"), 404);
  const Message head = client.exchange(request_head("HEAD", "/none"));
  EXPECT_EQ(head.status(), 404);
  EXPECT_TRUE(client.quiet());
  gateway.stop();
}

TEST(Routing, OwnAnswersToRefusedHeadsFollowWhatWasReadOfThem) {
  Played played;
  Stream json = played.gateway.connect();
  const Message answer = json.exchange("GET / HTTP/1.1\r\nAccept: application/json\r\n\r\n");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_EQ(answer.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(Json::parse(answer.body).at("code"), "bad_host");
  Stream head = played.gateway.connect();
  head.send("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(head.read_response("HEAD").status(), 400);
  head.expect_end();
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
