// The admin side: health, readiness, metrics, version; nobody there can hold up the gateway (DESIGN §6).
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

TEST(Admin, HealthReadinessVersionMetrics) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  EXPECT_EQ(gateway.admin("/healthz").status(), 200);
  EXPECT_EQ(gateway.admin("/readyz").status(), 200);
  const Message version = gateway.admin("/version");
  EXPECT_EQ(version.status(), 200);
  EXPECT_TRUE(version.field("Content-Type")->starts_with("application/json"));
  EXPECT_TRUE(Json::parse(version.body).contains("version")) << version.body;
  const Message metrics = gateway.admin("/metrics");
  EXPECT_EQ(metrics.status(), 200);
  EXPECT_TRUE(metrics.field("Content-Type")->starts_with("text/plain")) << *metrics.field("Content-Type");
  gateway.stop();
}

TEST(Admin, OtherPathsAndMethods) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  for (const char* path : {"/none", "/metrics/", "/healthz/x", "//healthz"})
    EXPECT_EQ(gateway.admin(path).status(), 404) << path;
  for (const char* path : {"/healthz", "/readyz", "/metrics", "/version"}) {
    EXPECT_EQ(gateway.admin(path, "HEAD").status(), 200) << path;
    for (const char* method : {"POST", "PUT", "DELETE"}) {
      const Message refused = gateway.admin(path, method);
      EXPECT_EQ(refused.status(), 405) << method << " " << path;
      EXPECT_TRUE(refused.lists("Allow", "GET"));
    }
  }
  gateway.stop();
}

TEST(Admin, HistogramAndCountersAgree) {
  HandlerOrigin origin(always("0123456789"));
  Gateway gateway(catch_all(origin.url()));
  Stream client = gateway.connect();
  for (int i = 0; i < 5; ++i)
    client.exchange(request_head("POST", "/", "Content-Length: 100\r\n") + std::string(100, 'x'));
  gateway.expect_requests("all", "POST", 200, 5);
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_request_duration_seconds_count", {{"route", "all"}}), 5);
  EXPECT_EQ(metrics.sum("restgate_request_duration_seconds_bucket", {{"route", "all"}, {"le", "+Inf"}}), 5);
  EXPECT_GT(metrics.sum("restgate_request_duration_seconds_sum", {{"route", "all"}}), 0);
  EXPECT_EQ(metrics.sum("restgate_backend_duration_seconds_count", {{"service", "backend"}}), 5);
  EXPECT_GE(metrics.sum("restgate_request_bytes_total"), 500);
  EXPECT_GE(metrics.sum("restgate_response_bytes_total"), 50);
  EXPECT_EQ(metrics.sum("restgate_backend_connects_total", {{"service", "backend"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_backend_reuses_total", {{"service", "backend"}}), 4);
  EXPECT_TRUE(metrics.has("restgate_build_info"));
  EXPECT_TRUE(metrics.has("process_resident_memory_bytes"));
  gateway.stop();
}

TEST(Admin, NoSeriesTwice) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  EXPECT_EQ(gateway.get("/").status(), 200);
  std::set<std::pair<std::string, Metrics::Labels>> seen;
  const Metrics metrics = gateway.metrics();
  for (const Metrics::Sample& sample : metrics.samples())
    EXPECT_TRUE(seen.insert({sample.name, sample.labels}).second) << sample.name;
  gateway.stop();
}

TEST(Admin, SlowAndHostileClientsHoldNothingUp) {
  Played played;
  std::vector<Stream> hostile;
  for (int i = 0; i < 20; ++i) {
    hostile.push_back(Stream::connect(played.gateway.admin_port(), 4096));
    hostile.back().send(i % 2 == 0 ? "GET /metr" : "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  Stream garbage = Stream::connect(played.gateway.admin_port());
  garbage.send(std::string(1000, '\xff') + "\r\n\r\n");
  EXPECT_EQ(played.pass(request_head("GET", "/"), response(200, "ok")).response.body, "ok");
  EXPECT_EQ(played.gateway.admin("/readyz").status(), 200);
  played.client.close();
  played.gateway.reload(catch_all(played.origin.url()));
  played.gateway.stop();
}

TEST(Admin, DataPortKnowsNothingOfIt) {
  Played played;
  EXPECT_EQ(played.pass(request_head("GET", "/metrics"), response(200, "the service's own")).response.body,
            "the service's own");
  played.gateway.stop();
}

TEST(Admin, ReloadMayMoveIt) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  const uint16_t before = gateway.admin_port();
  gateway.reload(catch_all(origin.url()));
  EXPECT_EQ(gateway.admin_port(), before);
  EXPECT_EQ(gateway.admin("/readyz").status(), 200) << "port 0 again is the same port";
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
