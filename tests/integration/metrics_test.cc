// The metrics: exact through everything that happens to workers, and what Prometheus makes of them.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

ConfigText config_of(const std::string& url, const std::string& workers, const std::string& buckets) {
  ConfigText config = catch_all(url);
  return config.set("workers", workers).set("request_duration_buckets", buckets).set("access_log", "false");
}

/// Requests of known numbers, and whether the metrics have exactly those.
class Counted {
 public:
  explicit Counted(Gateway& gateway) : gateway_(gateway) {}
  void send(int good, int bad) {
    for (int i = 0; i < good; ++i) EXPECT_EQ(gateway_.get("/good").status(), 200);
    for (int i = 0; i < bad; ++i) EXPECT_EQ(gateway_.get("/%zz").status(), 400);
    good_ += good;
    bad_ += bad;
  }
  Metrics expect_exact() const {
    gateway_.expect_requests("all", "GET", 200, good_);
    gateway_.expect_requests("unmatched", "GET", 400, bad_);
    gateway_.expect_errors("unmatched", "bad_path", bad_);
    const Metrics metrics = gateway_.metrics();
    EXPECT_EQ(metrics.sum("restgate_request_duration_seconds_count", {{"route", "all"}}), good_);
    EXPECT_EQ(metrics.sum("restgate_request_duration_seconds_bucket", {{"route", "all"}, {"le", "+Inf"}}), good_);
    EXPECT_EQ(metrics.sum("restgate_backend_duration_seconds_count", {{"service", "backend"}}), good_);
    EXPECT_EQ(metrics.sum("restgate_requests_in_flight"), 0);
    return metrics;
  }

 private:
  Gateway& gateway_;
  int good_ = 0;
  int bad_ = 0;
};

/// What has gone back since; "": nothing.
std::string gone_back(const Metrics& before, const Metrics& after) {
  std::string found;
  for (const Metrics::Sample& sample : before.samples()) {
    const bool grows = sample.name.ends_with("_total") || sample.name.ends_with("_count") ||
                       sample.name.ends_with("_sum") || sample.name.ends_with("_bucket");
    if (!grows || !after.has(sample.name, sample.labels)) continue;
    if (after.sum(sample.name, sample.labels) < sample.value) found += sample.name + "\n";
  }
  return found;
}

TEST(MetricsExactness, ThroughReloadsCrashesResizesAndOtherBuckets) {
  HandlerOrigin origin(always("x"));
  const std::string first = "[1ms, 10s]";
  const std::string second = "[500us, 5s, 30s]";
  Gateway gateway(config_of(origin.url(), "2", first));
  Counted counted(gateway);
  counted.send(20, 3);
  Metrics before = counted.expect_exact();
  EXPECT_TRUE(before.has("restgate_request_duration_seconds_bucket", {{"route", "all"}, {"le", "10"}}));

  for (const auto& [workers, buckets] : {std::pair{"4", second}, std::pair{"1", first}, std::pair{"2", first}}) {
    gateway.reload(config_of(origin.url(), workers, buckets));
    EXPECT_EQ(gone_back(before, counted.expect_exact()), "") << "by the reload alone";
    counted.send(20, 3);
    (void)counted.expect_exact();  // an answer goes out before it is counted: not to be killed in between
    const pid_t victim = gateway.workers().at(0);
    ::kill(victim, SIGKILL);
    gateway.await_log(
        [victim](const Json& r) { return r.value("msg", "") == "worker ended" && r.at("worker_pid") == victim; },
        "its end");
    counted.send(20, 3);
    const Metrics now = counted.expect_exact();
    EXPECT_EQ(gone_back(before, now), "");
    EXPECT_EQ(now.has("restgate_request_duration_seconds_bucket", {{"route", "all"}, {"le", "30"}}), buckets == second);
    before = now;
  }
  EXPECT_EQ(before.sum("restgate_request_duration_seconds_bucket", {{"route", "all"}, {"le", "10"}}), 140)
      << "what was counted with other bounds is found again, too: it took less than 5 s";
  gateway.stop();
}

TEST(MetricsOfWorkers, AreThereByIndex) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(config_of(origin.url(), "2", "[1s]"));
  EXPECT_EQ(gateway.get("/").status(), 200);
  const Metrics metrics = gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_worker_loop_latency_seconds_count", {{"worker", "1"}}) > 0;
      },
      "turns of the second worker");
  for (const char* worker : {"0", "1"}) {
    EXPECT_TRUE(metrics.has("restgate_worker_busy_ratio", {{"worker", worker}}));
    EXPECT_LE(metrics.sum("restgate_worker_busy_ratio", {{"worker", worker}}), 1);
  }
  // Each worker may be between the two counts.
  EXPECT_NEAR(metrics.sum("restgate_worker_loop_latency_seconds_count"), metrics.sum("restgate_loop_turns_total"), 2);
  EXPECT_EQ(metrics.sum("restgate_backend_endpoints", {{"service", "backend"}}), 1) << "though two workers know it";
  gateway.reload(config_of(origin.url(), "1", "[1s]"));
  const Metrics after = gateway.await_metrics(
      [](const Metrics& m) {
        return !m.has("restgate_worker_busy_ratio", {{"worker", "1"}});
      },
      "one worker");
  EXPECT_TRUE(after.has("restgate_worker_loop_latency_seconds_count", {{"worker", "1"}})) << "what it counted stays";
  gateway.stop();
}

/// The path of a program that Debian installs; "": it is not there.
std::string program(const std::string& name) {
  const std::string path = "/usr/bin/" + name;
  return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

TEST(Prometheus, ItsToolFindsNothingToComplainOf) {
  if (program("promtool").empty()) GTEST_SKIP() << "no promtool";
  HandlerOrigin origin(always("x"));
  Gateway gateway(config_of(origin.url(), "2", "[100us, 1s]"));
  EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_EQ(gateway.get("/%zz").status(), 400);
  gateway.expect_requests("all", "GET", 200, 1);
  TempDir directory;
  const std::string text = directory.write("metrics", gateway.admin("/metrics").body);
  const std::string command = "promtool check metrics < " + text + " 2>&1";
  std::FILE* const tool = popen(command.c_str(), "r");
  ASSERT_NE(tool, nullptr);
  std::string said;
  for (char line[512]; std::fgets(line, sizeof line, tool) != nullptr;) said += line;
  EXPECT_EQ(pclose(tool), 0);
  EXPECT_EQ(said, "");
  gateway.stop();
}

/// A Prometheus server that scrapes a gateway.
class PrometheusServer {
 public:
  explicit PrometheusServer(uint16_t target)
      : process_(
            program("prometheus"),
            {.arguments = {"--config.file=" + directory_.write("prometheus.yml", configuration(target)),
                           "--storage.tsdb.path=" + directory_.path() + "/data", "--web.listen-address=127.0.0.1:0"},
             .environment = {}}) {
    const std::regex listens(R"(msg="Listening on" address=127\.0\.0\.1:(\d+))");
    process_.await_err(
        [&](const std::vector<std::string>& lines) {
          std::smatch match;
          for (const std::string& line : lines)
            if (std::regex_search(line, match, listens)) port_ = static_cast<uint16_t>(std::stoi(match[1]));
          return port_ != 0;
        },
        "Prometheus listening");
  }
  ~PrometheusServer() {
    process_.signal(SIGTERM);
    (void)process_.wait_exit();
  }
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  /// The value of an expression that gives one; -1: it gives none yet.
  [[nodiscard]] double value(const std::string& expression) const {
    Stream client = Stream::connect(port_);
    const Message answer = client.exchange(request_head("GET", "/api/v1/query?query=" + expression));
    if (answer.status() != 200) return -1;  // it listens before it is ready
    const Json result = Json::parse(answer.body).at("data").at("result");
    return result.empty() ? -1 : std::stod(result.at(0).at("value").at(1).get<std::string>());
  }

 private:
  static std::string configuration(uint16_t target) {
    return "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n  - job_name: restgate\n"
           "    static_configs: [{targets: ['127.0.0.1:" +
           std::to_string(target) + "']}]\n";
  }

  TempDir directory_;
  Process process_;
  uint16_t port_ = 0;
};

TEST(Prometheus, AServerScrapesExactlyWhatWasCounted) {
  if (program("prometheus").empty()) GTEST_SKIP() << "no Prometheus server";
  HandlerOrigin origin(always("x"));
  Gateway gateway(config_of(origin.url(), "2", "[1ms, 10s]"));
  const PrometheusServer prometheus(gateway.admin_port());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(gateway.get("/").status(), 200);
  const auto becomes = [&](const std::string& expression, double expected) {
    double value = 0;
    EXPECT_TRUE(eventually([&] { return (value = prometheus.value(expression)) == expected; }))
        << expression << " is " << value;
  };
  becomes("up", 1);
  becomes("sum(restgate_requests_total)", 10);
  becomes("sum(restgate_request_duration_seconds_bucket%7Ble=%2210%22%7D)", 10);
  gateway.reload(config_of(origin.url(), "1", "[5s]"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(gateway.get("/").status(), 200);
  becomes("sum(restgate_requests_total)", 15);
  becomes("sum(restgate_request_duration_seconds_count)", 15);
  becomes("max(resets(restgate_requests_total%5B5m%5D))", 0);
  becomes("max(resets(restgate_request_duration_seconds_count%5B5m%5D))", 0);
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
