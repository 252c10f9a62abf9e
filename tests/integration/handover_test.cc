// What a client sees of a reload, of a worker told to go, of one that hangs, of a port that moves: nothing (DESIGN §5).
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "integration/support/played.h"
#include "integration/support/websocket.h"

namespace restgate::itest {
namespace {

ConfigText workers_of(const std::string& url, const std::string& count) {
  ConfigText config = catch_all(url);
  return config.set("workers", count);
}

/// All workers of before are gone, as many as wanted are there.
bool replaced(const Gateway& gateway, const std::vector<pid_t>& before, size_t wanted) {
  const std::vector<pid_t> now = gateway.workers();
  const bool old_one =
      std::any_of(now.begin(), now.end(), [&](pid_t pid) { return std::count(before.begin(), before.end(), pid) > 0; });
  return !old_one && now.size() == wanted;
}

class HandoverTest : public testing::TestWithParam<const char*> {};

TEST_P(HandoverTest, AnIdleConnectionOutlivesReloads) {
  HandlerOrigin origin(always("steady"));
  const ConfigText config = workers_of(origin.url(), GetParam());
  Gateway gateway(config);
  Stream used = gateway.connect();
  Stream never_used = gateway.connect();
  EXPECT_EQ(used.exchange(request_head("GET", "/")).body, "steady");
  for (int round = 0; round < 3; ++round) {
    const std::vector<pid_t> before = gateway.workers();
    gateway.reload(config);
    EXPECT_TRUE(eventually([&] { return replaced(gateway, before, before.size()); })) << "nothing holds an old worker";
    const Message answer = used.exchange(request_head("GET", "/"));
    EXPECT_EQ(answer.body, "steady");
    EXPECT_FALSE(answer.lists("Connection", "close"));
  }
  EXPECT_EQ(never_used.exchange(request_head("GET", "/")).body, "steady");
  gateway.expect_requests("all", "GET", 200, 5);
  EXPECT_GE(gateway.metrics().sum("restgate_client_connections_accepted_total"), 2);
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(Workers, HandoverTest, testing::Values("1", "3"),
                         [](const auto& row) { return std::string(row.param); });

TEST(Handover, TheNewConfigurationCountsForOldConnections) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(workers_of(origin.url(), "1"));
  Stream client = gateway.connect();
  EXPECT_EQ(client.exchange(request_head("GET", "/old")).status(), 200);
  ConfigText next;
  next.service("backend", origin.url()).route("new", "GET", "/new");
  gateway.reload(next);
  EXPECT_EQ(client.exchange(request_head("GET", "/old")).status(), 404);
  EXPECT_EQ(client.exchange(request_head("GET", "/new")).status(), 200);
  gateway.stop();
}

TEST(Handover, AHalfSentHeadTravels) {
  HandlerOrigin origin(always("whole"));
  const ConfigText config = workers_of(origin.url(), "1");
  Gateway gateway(config);
  Stream client = gateway.connect();
  Stream seen = gateway.connect();
  client.send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(seen.exchange(request_head("GET", "/")).status(), 200) << "so the half has been read";
  for (int round = 0; round < 2; ++round) {
    const std::vector<pid_t> before = gateway.workers();
    gateway.reload(config);
    EXPECT_TRUE(eventually([&] { return replaced(gateway, before, 1); }));
  }
  client.send("st: x\r\n\r\n");
  EXPECT_EQ(client.read_response().body, "whole");
  gateway.expect_requests("all", "GET", 200, 2);
  gateway.stop();
}

TEST(Handover, AHalfSentHeadGetsNoMoreTimeByReloads) {
  HandlerOrigin origin(always("x"));
  ConfigText config = workers_of(origin.url(), "1");
  config.set("read_header_timeout", "700ms");
  Gateway gateway(config);
  Stream client = gateway.connect();
  const auto begun = Deadline::Clock::now();
  client.send("GET / HTTP/1.1\r\n");
  while (Deadline::Clock::now() - begun < std::chrono::milliseconds(500)) gateway.reload(config);
  EXPECT_EQ(client.read_response().status(), 408);
  gateway.stop();
}

TEST(Handover, InFlightIsFinishedAndTheConnectionGoesOn) {
  Played played({.settings = {{"workers", "1"}}});
  const std::vector<pid_t> before = played.gateway.workers();
  played.forward(request_head("GET", "/first"));
  played.client.send(request_head("GET", "/second"));  // pipelined
  played.gateway.reload(catch_all(played.origin.url()));
  played.backend.send(response(200, "of the old worker"));
  const Message first = played.client.read_response();
  EXPECT_EQ(first.body, "of the old worker");
  EXPECT_FALSE(first.lists("Connection", "close"));
  played.backend.close();
  played.backend = played.origin.accept();  // the new worker's own
  EXPECT_EQ(played.backend.read_request().target(), "/second");
  played.backend.send(response(200, "of the new worker"));
  EXPECT_EQ(played.client.read_response().body, "of the new worker");
  EXPECT_TRUE(eventually([&] { return replaced(played.gateway, before, 1); }));
  played.gateway.expect_requests("all", "GET", 200, 2);
  played.gateway.stop();
}

// Pipelines, some of whose answers the client does not read before the reload: held, stuck, or not yet made.
TEST(Handover, PipelinesGoOn) {
  HandlerOrigin origin(
      [](const Message& request) { return response(200, request.target() + std::string(1'500, 'x')); });
  // Thousands of records at once could be too many for the pipe from which the test takes the verdict.
  const ConfigText config = workers_of(origin.url(), "2").set("access_log", "false");
  Gateway gateway(config);
  constexpr size_t kClients = 8;
  constexpr int kRounds = 6;
  std::vector<Stream> clients;
  for (size_t i = 0; i < kClients; ++i) clients.push_back(gateway.connect(128 * 1024));
  size_t sent = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto target = [&](size_t client, size_t n) {
      return "/" + std::to_string(round) + "/" + std::to_string(client) + "/" + std::to_string(n);
    };
    const auto length = [](size_t client) { return 1 + client * client * 6; };
    for (size_t i = 0; i < kClients; ++i) {
      std::string requests;
      for (size_t n = 0; n < length(i); ++n) requests += request_head("GET", target(i, n));
      clients[i].send(requests);
      sent += length(i);
    }
    const std::vector<pid_t> before = gateway.workers();
    gateway.reload(config);
    for (size_t i = 0; i < kClients; ++i) {
      for (size_t n = 0; n < length(i); ++n) {
        const Message answer = clients[i].read_response();
        ASSERT_EQ(answer.body, target(i, n) + std::string(1'500, 'x'));
        ASSERT_FALSE(answer.lists("Connection", "close"));
      }
    }
    EXPECT_TRUE(eventually([&] { return replaced(gateway, before, 2); })) << "nothing holds an old worker";
  }
  for (Stream& client : clients) EXPECT_TRUE(client.quiet());
  gateway.expect_requests("all", "GET", 200, static_cast<double>(sent));
  gateway.stop();
}

struct OpenTunnel : Played {
  OpenTunnel() : Played({.settings = {{"workers", "1"}}}) {
    forward(ws::handshake_request("/ws"));
    backend.send(ws::handshake_response());
    EXPECT_EQ(client.read_head().status(), 101);
  }
  void reload() {
    const std::vector<pid_t> before = gateway.workers();
    gateway.reload(catch_all(origin.url()).set("workers", "1"));
    EXPECT_TRUE(eventually([&] { return replaced(gateway, before, 1); })) << "the tunnel holds the old worker";
  }
};

TEST(Handover, ATunnelOutlivesReloads) {
  OpenTunnel tunnel;
  for (int round = 0; round < 3; ++round) {
    tunnel.reload();
    tunnel.client.send("from the client " + std::to_string(round));
    tunnel.backend.expect("from the client " + std::to_string(round));
    tunnel.backend.send("from the backend " + std::to_string(round));
    tunnel.client.expect("from the backend " + std::to_string(round));
  }
  const Metrics metrics =
      tunnel.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_tunnels") == 1; }, "one tunnel");
  EXPECT_EQ(metrics.sum("restgate_tunnels_opened_total"), 1);
  tunnel.client.close();
  tunnel.backend.expect_end();
  tunnel.backend.close();
  tunnel.gateway.stop();
}

TEST(Handover, WhatATunnelHasNotDeliveredTravelsInOrder) {
  OpenTunnel tunnel;
  // More than sockets and buffers hold, both ways: the rest waits in the worker.
  std::string sent[2];
  Stream* const from[2] = {&tunnel.client, &tunnel.backend};
  Stream* const to[2] = {&tunnel.backend, &tunnel.client};
  const std::string block = pattern_bytes(100'000);
  for (int side = 0; side < 2; ++side) {
    while (from[side]->writable_within(std::chrono::milliseconds(50)))
      sent[side] += block.substr(0, from[side]->send_some(block));
  }
  tunnel.reload();
  tunnel.reload();
  for (int side = 0; side < 2; ++side) {
    EXPECT_TRUE(to[side]->read_exactly(sent[side].size()) == sent[side]);
    from[side]->send("and on");
    to[side]->expect("and on");
  }
  tunnel.client.close();
  tunnel.backend.close();
  tunnel.gateway.stop();
}

TEST(Handover, AHalfClosedTunnelStaysHalfClosed) {
  OpenTunnel tunnel;
  tunnel.client.send("last");
  tunnel.client.finish_sending();
  tunnel.backend.expect("last");
  tunnel.backend.expect_end();
  tunnel.reload();
  tunnel.backend.send("still");
  tunnel.client.expect("still");
  tunnel.backend.finish_sending();
  tunnel.client.expect_end();
  tunnel.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_tunnels") == 0; }, "no tunnel");
  tunnel.gateway.stop();
}

TEST(Handover, AWorkerThatIsToldToGoLeavesItsConnectionsToTheOthers) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(workers_of(origin.url(), "2"));
  std::vector<Stream> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(gateway.connect());
    EXPECT_EQ(clients.back().exchange(request_head("GET", "/")).status(), 200);
  }
  for (const pid_t worker : gateway.workers()) {
    ::kill(worker, SIGTERM);
    EXPECT_TRUE(eventually([&] { return replaced(gateway, {worker}, 2); }));
    for (Stream& client : clients) EXPECT_EQ(client.exchange(request_head("GET", "/")).body, "steady");
  }
  gateway.expect_requests("all", "GET", 200, 24);
  gateway.stop();
}

TEST(Handover, AHungWorkersSocketsAreServedByTheOthers) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(workers_of(origin.url(), "2"));
  const pid_t hung = gateway.workers().at(0);
  ::kill(hung, SIGSTOP);
  const auto begun = Deadline::Clock::now();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_LT(Deadline::Clock::now() - begun, std::chrono::seconds(4) * patience_factor()) << "before it is replaced";
  ::kill(hung, SIGCONT);
  gateway.stop();
}

TEST(Handover, AFreshConnectionGoesToTheWorkerWithClearlyFewer) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(workers_of(origin.url(), "2"));
  std::vector<Stream> clients;
  const auto connect = [&](int count) {
    for (int i = 0; i < count; ++i) {
      clients.push_back(gateway.connect());
      EXPECT_EQ(clients.back().exchange(request_head("GET", "/")).status(), 200);
    }
  };
  const pid_t idle = gateway.workers().at(0);
  ::kill(idle, SIGSTOP);
  connect(40);  // all of them at the other one
  ::kill(idle, SIGCONT);
  const auto handed_over = [&] { return gateway.metrics().sum("restgate_client_connections_handed_over_total"); };
  EXPECT_TRUE(eventually([&] {
    connect(1);
    return handed_over() >= 1;
  }));
  EXPECT_EQ(gateway.metrics().sum("restgate_client_connections_accepted_total"), static_cast<double>(clients.size()));
  gateway.stop();
}

TEST(Handover, APortThatMovesResetsNobody) {
  HandlerOrigin origin(always("steady"));
  ConfigText config = workers_of(origin.url(), "2");
  Gateway gateway(config);
  const uint16_t old_port = gateway.port();
  Stream idle = gateway.connect();
  EXPECT_EQ(idle.exchange(request_head("GET", "/")).status(), 200);
  const uint16_t new_port = Origin().port();  // free a moment ago
  config.set("port", std::to_string(new_port));
  gateway.reload(config);
  EXPECT_EQ(idle.exchange(request_head("GET", "/")).status(), 200) << "a connection lives on";
  Stream moved = Stream::connect(new_port);
  EXPECT_EQ(moved.exchange(request_head("GET", "/")).status(), 200);
  EXPECT_TRUE(eventually([&] { return Stream::probe(old_port) == ECONNREFUSED; }));
  EXPECT_EQ(idle.exchange(request_head("GET", "/")).status(), 200);
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
