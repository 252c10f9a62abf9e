#include "master/status/live_frames.h"

#include <algorithm>
#include <utility>

#include "master/status/figures_json.h"
#include "master/status/status_text.h"

namespace restgate::master {
namespace {

LiveFrames::Frame frame(std::string_view event, std::string_view data) {
  std::string text;
  text.reserve(data.size() + 32);
  // JSON has no line breaks of its own: one line of data.
  text.append("event: ").append(event).append("\ndata: ").append(data).append("\n\n");
  return std::make_shared<const std::string>(std::move(text));
}

void write_row(JsonWriter& json, size_t place, const RouteFigures& route) {
  json.begin_array().value(place).value(route.requests).value(route.rate).value(route.refused).value(route.failed);
  if (route.latency) json.value(route.latency->p50).value(route.latency->p95).value(route.latency->p99);
  json.end_array();
}

}  // namespace

LiveFrames::Frame LiveFrames::greeting() {
  return greeting_.get(supervisor_.chronicle().last(), [this] { return write_greeting(); });
}

LiveFrames::Frame LiveFrames::write_greeting() {
  sampler_.refresh();
  JsonWriter json(64 * 1024);
  json.begin_object();
  write_now(json);
  write_tables(json);
  write_history(json, 0, 0);
  json.end_object();
  return frame("hello", json.take());
}

LiveFrames::Frame LiveFrames::update() {
  greeting_.drop();  // who got it after this would miss what is new here
  JsonWriter json;
  json.begin_object();
  write_now(json);
  const uint64_t every = busy_routes_ > kManyRoutes ? kLongTablesEvery : kTablesEvery;
  if (updates_++ % every == 0) write_tables(json);
  write_history(json, std::exchange(points_, sampler_.ledger().history().added()),
                std::exchange(events_, supervisor_.chronicle().last()));
  json.end_object();
  return frame("update", json.take());
}

void LiveFrames::skip() {
  greeting_.drop();
  points_ = sampler_.ledger().history().added();
  events_ = supervisor_.chronicle().last();
}

void LiveFrames::write_now(JsonWriter& json) const {
  const Ledger& ledger = sampler_.ledger();
  const Generation& serving = supervisor_.serving_generation();
  json.field("state", StatusText::state_of(supervisor_.service_state()))
      .field("ready", supervisor_.not_ready_reason().empty())
      .field("generation", serving.id)
      .field("config_hash", serving.config_hash)
      .field("last_event", supervisor_.chronicle().last())
      .field("requests", ledger.latest().duration.count())
      .key("now")
      .begin_object();
  write_point(json, ledger.now());
  json.end_object().key("workers").begin_array();
  const TimePoint now = Clock::now();
  for (const WorkerFigures& worker : sampler_.workers()) write_worker(json, worker, now);
  json.end_array();
}

void LiveFrames::write_tables(JsonWriter& json) {
  const Ledger& ledger = sampler_.ledger();
  const config::Config& config = supervisor_.serving_generation().config;
  json.key("services").begin_array();
  for (size_t i = 0; i < ledger.names().services(); ++i) write_service(json, config.services[i], ledger.service(i));
  json.end_array().key("routes").begin_array();
  busy_routes_ = 0;
  for (size_t i = 0; i < ledger.names().routes(); ++i) {
    if (!ledger.busy(i)) continue;
    ++busy_routes_;
    write_row(json, i, ledger.route(i));
  }
  json.end_array().key("errors").begin_array();
  for (size_t i = 0; i < std::min(ledger.errors().size(), kErrors); ++i) write_error(json, ledger.errors()[i]);
  uint64_t in_flight = 0;
  json.end_array().key("exchanges").begin_array();
  for (const RunningExchange& exchange : running_exchanges(supervisor_.fleet(), kExchanges, in_flight))
    write_exchange(json, exchange);
  json.end_array().field("exchanges_in_flight", in_flight);
}

void LiveFrames::write_history(JsonWriter& json, uint64_t points_before, uint64_t events_before) const {
  const History& history = sampler_.ledger().history();
  const auto& points = history.points();
  const uint64_t fresh = std::min<uint64_t>(history.added() - points_before, points.size());
  json.key("points").begin_array();
  for (size_t i = points.size() - fresh; i < points.size(); ++i) {
    json.begin_object();
    write_point(json, points[i]);
    json.end_object();
  }
  json.end_array().key("events").begin_array();
  for (const Event& event : supervisor_.chronicle().events())
    if (event.number > events_before) write_event(json, event);
  json.end_array();
}

}  // namespace restgate::master
