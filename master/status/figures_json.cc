#include "master/status/figures_json.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "config/diagnostic.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// 12.345: with the JsonWriter's six digits a time would be cut to the day.
void write_milliseconds(JsonWriter& json, std::string_view key, int64_t ms) {
  const std::string thousandths = std::to_string(1000 + std::abs(ms) % 1000).substr(1);
  json.key(key).raw((ms < 0 ? "-" : "") + std::to_string(std::abs(ms) / 1000) + "." + thousandths);
}

std::string_view name_of(WorkerState state) {
  switch (state) {
    case WorkerState::Starting:
      return "starting";
    case WorkerState::Ready:
      return "ready";
    case WorkerState::Draining:
      return "draining";
    case WorkerState::Killed:
      return "killed";
  }
  return "";
}

std::string_view name_of(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::Finished:
      return "finished";
    case Verdict::Kind::Refused:
      return "refused";
    case Verdict::Kind::Aborted:
      return "aborted";
  }
  return "";
}

/// The query may hold a key.
std::string endpoint_of(const config::ServiceUrl& url) {
  return (url.scheme == config::Scheme::Https ? "https://" : "http://") + url.authority + url.base_path;
}

void write_request(JsonWriter& json, const LostRequest& request) {
  json.field("phase", flight::to_string(request.phase))
      .field("method", request.method)
      .field("path", request.target)
      .field("route", request.route)
      .field("service", request.service)
      .field("host", request.host)
      .field("user_agent", request.user_agent)
      .field("client", request.client);
  write_milliseconds(json, "age_s", request.age.count());
}

}  // namespace

void write_time(JsonWriter& json, std::string_view key, std::chrono::system_clock::time_point time) {
  write_milliseconds(json, key, duration_cast<milliseconds>(time.time_since_epoch()).count());
}

void write_latency(JsonWriter& json, const std::optional<Quantiles>& latency) {
  json.key("latency_s");
  if (!latency) {
    json.null();
    return;
  }
  json.begin_object().field("p50", latency->p50).field("p95", latency->p95).field("p99", latency->p99).end_object();
}

void write_point(JsonWriter& json, const HistoryPoint& point) {
  write_time(json, "time", point.time);
  json.field("request_rate", point.request_rate).field("error_rate", point.error_rate).key("class_rates");
  json.begin_object();
  constexpr std::array<std::string_view, 6> kNames = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (size_t i = 0; i < kNames.size(); ++i) json.field(kNames[i], point.class_rates[i]);
  json.end_object();
  write_latency(json, point.latency);
  json.field("request_bytes_rate", point.in_rate)
      .field("response_bytes_rate", point.out_rate)
      .field("in_flight", point.in_flight)
      .field("connections", point.connections)
      .field("tunnels", point.tunnels);
}

void write_worker(JsonWriter& json, const WorkerFigures& worker, TimePoint now) {
  const WorkerView& view = worker.view;
  json.begin_object()
      .field("pid", view.pid)
      .field("slot", view.index)
      .field("generation", view.generation)
      .field("state", name_of(view.state));
  write_milliseconds(json, "age_s", duration_cast<milliseconds>(now - view.started).count());
  json.field("connections", worker.connections)
      .field("requests", worker.requests)
      .field("in_flight", worker.in_flight)
      .field("cpu_s", worker.cpu_seconds)
      .field("cpu_share", worker.cpu_share)
      .field("resident_bytes", worker.resident_bytes)
      .end_object();
}

void write_service(JsonWriter& json, const config::Service& service, const ServiceFigures& figures) {
  using stats::ServiceCounter;
  using stats::ServiceGauge;
  json.begin_object().field("name", service.name).key("endpoints").begin_array();
  json.begin_object().field("url", endpoint_of(service.url)).end_object();
  json.end_array().field("health", to_string(figures.health));
  if (figures.health_since)
    write_time(json, "health_since", *figures.health_since);
  else
    json.key("health_since").null();
  json.field("requests", figures.requests).field("rate", figures.rate);
  write_latency(json, figures.latency);
  json.field("connections_active", figures.totals[ServiceGauge::ConnectionsActive])
      .field("connections_idle", figures.totals[ServiceGauge::ConnectionsIdle])
      .field("connects", figures.totals[ServiceCounter::Connects])
      .field("connect_failures", figures.totals[ServiceCounter::ConnectFailures])
      .field("resolve_failures", figures.totals[ServiceCounter::ResolveFailures])
      .field("reuses", figures.totals[ServiceCounter::Reuses])
      .field("retries", figures.totals[ServiceCounter::Retries])
      .end_object();
}

void write_route(JsonWriter& json, const config::Config& config, size_t place, const RouteFigures& figures) {
  json.begin_object();
  if (place == stats::kUnmatchedRoute) {
    json.field("name", stats::kUnmatchedRouteName).key("service").null().key("methods").begin_array().end_array();
    json.key("pattern").null();
  } else {
    const config::Route& route = config.routes[place - 1];
    json.field("name", route.name).field("service", config.services[route.service].name);
    json.key("methods").begin_array();
    for (const std::string& method : route.methods) json.value(method);
    json.end_array().field("pattern", route.pattern.text());
  }
  json.field("requests", figures.requests)
      .field("rate", figures.rate)
      .field("client_error_share", figures.refused)
      .field("error_share", figures.failed);
  write_latency(json, figures.latency);
  json.end_object();
}

void write_event(JsonWriter& json, const Event& event) {
  json.begin_object().field("number", event.number);
  write_time(json, "time", event.time);
  json.field("kind", to_string(event.kind))
      .field("generation", event.generation)
      .field("text", event.text)
      .end_object();
}

void write_error(JsonWriter& json, const RecentError& error) {
  json.begin_object().field("route", error.route).field("reason", error.reason);
  write_time(json, "first", error.first);
  write_time(json, "last", error.last);
  json.field("count", error.count).end_object();
}

void write_crash(JsonWriter& json, const Crash& crash) {
  json.begin_object();
  write_time(json, "time", crash.time);
  json.field("pid", crash.worker.pid)
      .field("slot", crash.worker.index)
      .field("generation", crash.worker.generation)
      .field("reason", to_string(crash.obituary.reason));
  json.key("signal");
  if (crash.obituary.signal != 0)
    json.value(signal_name(crash.obituary.signal));
  else
    json.null();
  json.field("exit_code", crash.obituary.signal != 0 ? std::nullopt : std::optional(crash.obituary.exit_code))
      .field("core", crash.obituary.core);
  write_milliseconds(json, "age_s", crash.age.count());
  json.field("in_flight", crash.losses.in_flight)
      .field("connections", crash.losses.connections)
      .field("tunnels", crash.losses.tunnels)
      .key("requests")
      .begin_array();
  for (const LostRequest& request : crash.losses.requests) {
    json.begin_object().field("suspect", request.suspect);
    write_request(json, request);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_report(JsonWriter& json, const ReloadReport& report) {
  json.begin_object();
  write_time(json, "time", report.time);
  const Verdict& verdict = report.verdict;
  json.field("result", name_of(verdict.kind)).field("file", report.file).key("generation");
  if (verdict.kind == Verdict::Kind::Finished)
    json.value(verdict.generation);
  else
    json.null();
  json.field("reason", verdict.reason).key("diagnostics").begin_array();
  for (const config::Diagnostic& diagnostic : verdict.diagnostics)
    json.begin_object()
        .field("file", diagnostic.file)
        .field("line", diagnostic.mark.line)
        .field("column", diagnostic.mark.column)
        .field("key", diagnostic.path)
        .field("message", diagnostic.message)
        .end_object();
  json.end_array().end_object();
}

std::vector<RunningExchange> running_exchanges(const Fleet& fleet, size_t most, uint64_t& in_flight) {
  std::vector<RunningExchange> all;
  const int64_t now_us = EventLoop::clock_us();
  in_flight = 0;
  for (const auto& worker : fleet.workers()) {
    const flight::Snapshot flights = worker->flights().oldest(most);
    in_flight += flights.in_flight;
    Losses told = losses_of(flights, {}, worker->block().spec(), now_us);
    for (LostRequest& request : told.requests) all.push_back({worker->view().pid, std::move(request)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const RunningExchange& a, const RunningExchange& b) { return a.request.age > b.request.age; });
  if (all.size() > most) all.resize(most);
  return all;
}

void write_exchange(JsonWriter& json, const RunningExchange& exchange) {
  json.begin_object().field("worker", exchange.worker);
  write_request(json, exchange.request);
  json.end_object();
}

}  // namespace restgate::master
