#include "master/metrics_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace restgate::master {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const stats::BlockSpec kSpec{.routes = {"users", "or\"de\\rs\n"}, .services = {"crm"}, .methods = {"GET", "HEAD"}};

std::string render(const stats::Snapshot& totals, const MasterFacts& facts = {}) {
  auto sum = std::make_shared<stats::Accumulator>();
  sum->add_live(totals);
  return metrics_text({{.dead = std::move(sum), .live = {}}, facts, read_process_totals({})});
}

stats::Snapshot counted() {
  const stats::Block block = stats::Block::create(kSpec).value();
  stats::Writer writer = block.writer();
  writer.request(1, kMethodGet, 200, 400);
  writer.request(1, kMethodGet, 200, 3'000'000);
  writer.request(1, kMethodHead, 304, 20'000'000);
  writer.request(2, kOtherMethod, 502, 2'500);
  writer.request(0, kMethodGet, 0, 1);
  writer.error(2, Reason::BackendReset);
  writer.add(stats::Counter::RequestBytes, 9'007'199'254'740'993);
  writer.add(stats::Counter::LoopBusyMicros, 1'500'000);
  writer.set(stats::Gauge::ConnectionsIdle, 12);
  writer.set(stats::Gauge::Tunnels, -1);
  writer.add(stats::ServiceCounter::Reuses, 0, 5);
  writer.add(stats::ServiceGauge::ConnectionsActive, 0, 3);
  writer.backend_duration(0, 100'000);
  writer.set(stats::ServiceGauge::Endpoints, 0, 2);
  writer.loop_turn(400);
  writer.set(stats::Gauge::BusyPermille, 125);
  stats::Snapshot snapshot = block.snapshot();
  snapshot.of_worker(3);
  return snapshot;
}

TEST(MetricsCollector, ShowsWhatWasCounted) {
  const std::string text = render(counted());
  for (const char* line : {
           "restgate_requests_total{route=\"users\",method=\"GET\",code=\"200\"} 2\n",
           "restgate_requests_total{route=\"users\",method=\"HEAD\",code=\"304\"} 1\n",
           "restgate_requests_total{route=\"or\\\"de\\\\rs\\n\",method=\"other\",code=\"502\"} 1\n",
           "restgate_requests_total{route=\"unmatched\",method=\"GET\",code=\"other\"} 1\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"0.0005\"} 1\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"2.5\"} 1\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"5\"} 2\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"10\"} 2\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"+Inf\"} 3\n",
           "restgate_request_duration_seconds_count{route=\"users\"} 3\n",
           "restgate_request_duration_seconds_sum{route=\"users\"} 23.0004\n",
           "restgate_errors_total{route=\"or\\\"de\\\\rs\\n\",reason=\"backend_reset\"} 1\n",
           "restgate_client_connections{state=\"idle\"} 12\n",
           "restgate_client_connections{state=\"active\"} 0\n",
           "restgate_tunnels -1\n",
           "restgate_loop_busy_seconds_total 1.5004\n",
           "restgate_backend_reuses_total{service=\"crm\"} 5\n",
           "restgate_backend_connections{service=\"crm\",state=\"active\"} 3\n",
           "restgate_backend_endpoints{service=\"crm\"} 2\n",
           "restgate_worker_busy_ratio{worker=\"3\"} 0.125\n",
           "restgate_worker_loop_latency_seconds_bucket{worker=\"3\",le=\"0.00025\"} 0\n",
           "restgate_worker_loop_latency_seconds_bucket{worker=\"3\",le=\"0.0005\"} 1\n",
           "restgate_worker_loop_latency_seconds_count{worker=\"3\"} 1\n",
           "restgate_backend_duration_seconds_bucket{service=\"crm\",le=\"0.1\"} 1\n",
           "restgate_backend_duration_seconds_count{service=\"crm\"} 1\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsCollector, ShowsTheBoundsOfTheConfigurationThatServes) {
  MasterFacts facts;
  facts.duration_bounds = {3'000'000, 15'000'000};
  const std::string text = render(counted(), facts);
  for (const char* line : {
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"3\"} 1\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"15\"} 2\n",
           "restgate_request_duration_seconds_bucket{route=\"users\",le=\"+Inf\"} 3\n",
           "restgate_backend_duration_seconds_bucket{service=\"crm\",le=\"3\"} 1\n",
       })
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, Not(HasSubstr("le=\"10\"")));
}

TEST(MetricsCollector, ShowsTheMastersFacts) {
  const MasterFacts facts{
      .generation = 7,
      .workers_ready = 4,
      .workers_draining = 1,
      .worker_restarts = 2,
      .worker_exits = {{"drained", 3}, {"signal", 0}},
      .reloads_succeeded = 5,
      .reloads_failed = 1,
      .last_reload_successful = false,
      .last_reload = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'250)),
      .config_hash = "abc"};
  const std::string text = render({}, facts);
  for (const char* line : {
           "restgate_generation 7\n",
           "restgate_workers{state=\"ready\"} 4\n",
           "restgate_workers{state=\"draining\"} 1\n",
           "restgate_workers{state=\"starting\"} 0\n",
           "restgate_worker_restarts_total 2\n",
           "restgate_worker_exits_total{reason=\"drained\"} 3\n",
           "restgate_worker_exits_total{reason=\"signal\"} 0\n",
           "restgate_reloads_total{result=\"success\"} 5\n",
           "restgate_reloads_total{result=\"failure\"} 1\n",
           "restgate_config_last_reload_successful 0\n",
           "restgate_config_last_reload_timestamp_seconds 1700000000.25\n",
           "restgate_config_hash{hash=\"abc\"} 1\n",
           "restgate_build_info{version=\"",
       })
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(MetricsCollector, EveryFamilyIsThereFromTheStart) {
  const std::string text = render({});
  for (const char* name : {"restgate_requests_total counter",
                           "restgate_request_duration_seconds histogram",
                           "restgate_errors_total counter",
                           "restgate_backend_duration_seconds histogram",
                           "restgate_requests_in_flight gauge",
                           "restgate_request_bytes_total counter",
                           "restgate_response_bytes_total counter",
                           "restgate_tunnels gauge",
                           "restgate_client_connections gauge",
                           "restgate_client_connections_accepted_total counter",
                           "restgate_client_connections_handed_over_total counter",
                           "restgate_tunnels_opened_total counter",
                           "restgate_backend_connections gauge",
                           "restgate_backend_connects_total counter",
                           "restgate_backend_connect_failures_total counter",
                           "restgate_backend_reuses_total counter",
                           "restgate_backend_retries_total counter",
                           "restgate_backend_resolve_failures_total counter",
                           "restgate_backend_endpoints gauge",
                           "restgate_worker_busy_ratio gauge",
                           "restgate_worker_loop_latency_seconds histogram",
                           "restgate_workers gauge",
                           "restgate_worker_restarts_total counter",
                           "restgate_worker_exits_total counter",
                           "restgate_generation gauge",
                           "restgate_reloads_total counter",
                           "restgate_config_last_reload_successful gauge",
                           "restgate_config_last_reload_timestamp_seconds gauge",
                           "restgate_config_hash gauge",
                           "restgate_build_info gauge",
                           "restgate_access_log_dropped_total counter",
                           "process_cpu_seconds_total counter",
                           "process_resident_memory_bytes gauge",
                           "process_open_fds gauge",
                           "process_start_time_seconds gauge"})
    EXPECT_THAT(text, HasSubstr(std::string("# TYPE ") + name + "\n"));
}

TEST(MetricsCollector, KeepsTheRulesOfTheFormat) {
  // What `promtool check metrics` looks at, as far as it can go wrong here.
  std::set<std::string> names;
  for (const prometheus::MetricFamily& family : metric_families(counted(), {}, {})) {
    EXPECT_TRUE(names.insert(family.name).second) << family.name << " twice";
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_EQ(family.name.ends_with("_total"), family.type == prometheus::MetricType::Counter) << family.name;
    std::set<std::vector<prometheus::ClientMetric::Label>> series;
    for (const prometheus::ClientMetric& metric : family.metric) {
      EXPECT_TRUE(series.insert(metric.label).second) << family.name;
      uint64_t before = 0;
      for (const auto& bucket : metric.histogram.bucket) {
        EXPECT_GE(bucket.cumulative_count, before);
        before = bucket.cumulative_count;
      }
      EXPECT_GE(metric.histogram.sample_count, before);
    }
  }
}

TEST(MetricsCollector, AddsTheLivingToTheDead) {
  auto dead = std::make_shared<stats::Accumulator>();
  dead->add(counted());
  auto block = std::make_shared<stats::Block>(stats::Block::create(kSpec).value());
  block->writer().request(1, kMethodGet, 200, 400);
  block->writer().set(stats::Gauge::Tunnels, 4);
  const std::string text = metrics_text({{.dead = dead, .live = {{0, block}}}, {}, {}});
  EXPECT_THAT(text, HasSubstr("restgate_requests_total{route=\"users\",method=\"GET\",code=\"200\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("restgate_tunnels 4\n"));
}

TEST(MetricsCollector, ALargeTextIsWhole) {
  stats::Snapshot totals;
  totals.duration_bounds = {1'000};
  for (int i = 0; i < 2000; ++i) {
    stats::RouteStats& route = totals.routes.emplace_back();
    route.name = "route-" + std::to_string(i);
    route.requests.push_back({"GET", 200, 1});
    route.duration.buckets = {1, 0};
  }
  auto sum = std::make_shared<stats::Accumulator>();
  sum->add(totals);
  for (const size_t expected : {size_t{0}, size_t{1'000}, size_t{10'000'000}}) {
    const std::string text = metrics_text({{.dead = sum, .live = {}}, {}, {}}, expected);
    EXPECT_EQ(text.find('\0'), std::string::npos);
    EXPECT_TRUE(text.starts_with("# HELP restgate_requests_total "));
    EXPECT_THAT(text, HasSubstr("{route=\"route-1999\",method=\"GET\",code=\"200\"} 1\n"));
    EXPECT_EQ(text.back(), '\n');
  }
}

}  // namespace
}  // namespace restgate::master
