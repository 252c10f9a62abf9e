// SIGHUP: a good configuration takes over unnoticed, a bad one changes nothing (DESIGN §5).
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/platform/cpus.h"
#include "integration/support/load.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

ConfigText routes_of(const std::string& url, const std::vector<std::string>& names) {
  ConfigText config;
  config.set("workers", "2").service("backend", url);
  for (const std::string& name : names) config.route(name, "GET", "/" + name);
  return config;
}

TEST(Reload, AddsAndRemovesARoute) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(routes_of(origin.url(), {"a", "b"}));
  EXPECT_EQ(gateway.get("/b").status(), 200);
  EXPECT_EQ(gateway.get("/c").status(), 404);
  gateway.reload(routes_of(origin.url(), {"a", "c"}));
  EXPECT_EQ(gateway.get("/a").status(), 200);
  EXPECT_EQ(gateway.get("/b").status(), 404);
  EXPECT_EQ(gateway.get("/c").status(), 200);
  gateway.expect_requests("b", "GET", 200, 1);
  gateway.expect_requests("c", "GET", 200, 1);
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "success"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_config_last_reload_successful"), 1);
  EXPECT_EQ(metrics.sum("restgate_generation"), 2);
  gateway.stop();
}

/// Under load a line for each request would be more than the reader of the log keeps up with.
ConfigText quiet_routes_of(const std::string& url, const std::vector<std::string>& names) {
  ConfigText config = routes_of(url, names);
  return config.set("access_log", "false");
}

class ReloadUnderLoad : public testing::TestWithParam<bool> {};

TEST_P(ReloadUnderLoad, LosesNoRequest) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(quiet_routes_of(origin.url(), {"a"}));
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/a", GetParam() ? "Connection: close\r\n" : ""),
             .expected_body = "steady",
             .clients = 4,
             .fresh_connections = GetParam()});
  load.await_more(50);
  for (int round = 0; round < 3; ++round) {
    gateway.reload(quiet_routes_of(
        origin.url(), round % 2 == 0 ? std::vector<std::string>{"a", "b"} : std::vector<std::string>{"a"}));
    EXPECT_EQ(gateway.get("/b").status(), round % 2 == 0 ? 200 : 404);
    load.await_more(50);
  }
  load.stop();
  EXPECT_EQ(load.failures(), "");
  gateway.expect_requests("a", "GET", 200, static_cast<double>(load.answered()));
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(Reload, ReloadUnderLoad, testing::Values(false, true),
                         [](const auto& row) { return row.param ? "FreshConnections" : "KeepAlive"; });

TEST(Reload, ARequestInFlightIsFinishedByItsWorker) {
  Played played({.settings = {{"workers", "1"}}});
  const std::vector<pid_t> before = played.gateway.workers();
  played.forward(request_head("GET", "/slow"));
  ConfigText next;
  next.service("backend", played.origin.url()).route("other", "GET", "/other");
  played.gateway.reload(next);
  played.backend.send(response(200, "old but done"));
  EXPECT_EQ(played.client.read_response().body, "old but done");
  played.gateway.expect_requests("all", "GET", 200, 1);
  EXPECT_TRUE(eventually([&] {
    const std::vector<pid_t> now = played.gateway.workers();
    return now.size() == 1 && now != before;
  })) << "the old worker goes when its work is done";
  // The counters of a route that is gone stay.
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

TEST(Reload, ABadOneKeepsServingAndSaysWhere) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(routes_of(origin.url(), {"a"}));
  const std::vector<pid_t> before = gateway.workers();
  std::string yaml = routes_of(origin.url(), {"a", "b"}).yaml();
  yaml += "        patern: /typo\n";
  const std::vector<Json> records = gateway.refused_reload(yaml);
  std::string said;
  for (const Json& record : records) said += record.dump() + "\n";
  const size_t line = static_cast<size_t>(std::count(yaml.begin(), yaml.end(), '\n'));
  EXPECT_NE(said.find(gateway.config_path() + ":" + std::to_string(line) + ":9"), std::string::npos) << said;
  EXPECT_NE(said.find("patern"), std::string::npos) << said;
  EXPECT_EQ(gateway.get("/a").status(), 200);
  EXPECT_EQ(gateway.get("/b").status(), 404);
  EXPECT_EQ(gateway.workers(), before);
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "failure"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_config_last_reload_successful"), 0);
  EXPECT_EQ(metrics.sum("restgate_generation"), 1);
  EXPECT_EQ(gateway.admin("/readyz").status(), 200);
  // And a good one after it is taken.
  gateway.reload(routes_of(origin.url(), {"a", "b"}));
  EXPECT_EQ(gateway.get("/b").status(), 200);
  EXPECT_EQ(gateway.metrics().sum("restgate_config_last_reload_successful"), 1);
  gateway.stop();
}

TEST(Reload, AnEmptyFileKeepsServing) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(routes_of(origin.url(), {"a"}));
  (void)gateway.refused_reload("");
  EXPECT_EQ(gateway.get("/a").status(), 200);
  gateway.stop();
}

TEST(Reload, ChangesTheLogLevel) {
  HandlerOrigin origin(always("x"));
  ConfigText config = routes_of(origin.url(), {"a"});
  Gateway gateway(config);
  EXPECT_EQ(gateway.get("/a").status(), 200);
  EXPECT_EQ(gateway.await_access().at("path"), "/a");
  // At warn the verdict itself is not logged: the counter tells.
  gateway.rewrite_config(routes_of(origin.url(), {"a", "b"}).set("log_level", "warn").yaml());
  gateway.signal(SIGHUP);
  gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_reloads_total", {{"result", "success"}}) == 1;
      },
      "a finished reload");
  EXPECT_EQ(gateway.get("/b").status(), 200);
  gateway.expect_requests("b", "GET", 200, 1);
  gateway.reload(routes_of(origin.url(), {"a", "c"}));
  EXPECT_EQ(gateway.get("/c").status(), 200);
  EXPECT_EQ(gateway.await_access().at("path"), "/c") << "the one at level warn left no record";
  gateway.stop();
}

TEST(Reload, ChangesTheNumberOfWorkersAndLosesNothing) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(quiet_routes_of(origin.url(), {"a"}));
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/a", "Connection: close\r\n"),
             .expected_body = "steady",
             .clients = 2,
             .fresh_connections = true});
  for (const size_t workers : {4U, 2U, 1U, 4U}) {
    load.await_more(20);
    gateway.reload(quiet_routes_of(origin.url(), {"a"}).set("workers", std::to_string(workers)));
    EXPECT_TRUE(eventually([&] { return gateway.workers().size() == workers; })) << gateway.workers().size();
  }
  load.await_more(20);
  load.stop();
  EXPECT_EQ(load.failures(), "");
  gateway.expect_requests("a", "GET", 200, static_cast<double>(load.answered()));
  gateway.stop();
}

TEST(Reload, AutomaticWorkersFollowTheCpus) {
  HandlerOrigin origin(always("x"));
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  const unsigned available = std::min(platform::available_cpus(), 256U);
  if (available < 2) GTEST_SKIP() << "needs two processors";
  cpu_set_t one;
  CPU_ZERO(&one);
  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  CPU_SET(first, &one);

  const ConfigText config = routes_of(origin.url(), {"a"}).set("workers", "auto");
  Gateway gateway(config);
  EXPECT_EQ(gateway.workers().size(), available);
  ASSERT_EQ(::sched_setaffinity(gateway.pid(), sizeof one, &one), 0);
  gateway.reload(config);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 1; })) << gateway.workers().size();
  EXPECT_EQ(gateway.get("/a").status(), 200);
  ASSERT_EQ(::sched_setaffinity(gateway.pid(), sizeof all, &all), 0);
  gateway.reload(config);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == available; })) << gateway.workers().size();
  gateway.stop();
}

TEST(Reload, AStreamOfTheOldConfigurationEndsWithItsTime) {
  Played played({.settings = {{"stream_drain_timeout", "500ms"}}});
  const std::vector<pid_t> before = played.gateway.workers();
  played.forward(request_head("GET", "/stream"));
  played.backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("one"));
  EXPECT_EQ(played.client.read_head().status(), 200);
  played.client.read_until("one");
  played.gateway.reload(catch_all(played.origin.url()));
  played.backend.send(chunk("two"));
  played.client.read_until("two");
  played.client.read_until_gone();
  played.backend.read_until_gone();
  EXPECT_TRUE(eventually([&] { return played.gateway.workers().size() == 1; }));
  EXPECT_NE(played.gateway.workers(), before);
  played.gateway.stop();
}

TEST(Reload, ChangesTheService) {
  HandlerOrigin first(always("first"));
  HandlerOrigin second(always("second"));
  Gateway gateway(catch_all(first.url()));
  Stream client = gateway.connect();
  EXPECT_EQ(client.exchange(request_head("GET", "/")).body, "first");
  gateway.reload(catch_all(second.url()));
  EXPECT_EQ(gateway.get("/").body, "second");
  client.close();
  gateway.stop();
}

TEST(Reload, ManyInARowEndWithTheLast) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(routes_of(origin.url(), {"a"}));
  for (int i = 0; i < 10; ++i) {
    gateway.rewrite_config(routes_of(origin.url(), {"a", "n" + std::to_string(i)}).yaml());
    gateway.signal(SIGHUP);
  }
  EXPECT_TRUE(eventually([&] { return gateway.get("/n9").status() == 200; }));
  EXPECT_EQ(gateway.get("/a").status(), 200);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  gateway.stop();
}

TEST(Reload, DescriptorsOfTheMasterStayTheSame) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(routes_of(origin.url(), {"a"}));
  gateway.reload(routes_of(origin.url(), {"a"}));
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  const size_t before = descriptors(gateway.pid());
  for (int i = 0; i < 5; ++i) {
    gateway.reload(routes_of(origin.url(), {"a"}));
    EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return descriptors(gateway.pid()) <= before; }))
      << descriptors(gateway.pid()) << " " << before;
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
