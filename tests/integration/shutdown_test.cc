// SIGTERM and SIGINT: finish what is in flight, take nothing new, exit 0; a second one, or shutdown_timeout, ends it.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "integration/support/played.h"
#include "integration/support/websocket.h"

namespace restgate::itest {
namespace {

void expect_refused(const Gateway& gateway) {
  EXPECT_TRUE(eventually([&] { return Stream::probe(gateway.port()) == ECONNREFUSED; }));
}

class Drain : public testing::TestWithParam<int> {};

TEST_P(Drain, FinishesWhatIsInFlight) {
  Played played({.settings = {{"shutdown_timeout", "60s"}, {"workers", "2"}}});
  EXPECT_EQ(played.gateway.admin("/readyz").status(), 200);
  played.forward(request_head("GET", "/slow"));
  played.gateway.signal(GetParam());
  EXPECT_TRUE(eventually([&] { return played.gateway.admin("/readyz").status() == 503; }));
  EXPECT_EQ(played.gateway.admin("/healthz").status(), 200) << "alive, if not ready";
  expect_refused(played.gateway);
  EXPECT_FALSE(played.gateway.ended());
  played.backend.send(response(200, "the last one"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.body, "the last one");
  EXPECT_TRUE(answer.lists("Connection", "close"));
  played.client.expect_end();
  EXPECT_EQ(played.gateway.wait_exit(), 0);
  const Json access = played.gateway.await_access_of("/slow");
  EXPECT_EQ(access.at("status"), 200);
}

INSTANTIATE_TEST_SUITE_P(Shutdown, Drain, testing::Values(SIGTERM, SIGINT),
                         [](const auto& row) { return row.param == SIGTERM ? "Term" : "Int"; });

TEST(Shutdown, StreamsBothDirectionsToTheirEnd) {
  Played played({.settings = {{"shutdown_timeout", "60s"}}});
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/", "Content-Length: 6\r\n") + "abc");
  played.await_backend();
  played.backend.read_head();
  played.backend.expect("abc");
  played.gateway.signal(SIGTERM);
  expect_refused(played.gateway);
  played.client.send("def");
  played.backend.expect("def");
  played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("uvw"));
  EXPECT_EQ(played.client.read_head().status(), 200);
  played.client.read_until("uvw");
  played.backend.send(chunk("xyz") + chunk(""));
  played.client.read_until("0\r\n\r\n");
  EXPECT_EQ(played.gateway.wait_exit(), 0);
}

TEST(Shutdown, IdleConnectionsDoNotHoldItUp) {
  Played played({.settings = {{"shutdown_timeout", "60s"}, {"idle_timeout", "60s"}}});
  played.pass(request_head("GET", "/"), response(200, "ok"));
  Stream never_asked = played.gateway.connect();
  played.gateway.signal(SIGTERM);
  EXPECT_EQ(played.gateway.wait_exit(), 0);
  played.client.expect_end();
  never_asked.read_until_gone();
}

TEST(Shutdown, ASecondSignalEndsItAtOnce) {
  Played played({.settings = {{"shutdown_timeout", "10m"}}});
  played.forward(request_head("GET", "/never"));
  played.gateway.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return played.gateway.admin("/readyz").status() == 503; }));
  EXPECT_FALSE(played.gateway.ended());
  played.gateway.signal(SIGTERM);
  EXPECT_EQ(played.gateway.wait_exit(), 1) << "somebody's request was cut";
  played.client.read_until_gone();
}

TEST(Shutdown, ShutdownTimeoutForcesTheEnd) {
  Played played({.settings = {{"shutdown_timeout", "300ms"}}});
  played.forward(request_head("GET", "/never"));
  played.gateway.signal(SIGTERM);
  EXPECT_EQ(played.gateway.wait_exit(), 1);
  played.client.read_until_gone();
  played.backend.read_until_gone();
}

TEST(Shutdown, ATunnelIsCutAtShutdownTimeout) {
  Played played({.settings = {{"shutdown_timeout", "300ms"}}});
  played.forward(ws::handshake_request("/ws"));
  played.backend.send(ws::handshake_response());
  EXPECT_EQ(played.client.read_head().status(), 101);
  played.gateway.signal(SIGTERM);
  played.client.read_until_gone();
  played.backend.read_until_gone();
  played.gateway.wait_exit();
}

TEST(Shutdown, PreDrainDelayGoesOnAcceptingAndSaysGoodbye) {
  HandlerOrigin origin(always("x"));
  ConfigText config = catch_all(origin.url());
  Gateway gateway(config.set("pre_drain_delay", "10m").set("workers", "2"));
  Stream kept = gateway.connect();
  EXPECT_FALSE(kept.exchange(request_head("GET", "/")).has("Connection"));
  gateway.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return gateway.admin("/readyz").status() == 503; }));
  EXPECT_EQ(gateway.admin("/healthz").status(), 200);
  // A worker is told at the same moment, but looks a moment later.
  const auto is_last_answer = [&] {
    Stream fresh = gateway.connect();
    const bool last = fresh.exchange(request_head("GET", "/")).lists("Connection", "close");
    if (last) fresh.expect_end();
    return last;
  };
  EXPECT_TRUE(eventually(is_last_answer));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.get("/").status(), 200) << "still accepting";
  EXPECT_TRUE(kept.exchange(request_head("GET", "/")).lists("Connection", "close"));
  kept.expect_end();
  // A worker that takes the place of another has to know, too.
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const std::vector<pid_t> now = gateway.workers();
    return now.size() == 2 && std::find(now.begin(), now.end(), victim) == now.end();
  }));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(is_last_answer());
  EXPECT_FALSE(gateway.ended());
  gateway.signal(SIGTERM);
  expect_refused(gateway);
  EXPECT_EQ(gateway.wait_exit(), 0);
}

TEST(Shutdown, PreDrainDelayEndsByItselfAndShutdownTimeoutCountsFromThen) {
  Played played({.settings = {{"pre_drain_delay", "500ms"}, {"shutdown_timeout", "500ms"}}});
  played.forward(request_head("GET", "/never"));
  const auto before = Deadline::Clock::now();
  played.gateway.signal(SIGTERM);
  EXPECT_EQ(played.gateway.wait_exit(), 1) << "somebody's request was cut";
  EXPECT_GE(Deadline::Clock::now() - before, std::chrono::milliseconds(1000));
}

TEST(Shutdown, DuringAReload) {
  Played played({.settings = {{"shutdown_timeout", "60s"}}});
  played.forward(request_head("GET", "/slow"));
  played.gateway.reload(catch_all(played.origin.url()).set("shutdown_timeout", "60s"));
  played.gateway.signal(SIGTERM);
  expect_refused(played.gateway);
  played.backend.send(response(200, "of the old generation"));
  EXPECT_EQ(played.client.read_response().body, "of the old generation");
  EXPECT_EQ(played.gateway.wait_exit(), 0);
}

TEST(Shutdown, NothingInFlightIsQuick) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  const auto before = Deadline::Clock::now();
  gateway.stop();
  EXPECT_LT(Deadline::Clock::now() - before, patience());
}

}  // namespace
}  // namespace restgate::itest
