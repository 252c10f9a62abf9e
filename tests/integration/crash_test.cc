// Workers that crash or hang: what the log tells of them and of the requests that they took with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "integration/support/load.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

constexpr std::string_view kEnded = "worker ended";
constexpr std::string_view kLost = "request lost with its worker";

Json await_end(const Gateway& gateway, pid_t worker) {
  return gateway.await_log(
      [worker](const Json& r) { return r.value("msg", "") == kEnded && r.value("worker_pid", 0) == worker; },
      "the worker's end");
}

/// The record about the request with this path.
Json await_lost(const Gateway& gateway, const std::string& path) {
  return gateway.await_log([&path](const Json& r) { return r.value("msg", "") == kLost && r.at("path") == path; },
                           "the loss of " + path);
}

double exits(const Metrics& metrics, const std::string& reason) {
  return metrics.sum("restgate_worker_exits_total", {{"reason", reason}});
}

/// Whether a worker has done all that there was to do: it sleeps nowhere but in its event loop.
bool at_rest(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(stat, line);
  const size_t name_end = line.rfind(") ");
  return name_end != std::string::npos && line.at(name_end + 2) == 'S';
}

/// Whether a stopped process has this signal waiting for it.
bool pending(pid_t pid, int signo) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    if (word != "ShdPnd:") continue;
    status >> word;
    return (std::stoull(word, nullptr, 16) >> (signo - 1) & 1) != 0;
  }
  return false;
}

TEST(Crash, EveryRequestInFlightIsToldWithHowFarItHadCome) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  Stream waiting = played.gateway.connect();
  Stream streaming = played.gateway.connect();
  played.forward(request_head("GET", "/waiting"));
  std::swap(waiting, played.client);
  Stream waiting_backend = std::move(played.backend);
  played.backend = {};
  played.forward(request_head("GET", "/streaming"));
  std::swap(streaming, played.client);
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst");
  EXPECT_EQ(streaming.read_head().status(), 200);
  Stream streaming_backend = std::move(played.backend);
  played.backend = {};
  played.client = played.gateway.connect();
  played.client.send(request_head("POST", "/sending", "Content-Length: 10\r\n") + "half");
  played.await_backend();
  (void)played.backend.read_head();

  ASSERT_TRUE(eventually([&] { return at_rest(worker); }));
  ::kill(worker, SIGTRAP);
  const Json end = await_end(played.gateway, worker);
  EXPECT_EQ(end.at("reason"), "crashed");
  EXPECT_EQ(end.at("signal"), "SIGTRAP");
  EXPECT_EQ(end.at("generation"), 1);
  EXPECT_EQ(end.at("level"), "error");
  EXPECT_EQ(end.at("in_flight"), 3);
  EXPECT_EQ(end.at("connections"), 3);
  EXPECT_EQ(end.at("tunnels"), 0);
  EXPECT_GE(end.at("age_ms"), 0);
  const std::vector<std::pair<std::string, std::string>> phases = {
      {"/waiting", "awaiting_answer"}, {"/streaming", "streaming"}, {"/sending", "sending_request"}};
  for (const auto& [path, phase] : phases) {
    const Json lost = await_lost(played.gateway, path);
    EXPECT_EQ(lost.at("phase"), phase) << path;
    EXPECT_EQ(lost.at("worker_pid"), worker);
    EXPECT_EQ(lost.at("level"), "error");
    EXPECT_EQ(lost.at("suspect"), false) << "it acted on none of them";
  }
  EXPECT_EQ(await_lost(played.gateway, "/sending").at("content_length"), 10);
  EXPECT_EQ(exits(played.gateway.metrics(), "crashed"), 1);

  played.backend = {};
  EXPECT_TRUE(eventually([&] { return played.gateway.workers().size() == 1; }));
  EXPECT_EQ(played.pass(request_head("GET", "/next"), response(200, "served")).response.body, "served");
  played.gateway.stop();
}

TEST(Crash, WhatIsToldHasNoSecrets) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  played.forward(request_head("POST", "/account/7?token=secret&page=secret&secret",
                              "Authorization: Bearer secret\r\nCookie: session=secret\r\n"
                              "Proxy-Authorization: Basic secret\r\nX-Api-Key: secret\r\nUser-Agent: probe/1 \"x\"\r\n"
                              "Content-Length: 6\r\n") +
                 "secret");
  ASSERT_TRUE(eventually([&] { return at_rest(worker); }));
  ::kill(worker, SIGTRAP);
  const Json lost = await_lost(played.gateway, "/account/7?token=&page=&");
  EXPECT_EQ(lost.at("method"), "POST");
  EXPECT_EQ(lost.at("route"), "all");
  EXPECT_EQ(lost.at("service"), "backend");
  EXPECT_EQ(lost.at("host"), "client.test");
  EXPECT_EQ(lost.at("user_agent"), "probe/1 \"x\"");
  EXPECT_EQ(lost.at("content_length"), 6);
  EXPECT_EQ(lost.at("client"), "127.0.0.1");
  EXPECT_EQ(lost.at("phase"), "awaiting_answer");
  EXPECT_GE(lost.at("age_ms"), 0);
  played.gateway.stop();
  for (const Json& record : played.gateway.logs())
    EXPECT_EQ(record.dump().find("secret"), std::string::npos) << record.dump();
}

TEST(Crash, WhatIsOverIsNotTold) {
  HandlerOrigin origin(always("done"));
  Gateway gateway(catch_all(origin.url()));
  Stream idle = gateway.connect();
  for (const char* path : {"/a", "/b"}) EXPECT_EQ(idle.exchange(request_head("GET", path)).status(), 200);
  EXPECT_EQ(idle.exchange(request_head("DELETE", "/refused")).status(), 405);
  const pid_t worker = gateway.workers().at(0);
  ASSERT_TRUE(eventually([&] { return at_rest(worker); }));
  ::kill(worker, SIGTRAP);
  const Json end = await_end(gateway, worker);
  EXPECT_EQ(end.at("in_flight"), 0);
  EXPECT_EQ(end.at("connections"), 1);
  idle.read_until_gone();
  gateway.stop();
  for (const Json& record : gateway.logs()) EXPECT_NE(record.value("msg", ""), kLost) << record.dump();
}

TEST(Crash, ManyAreCountedAndTheLikeliestListed) {
  Origin origin;  // accepts nobody: the kernel takes their requests
  Gateway gateway(catch_all(origin.url()));
  std::vector<Stream> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(gateway.connect());
    clients.back().send(request_head("GET", "/" + std::to_string(i)));
  }
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_requests_in_flight") == 40; }, "40 in flight");
  const pid_t worker = gateway.workers().at(0);
  ASSERT_TRUE(eventually([&] { return at_rest(worker); }));
  ::kill(worker, SIGTRAP);
  EXPECT_EQ(await_end(gateway, worker).at("in_flight"), 40);
  for (Stream& client : clients) client.read_until_gone();
  gateway.stop();
  size_t listed = 0;
  for (const Json& record : gateway.logs()) listed += record.value("msg", "") == kLost ? 1 : 0;
  EXPECT_EQ(listed, 32U);
}

TEST(Crash, ASegmentationFaultIsReportedWhileTheOthersServe) {
  HandlerOrigin origin(always("steady"));
  ConfigText config = catch_all(origin.url());
  config.set("workers", "2").set("access_log", "false");
  Gateway gateway(config);
  gateway.expect_stacks();
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/a", "Connection: close\r\n"),
             .expected_body = "steady",
             .clients = 2,
             .fresh_connections = true,
             .forgive_lost = true});
  load.await_more(20);
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGSEGV);
  const Json end = await_end(gateway, victim);
  load.await_more(50);
  load.stop();
  EXPECT_LE(load.lost(), 2U) << "only what the victim was executing";
  // A sanitizer's handler exits instead.
  EXPECT_THAT(end.at("reason"), testing::AnyOf("crashed", "failed"));
  EXPECT_EQ(end.value("signal", "SIGSEGV"), "SIGSEGV");
  EXPECT_EQ(exits(gateway.metrics(), end.at("reason")), 1);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  gateway.stop();
}

TEST(Crash, AHungWorkerIsAbortedThenKilledAndToldLikeACrash) {
  PlayedOptions options;
  options.settings = {{"workers", "2"}};
  Played played(options);
  played.gateway.expect_stacks();
  played.forward(request_head("GET", "/stuck"));
  const std::vector<pid_t> workers = played.gateway.workers();
  ASSERT_EQ(workers.size(), 2U);
  for (const pid_t worker : workers) {
    ASSERT_TRUE(eventually([&] { return at_rest(worker); }));
    ::kill(worker, SIGSTOP);
  }
  // One comes to itself when it is told to abort, the other does not hear it.
  const auto abort_sent = [&] { return pending(workers[0], SIGABRT); };
  ASSERT_TRUE(eventually(abort_sent, Deadline(std::chrono::seconds(20) * patience_factor())));
  ::kill(workers[0], SIGCONT);
  int in_flight = 0;
  for (size_t i = 0; i < 2; ++i) {
    const Json end = await_end(played.gateway, workers[i]);
    EXPECT_EQ(end.at("reason"), "hung");
    // Where it hung is written within a second, or not at all.
    EXPECT_THAT(end.at("signal"), testing::AnyOf("SIGKILL", i == 0 ? "SIGABRT" : "SIGKILL"));
    EXPECT_EQ(end.at("level"), "error");
    EXPECT_GE(end.at("age_ms"), 5'000);
    in_flight += end.at("in_flight").get<int>();
  }
  EXPECT_EQ(in_flight, 1);
  const Json lost = await_lost(played.gateway, "/stuck");
  EXPECT_EQ(lost.at("phase"), "awaiting_answer");
  EXPECT_GE(lost.at("age_ms"), 5'000);
  EXPECT_EQ(exits(played.gateway.metrics(), "hung"), 2);
  EXPECT_EQ(exits(played.gateway.metrics(), "crashed"), 0);
  played.backend = {};
  EXPECT_EQ(played.pass(request_head("GET", "/next"), response(200, "served")).response.body, "served");
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
