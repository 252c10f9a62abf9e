#include "master/status/status_text.h"

#include <unistd.h>

#include <utility>

#include "common/version.h"
#include "master/metrics_process.h"
#include "master/status/figures_json.h"

namespace restgate::master {
namespace {

using SystemClock = std::chrono::system_clock;

template <typename List, typename Write>
void write_list(JsonWriter& json, std::string_view key, const List& list, Write write) {
  json.key(key).begin_array();
  for (const auto& item : list) write(json, item);
  json.end_array();
}

}  // namespace

StatusText::StatusText(const Supervisor& supervisor, StatusSampler& sampler)
    : supervisor_(supervisor),
      sampler_(sampler),
      started_(std::chrono::duration_cast<SystemClock::duration>(
          std::chrono::duration<double>(read_process_totals({}).start_time_seconds))) {}

std::shared_ptr<const std::string> StatusText::get() {
  // After a reload it is always written anew.
  return text_.get(supervisor_.chronicle().last(), [this] {
    sampler_.refresh();
    auto text = std::make_shared<const std::string>(write(size_));
    size_ = text->size() + text->size() / 8;
    return text;
  });
}

std::string_view StatusText::state_of(const ServiceState& state) {
  if (state.stopping) return "draining";
  if (state.reloading) return "reloading";
  return state.serving ? "serving" : "starting";
}

std::string StatusText::write(size_t expected) const {
  JsonWriter json(expected);
  json.begin_object();
  write_head(json);
  write_totals(json);
  write_lists(json);
  json.end_object();
  return json.take() + "\n";
}

void StatusText::write_head(JsonWriter& json) const {
  const Generation& serving = supervisor_.serving_generation();
  const std::string reason = supervisor_.not_ready_reason();
  const MasterFacts facts = supervisor_.facts();
  json.field("version", version()).field("commit", commit()).field("build_time", build_time());
  write_time(json, "time", SystemClock::now());
  json.field("state", state_of(supervisor_.service_state()))
      .field("ready", reason.empty())
      .field("not_ready_reason", reason)
      .field("pid", ::getpid());
  write_time(json, "started", started_);
  json.field("uptime_s", std::chrono::duration<double>(SystemClock::now() - started_).count());
  json.field("generation", serving.id).key("config").begin_object();
  json.field("file", serving.config.file).field("hash", serving.config_hash);
  write_time(json, "loaded", facts.last_reload);
  json.end_object().key("last_reload");
  if (supervisor_.last_report())
    write_report(json, *supervisor_.last_report());
  else
    json.null();
  json.key("counts").begin_object();
  json.field("reloads_succeeded", facts.reloads_succeeded)
      .field("reloads_failed", facts.reloads_failed)
      .field("upgrades_succeeded", facts.upgrades_succeeded)
      .field("upgrades_failed", facts.upgrades_failed)
      .field("worker_restarts", facts.worker_restarts)
      .key("worker_exits")
      .begin_object();
  for (const MasterFacts::Exits& exits : facts.worker_exits) json.field(exits.reason, exits.count);
  json.end_object().end_object();
}

void StatusText::write_totals(JsonWriter& json) const {
  const Ledger& ledger = sampler_.ledger();
  const Tally& latest = ledger.latest();
  json.key("windows").begin_object();
  json.field("rate_s", ledger.rate_seconds()).field("latency_s", ledger.latency_seconds()).end_object();
  json.key("totals").begin_object();
  json.field("requests", latest.duration.count())
      .field("errors", latest.errors)
      .field("connections_accepted", latest[stats::Counter::ConnectionsAccepted])
      .field("request_bytes", latest[stats::Counter::RequestBytes])
      .field("response_bytes", latest[stats::Counter::ResponseBytes])
      .field("tunnels_opened", latest[stats::Counter::TunnelsOpened])
      .end_object();
  json.key("now").begin_object();
  write_point(json, ledger.now());
  json.end_object();
}

void StatusText::write_lists(JsonWriter& json) const {
  const Ledger& ledger = sampler_.ledger();
  const config::Config& config = supervisor_.serving_generation().config;
  const TimePoint now = Clock::now();
  write_list(json, "workers", sampler_.workers(),
             [now](JsonWriter& to, const WorkerFigures& worker) { write_worker(to, worker, now); });
  json.key("services").begin_array();
  for (size_t i = 0; i < ledger.names().services(); ++i) write_service(json, config.services[i], ledger.service(i));
  json.end_array().key("routes").begin_array();
  for (size_t i = 0; i < ledger.names().routes(); ++i) write_route(json, config, i, ledger.route(i));
  json.end_array();
  uint64_t in_flight = 0;
  const auto exchanges = running_exchanges(supervisor_.fleet(), kExchanges, in_flight);
  write_list(json, "exchanges", exchanges, write_exchange);
  json.field("exchanges_in_flight", in_flight);
  write_list(json, "crashes", supervisor_.crashes().latest(), write_crash);
  write_list(json, "errors", ledger.errors(), write_error);
  write_list(json, "events", supervisor_.chronicle().events(), write_event);
}

}  // namespace restgate::master
