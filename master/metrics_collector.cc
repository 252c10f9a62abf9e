#include "master/metrics_collector.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <span>
#include <streambuf>
#include <string_view>
#include <utility>

#include "common/stats/bounds.h"
#include "common/version.h"

namespace restgate::master {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

MetricFamily family(MetricType type, std::string name, std::string help) {
  MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}
MetricFamily counter(std::string name, std::string help) {
  return family(MetricType::Counter, std::move(name), std::move(help));
}
MetricFamily gauge(std::string name, std::string help) {
  return family(MetricType::Gauge, std::move(name), std::move(help));
}

using Label = std::pair<const char*, std::string_view>;

template <size_t N>
ClientMetric& add_metric(MetricFamily& to, const std::array<Label, N>& labels) {
  ClientMetric& metric = to.metric.emplace_back();
  metric.label.reserve(N);
  for (const auto& [name, value] : labels) metric.label.push_back({name, std::string(value)});
  return metric;
}

/// One sample of a counter or gauge.
template <typename Value, typename... Labels>
void add(MetricFamily& to, Value value, const Labels&... labels) {
  ClientMetric& metric = add_metric(to, std::array<Label, sizeof...(labels)>{labels...});
  if (to.type == MetricType::Counter)
    metric.counter.value = static_cast<double>(value);
  else
    metric.gauge.value = static_cast<double>(value);
}

/// How histograms are shown: with bounds of the configuration's, whatever those that they were counted with.
class Buckets {
 public:
  Buckets(const stats::DurationBounds& counted, const stats::DurationBounds& shown)
      : places_(stats::bucket_places(counted, shown)), bounds_(shown.size()) {
    for (size_t i = 0; i < shown.size(); ++i)
      bounds_[i] = static_cast<double>(shown[i]) / 1e6;  // not * 1e-6, which is not exact: 0.1 is a label
  }
  void add(MetricFamily& to, std::span<const uint64_t> buckets, uint64_t sum_us, const Label& label) const {
    prometheus::ClientMetric::Histogram& out = add_metric(to, std::array{label}).histogram;
    const std::vector<uint64_t> counts = stats::moved_buckets(buckets, places_, bounds_.size() + 1);
    out.bucket.reserve(counts.size());
    uint64_t cumulative = 0;
    for (size_t i = 0; i < bounds_.size(); ++i) {
      cumulative += counts[i];
      out.bucket.push_back({cumulative, bounds_[i]});
    }
    // The serializer adds the +Inf bucket from the count.
    out.sample_count = cumulative + counts.back();
    out.sample_sum = static_cast<double>(sum_us) * 1e-6;
  }

 private:
  std::vector<uint32_t> places_;
  std::vector<double> bounds_;  ///< in seconds
};

std::string code_label(uint16_t code) {
  return code == 0 ? std::string(stats::kOther) : std::to_string(code);
}

void add_routes(Families& families, const stats::Snapshot& totals, const Buckets& buckets) {
  MetricFamily requests =
      counter("restgate_requests_total", "Requests finished, by route, method and the status sent or logged.");
  MetricFamily errors =
      counter("restgate_errors_total", "Requests and PROXY headers that went wrong, by route and reason.");
  MetricFamily duration = family(MetricType::Histogram, "restgate_request_duration_seconds",
                                 "Time from a request's first byte to its response's last one.");
  requests.metric.reserve(totals.routes.size() * 2);
  duration.metric.reserve(totals.routes.size());
  for (const stats::RouteStats& route : totals.routes) {
    const Label name{"route", route.name};
    for (const stats::RequestCount& entry : route.requests)
      add(requests, entry.count, name, Label{"method", entry.method}, Label{"code", code_label(entry.code)});
    for (const stats::ErrorCount& entry : route.errors) add(errors, entry.count, name, Label{"reason", entry.reason});
    if (route.duration.count() != 0) buckets.add(duration, route.duration.buckets, route.duration.sum_us, name);
  }
  families.push_back(std::move(requests));
  families.push_back(std::move(duration));
  families.push_back(std::move(errors));
}

void add_clients(Families& families, const stats::Snapshot& totals) {
  using stats::Counter;
  using stats::Gauge;
  const auto add_counter = [&](Counter which, const char* name, const char* help) {
    add(families.emplace_back(counter(name, help)), totals[which]);
  };
  add(families.emplace_back(gauge("restgate_requests_in_flight", "Requests being served.")),
      totals[Gauge::RequestsInFlight]);
  add_counter(Counter::RequestBytes, "restgate_request_bytes_total", "Bytes of requests received, heads and bodies.");
  add_counter(Counter::ResponseBytes, "restgate_response_bytes_total", "Bytes of responses sent, heads and bodies.");
  MetricFamily& connections = families.emplace_back(
      gauge("restgate_client_connections", "Client connections: serving a request, or waiting for one."));
  add(connections, totals[Gauge::ConnectionsActive], Label{"state", "active"});
  add(connections, totals[Gauge::ConnectionsIdle], Label{"state", "idle"});
  add_counter(Counter::ConnectionsAccepted, "restgate_client_connections_accepted_total",
              "Client connections accepted.");
  add_counter(Counter::ConnectionsHandedOver, "restgate_client_connections_handed_over_total",
              "Client connections that one worker passed to another.");
  add(families.emplace_back(gauge("restgate_tunnels", "Upgraded connections (WebSocket and the like) that are open.")),
      totals[Gauge::Tunnels]);
  add_counter(Counter::TunnelsOpened, "restgate_tunnels_opened_total", "Upgraded connections ever opened.");
  add_counter(Counter::AccessLogDropped, "restgate_access_log_dropped_total",
              "Access log lines dropped since nobody took them.");
  add_counter(Counter::LoopTurns, "restgate_loop_turns_total", "Turns of the workers' event loops.");
  add(families.emplace_back(
          counter("restgate_loop_busy_seconds_total", "Time that the workers' event loops spent working.")),
      static_cast<double>(totals[Counter::LoopBusyMicros]) * 1e-6);
}

void add_services(Families& families, const stats::Snapshot& totals, const Buckets& buckets) {
  using stats::ServiceCounter;
  using stats::ServiceGauge;
  MetricFamily duration = family(MetricType::Histogram, "restgate_backend_duration_seconds",
                                 "Time from a request's dispatch to the end of the backend's response.");
  MetricFamily connections =
      gauge("restgate_backend_connections", "Connections to backends: in use, or kept for reuse.");
  MetricFamily endpoints =
      gauge("restgate_backend_endpoints", "Addresses that a service's name resolves to, as the workers know them.");
  struct Row {
    ServiceCounter counter;
    MetricFamily family;
  };
  std::array<Row, stats::kServiceCounterCount> rows = {{
      {ServiceCounter::Connects, counter("restgate_backend_connects_total", "Connections to backends begun.")},
      {ServiceCounter::ConnectFailures,
       counter("restgate_backend_connect_failures_total", "Connections to backends that could not be made.")},
      {ServiceCounter::Reuses,
       counter("restgate_backend_reuses_total", "Requests sent on a connection kept for reuse.")},
      {ServiceCounter::Retries,
       counter("restgate_backend_retries_total", "Requests sent once more since a kept connection had died.")},
      {ServiceCounter::ResolveFailures,
       counter("restgate_backend_resolve_failures_total", "Names of backends that could not be resolved.")},
  }};
  for (const stats::ServiceStats& service : totals.services) {
    const Label name{"service", service.name};
    if (service.duration.count() != 0) buckets.add(duration, service.duration.buckets, service.duration.sum_us, name);
    add(connections, service[ServiceGauge::ConnectionsActive], name, Label{"state", "active"});
    add(connections, service[ServiceGauge::ConnectionsIdle], name, Label{"state", "idle"});
    add(endpoints, service[ServiceGauge::Endpoints], name);
    for (Row& row : rows) add(row.family, service[row.counter], name);
  }
  families.push_back(std::move(duration));
  families.push_back(std::move(connections));
  families.push_back(std::move(endpoints));
  for (Row& row : rows) families.push_back(std::move(row.family));
}

/// By the index of the worker: those of one index, one after the other, are one series.
void add_workers(Families& families, const stats::Snapshot& totals) {
  using stats::Counter;
  MetricFamily busy = gauge("restgate_worker_busy_ratio",
                            "Share of the last second that a worker's event loop spent working; of two workers of one "
                            "index (in a reload), the sum.");
  MetricFamily latency = family(MetricType::Histogram, "restgate_worker_loop_latency_seconds",
                                "Turns of a worker's event loop by how long they kept other events waiting.");
  const stats::DurationBounds bounds(stats::kLoopLatencyBounds.begin(), stats::kLoopLatencyBounds.end());
  const Buckets buckets(bounds, bounds);
  for (const stats::WorkerStats& worker : totals.workers) {
    const std::string index = std::to_string(worker.index);
    const Label label{"worker", index};
    if (worker.processes != 0) add(busy, static_cast<double>(worker[stats::Gauge::BusyPermille]) / 1000, label);
    const std::span<const uint64_t> turns(worker.counters);
    buckets.add(latency, turns.subspan(static_cast<size_t>(Counter::LoopLatency), bounds.size() + 1),
                worker[Counter::LoopBusyMicros], label);
  }
  families.push_back(std::move(busy));
  families.push_back(std::move(latency));
}

double unix_seconds(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

void add_master(Families& families, const MasterFacts& facts) {
  MetricFamily& workers = families.emplace_back(gauge("restgate_workers", "Worker processes by state."));
  add(workers, facts.workers_starting, Label{"state", "starting"});
  add(workers, facts.workers_ready, Label{"state", "ready"});
  add(workers, facts.workers_draining, Label{"state", "draining"});
  add(workers, facts.workers_killed, Label{"state", "killed"});
  add(families.emplace_back(counter("restgate_worker_restarts_total", "Workers started in place of one that died.")),
      facts.worker_restarts);
  MetricFamily& exits = families.emplace_back(counter("restgate_worker_exits_total", "Ends of workers, by reason."));
  for (const MasterFacts::Exits& entry : facts.worker_exits) add(exits, entry.count, Label{"reason", entry.reason});
  add(families.emplace_back(gauge("restgate_generation", "Number of the configuration that serves, from 1 upwards.")),
      facts.generation);
  MetricFamily& reloads = families.emplace_back(counter("restgate_reloads_total", "Reloads by result."));
  add(reloads, facts.reloads_succeeded, Label{"result", "success"});
  add(reloads, facts.reloads_failed, Label{"result", "failure"});
  MetricFamily& upgrades =
      families.emplace_back(counter("restgate_upgrades_total", "Upgrades of the running program, by result."));
  add(upgrades, facts.upgrades_succeeded, Label{"result", "success"});
  add(upgrades, facts.upgrades_failed, Label{"result", "failure"});
  add(families.emplace_back(
          gauge("restgate_config_last_reload_successful", "1: the last reload succeeded; 0: it failed.")),
      facts.last_reload_successful ? 1 : 0);
  add(families.emplace_back(gauge("restgate_config_last_reload_timestamp_seconds",
                                  "When a configuration was last taken into service, Unix time.")),
      unix_seconds(facts.last_reload));
  add(families.emplace_back(gauge("restgate_config_hash", "Always 1; the label tells the configuration that serves.")),
      1, Label{"hash", facts.config_hash});
  add(families.emplace_back(gauge("restgate_build_info", "Always 1; the labels tell the build.")), 1,
      Label{"version", version()}, Label{"commit", commit()}, Label{"build_time", build_time()});
}

void add_processes(Families& families, const ProcessTotals& processes) {
  add(families.emplace_back(
          counter("process_cpu_seconds_total", "User and system CPU time of master and workers, ended ones too.")),
      processes.cpu_seconds);
  add(families.emplace_back(gauge("process_resident_memory_bytes",
                                  "Resident memory of master and workers, summed: shared pages count several times.")),
      processes.resident_bytes);
  add(families.emplace_back(gauge("process_open_fds", "Open file descriptors of master and workers, summed.")),
      processes.open_fds);
  add(families.emplace_back(gauge("process_max_fds", "Most file descriptors that one process may open.")),
      processes.max_fds);
  add(families.emplace_back(gauge("process_start_time_seconds", "When the master started, Unix time.")),
      processes.start_time_seconds);
}

/// A stream into a string that can be taken without copying it.
class StringSink final : public std::streambuf {
 public:
  explicit StringSink(size_t expected) {
    text_.resize(std::max<size_t>(expected, 4096));
    setp(text_.data(), text_.data() + text_.size());
  }
  [[nodiscard]] std::string take() {
    text_.resize(static_cast<size_t>(pptr() - pbase()));
    return std::move(text_);
  }

 protected:
  int_type overflow(int_type c) override {
    const auto used = static_cast<size_t>(pptr() - pbase());
    text_.resize(text_.size() * 2);
    setp(text_.data(), text_.data() + text_.size());
    advance(used);
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    return sputc(traits_type::to_char_type(c));
  }

 private:
  void advance(size_t count) {
    for (constexpr size_t kStep = 1U << 30; count > 0;) {
      const size_t step = std::min(count, kStep);  // pbump takes an int
      pbump(static_cast<int>(step));
      count -= step;
    }
  }

  std::string text_;
};

}  // namespace

std::string metrics_text(const Scrape& scrape, size_t expected_bytes) {
  StringSink sink(expected_bytes);
  std::ostream out(&sink);
  const stats::Accumulator sum = scrape.statistics.sum();
  prometheus::TextSerializer().Serialize(out, metric_families(sum.totals(), scrape.facts, scrape.processes));
  return sink.take();
}

std::vector<MetricFamily> metric_families(const stats::Snapshot& totals, const MasterFacts& facts,
                                          const ProcessTotals& processes) {
  Families families;
  families.reserve(48);  // references to the last one stay valid while it is filled
  const Buckets buckets(totals.duration_bounds,
                        facts.duration_bounds.empty() ? totals.duration_bounds : facts.duration_bounds);
  add_routes(families, totals, buckets);
  add_clients(families, totals);
  add_services(families, totals, buckets);
  add_workers(families, totals);
  add_master(families, facts);
  add_processes(families, processes);
  return families;
}

}  // namespace restgate::master
