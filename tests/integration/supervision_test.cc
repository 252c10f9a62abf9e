// Workers that die, and counters that outlive them (DESIGN §4, §5).
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "integration/support/load.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

ConfigText workers_of(const std::string& url, const std::string& count) {
  ConfigText config = catch_all(url);
  return config.set("workers", count).set("access_log", "false");
}

bool alive(const Gateway& gateway, pid_t pid) {
  const std::vector<pid_t> pids = gateway.workers();
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

TEST(Supervision, StartsTheWorkersThatAreAskedFor) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(workers_of(origin.url(), "3"));
  EXPECT_EQ(gateway.workers().size(), 3U);
  EXPECT_EQ(gateway.metrics().sum("restgate_workers", {{"state", "ready"}}), 3);
  gateway.stop();
}

TEST(Supervision, AKilledWorkerIsReplacedWhileOthersServe) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(workers_of(origin.url(), "2"));
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/a", "Connection: close\r\n"),
             .expected_body = "steady",
             .clients = 2,
             .fresh_connections = true,
             .forgive_lost = true});
  load.await_more(20);
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !alive(gateway, victim) && gateway.workers().size() == 2; }));
  load.await_more(50);
  load.stop();
  // Only what the victim was executing may be lost: at most one request of each client.
  EXPECT_LE(load.lost(), 2U);
  const Json record = gateway.await_log(
      [&](const Json& r) { return r.value("msg", "") == "worker ended" && r.value("worker_pid", 0) == victim; },
      "obituary");
  EXPECT_EQ(record.at("signal"), "SIGKILL");
  const Metrics metrics = gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_workers", {{"state", "ready"}}) == 2;
      },
      "two ready workers");
  EXPECT_EQ(metrics.sum("restgate_worker_restarts_total"), 1);
  EXPECT_EQ(metrics.sum("restgate_worker_exits_total"), 1);
  gateway.stop();
}

TEST(Supervision, CountersSurviveReloadAndKill) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(workers_of(origin.url(), "2"));
  double sent = 0;
  const auto ask = [&](int count) {
    Stream client = gateway.connect();
    for (int i = 0; i < count; ++i, ++sent) EXPECT_EQ(client.exchange(request_head("GET", "/")).status(), 200);
    gateway.expect_requests("all", "GET", 200, sent);
  };
  ask(10);
  gateway.reload(workers_of(origin.url(), "2"));
  ask(7);
  for (int round = 0; round < 2; ++round) {
    // Nothing is in flight: a worker that is killed now takes no request with it.
    const pid_t victim = gateway.workers().at(0);
    ::kill(victim, SIGKILL);
    EXPECT_TRUE(eventually([&] { return !alive(gateway, victim) && gateway.workers().size() == 2; }));
    ask(5);
  }
  gateway.reload(workers_of(origin.url(), "1"));
  ask(3);
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_requests_total"), sent);
  EXPECT_EQ(metrics.sum("restgate_request_duration_seconds_count", {{"route", "all"}}), sent);
  EXPECT_EQ(metrics.sum("restgate_requests_in_flight"), 0) << "gauges die with their worker";
  gateway.stop();
}

TEST(Supervision, GaugesOfADeadWorkerAreGone) {
  Played played;
  played.forward(request_head("GET", "/thinking"));
  played.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_requests_in_flight") == 1; },
                               "one in flight");
  const pid_t victim = played.gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  played.client.read_until_gone();
  played.backend.read_until_gone();
  const Metrics metrics = played.gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_requests_in_flight") == 0 && m.sum("restgate_workers", {{"state", "ready"}}) == 1;
      },
      "nothing in flight");
  EXPECT_EQ(metrics.sum("restgate_client_connections", {{"state", "active"}}), 0);
  EXPECT_EQ(metrics.sum("restgate_backend_connections", {{"state", "active"}}), 0);
  played.gateway.stop();
}

TEST(Supervision, WorkersGoWhenTheMasterIsKilled) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(workers_of(origin.url(), "2"));
  const std::vector<pid_t> workers = gateway.workers();
  ASSERT_EQ(workers.size(), 2U);
  gateway.signal(SIGKILL);
  EXPECT_EQ(gateway.wait_exit(), -SIGKILL);
  EXPECT_TRUE(eventually(
      [&] { return std::all_of(workers.begin(), workers.end(), [](pid_t pid) { return ::kill(pid, 0) != 0; }); }));
}

TEST(Supervision, WorkTheWorkersHaveIsDoneThoughTheMasterIsKilled) {
  Played played;
  played.forward(request_head("GET", "/thinking"));
  played.gateway.signal(SIGKILL);
  EXPECT_EQ(played.gateway.wait_exit(), -SIGKILL);
  played.backend.send(response(200, "done all the same"));
  EXPECT_EQ(played.client.read_response().body, "done all the same");
}

TEST(Supervision, ASignalToTheWholeGroupIsADrain) {
  // What a terminal's Ctrl-C does: master and workers get it.
  Played played;
  played.forward(request_head("GET", "/thinking"));
  ::kill(-played.gateway.pid(), SIGINT);
  played.gateway.await_metrics([](const Metrics&) { return true; }, "an answering master");
  played.backend.send(response(200, "done"));
  EXPECT_EQ(played.client.read_response().body, "done");
  EXPECT_EQ(played.gateway.wait_exit(), 0);
}

}  // namespace
}  // namespace restgate::itest
