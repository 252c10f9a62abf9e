// X-Request-Id, traceparent, Server-Timing: what backend, client and log are told of a request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

bool is_uuid7(const std::string& id) {
  return std::regex_match(id, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

TEST(RequestId, OneIsMadeAndToldToAll) {
  Played played;
  const auto passed = played.pass(request_head("GET", "/a"), response(200, "x", "X-Request-Id: the backend's\r\n"));
  const std::string id = passed.request.field("X-Request-Id").value_or("none");
  EXPECT_TRUE(is_uuid7(id)) << id;
  EXPECT_THAT(passed.response.all("X-Request-Id"), ElementsAre(id)) << "the backend's own is not the client's";
  EXPECT_EQ(played.gateway.await_access().at("request_id"), id);
  const auto next = played.pass_on_same(request_head("GET", "/b"), response(200, "x"));
  EXPECT_NE(next.request.field("X-Request-Id"), id);
  played.gateway.stop();
}

TEST(RequestId, TheClientsIsKeptIfItDoesNoHarm) {
  Played played;
  const auto kept = played.pass(request_head("GET", "/", "X-Request-Id: client/7=a~b\r\n"), response(200, "x"));
  EXPECT_EQ(kept.request.field("X-Request-Id"), "client/7=a~b");
  EXPECT_EQ(kept.response.field("X-Request-Id"), "client/7=a~b");
  EXPECT_EQ(played.gateway.await_access().at("request_id"), "client/7=a~b");
  for (const std::string& bad : {std::string("a b"), std::string("<script>"), std::string("\xff"),
                                 std::string(129, 'x'), std::string("a\r\nX-Request-Id: b")}) {
    const auto replaced =
        played.pass_on_same(request_head("GET", "/", "X-Request-Id: " + bad + "\r\n"), response(200, "x"));
    const std::string id = replaced.request.field("X-Request-Id").value_or("none");
    EXPECT_TRUE(is_uuid7(id)) << printable(bad) << " became " << id;
    EXPECT_EQ(replaced.response.field("X-Request-Id"), id);
    EXPECT_EQ(played.gateway.await_access().at("request_id"), id);
  }
  played.gateway.stop();
}

TEST(RequestId, OurOwnAnswersHaveOneToo) {
  ConfigText config;
  config.service("s", "http://127.0.0.1:1").route("refused", "GET", "/refused");
  Gateway gateway(config);
  for (const auto& [target, status] : {std::pair{"/none", 404}, std::pair{"/refused", 502}, std::pair{"/%zz", 400}}) {
    Stream client = gateway.connect();
    const Message answer = client.exchange(request_head("GET", target, "X-Request-Id: mine\r\n"));
    EXPECT_EQ(answer.status(), status);
    EXPECT_EQ(answer.field("X-Request-Id"), "mine");
    EXPECT_EQ(gateway.await_access().at("request_id"), "mine");
  }
  Stream client = gateway.connect();
  const Message answer = client.exchange("GET / HTTP/1.1\r\nbroken\r\n\r\n");
  EXPECT_EQ(answer.status(), 400);
  EXPECT_TRUE(is_uuid7(answer.field("X-Request-Id").value_or("none")));
  EXPECT_EQ(gateway.await_access().at("request_id"), *answer.field("X-Request-Id"));
  gateway.stop();
}

TEST(RequestId, WorkersNeverMakeTheSame) {
  HandlerOrigin origin(always("x"));
  ConfigText config = catch_all(origin.url());
  Gateway gateway(config.set("workers", "4").set("access_log", "false"));
  std::set<std::string> seen;
  constexpr size_t kRequests = 200;
  for (size_t i = 0; i < kRequests; ++i) seen.insert(gateway.get("/").field("X-Request-Id").value_or("none"));
  EXPECT_EQ(seen.size(), kRequests);
  gateway.stop();
}

TEST(RequestId, SwitchedOffFieldsPassAsTheyAre) {
  Played played({.settings = {{"request_id", "false"}}});
  const auto passed =
      played.pass(request_head("GET", "/", "X-Request-Id: a b\r\n"), response(200, "x", "X-Request-Id: its own\r\n"));
  EXPECT_EQ(passed.request.field("X-Request-Id"), "a b");
  EXPECT_EQ(passed.response.field("X-Request-Id"), "its own");
  EXPECT_FALSE(played.gateway.await_access().contains("request_id"));
  const auto without = played.pass_on_same(request_head("GET", "/"), response(200, "x"));
  EXPECT_FALSE(without.request.has("X-Request-Id"));
  played.gateway.stop();
}

TEST(Tracing, AValidTraceIsPassedOnUnchanged) {
  Played played;
  const auto passed =
      played.pass(request_head("GET", "/", "TraceParent: " + std::string(kParent) + "\r\ntracestate: a=1,b=2\r\n"),
                  response(200, "x"));
  EXPECT_EQ(passed.request.field("traceparent"), kParent);
  EXPECT_EQ(passed.request.field("tracestate"), "a=1,b=2");
  EXPECT_EQ(played.gateway.await_access().at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
  const auto broken = played.pass_on_same(request_head("GET", "/", "traceparent: 00-nonsense\r\ntracestate: a=1\r\n"),
                                          response(200, "x"));
  EXPECT_FALSE(broken.request.has("traceparent"));
  EXPECT_FALSE(broken.request.has("tracestate"));
  EXPECT_FALSE(played.gateway.await_access().contains("trace_id"));
  played.gateway.stop();
}

TEST(Tracing, ItIsASpanOfTheTraceOrBeginsOne) {
  Played played({.settings = {{"tracing", "true"}}});
  const auto passed = played.pass(
      request_head("GET", "/", "traceparent: " + std::string(kParent) + "\r\ntracestate: a=1\r\n"), response(200, "x"));
  const std::string child = passed.request.field("traceparent").value_or("none");
  EXPECT_TRUE(std::regex_match(child, std::regex("00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00"))) << child;
  EXPECT_NE(child, kParent);
  EXPECT_EQ(passed.request.field("tracestate"), "a=1");
  EXPECT_EQ(played.gateway.await_access().at("trace_id"), "0af7651916cd43dd8448eb211c80319c");
  const auto begun = played.pass_on_same(request_head("GET", "/", "tracestate: a=1\r\n"), response(200, "x"));
  const std::string first = begun.request.field("traceparent").value_or("none");
  EXPECT_TRUE(std::regex_match(first, std::regex("00-[0-9a-f]{32}-[0-9a-f]{16}-01"))) << first;
  EXPECT_FALSE(begun.request.has("tracestate"));
  EXPECT_EQ(played.gateway.await_access().at("trace_id"), first.substr(3, 32));
  played.gateway.stop();
}

TEST(ServerTiming, TellsTheClientTheParts) {
  Played played({.settings = {{"server_timing", "true"}}});
  const auto passed = played.pass(request_head("GET", "/"), response(200, "x", "Server-Timing: db;dur=53\r\n"));
  const std::vector<std::string> timings = passed.response.all("Server-Timing");
  ASSERT_EQ(timings.size(), 2U);
  EXPECT_EQ(timings[0], "db;dur=53") << "the backend's stays";
  const std::string number = R"(\d+\.\d{3})";
  EXPECT_TRUE(std::regex_match(
      timings[1], std::regex("queue;dur=" + number + ", connect;dur=" + number + ", backend;dur=" + number)))
      << timings[1];
  played.gateway.stop();
}

TEST(ServerTiming, IsNotToldUnasked) {
  Played played;
  EXPECT_FALSE(played.pass(request_head("GET", "/"), response(200, "x")).response.has("Server-Timing"));
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
