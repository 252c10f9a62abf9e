// How the parts of the status are written: /status and the live page's updates share them. Pure; master.
//
// Nothing of it is secret: of a URL its query is left out, of a request the values of its query (they are not in the
// flight recorder), of a configuration's error the line that it stands in.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "config/model.h"
#include "master/crash_log.h"
#include "master/status/chronicle.h"
#include "master/status/json_writer.h"
#include "master/status/ledger.h"
#include "master/status/sampler.h"
#include "master/supervisor.h"

namespace restgate::master {

/// Seconds since 1970, to the millisecond.
void write_time(JsonWriter& json, std::string_view key, std::chrono::system_clock::time_point time);
/// "latency":{"p50":…} or null; seconds.
void write_latency(JsonWriter& json, const std::optional<Quantiles>& latency);

/// Members of the object that is open.
void write_point(JsonWriter& json, const HistoryPoint& point);

// Each an object.
void write_worker(JsonWriter& json, const WorkerFigures& worker, TimePoint now);
void write_service(JsonWriter& json, const config::Service& service, const ServiceFigures& figures);
void write_route(JsonWriter& json, const config::Config& config, size_t place, const RouteFigures& figures);
void write_event(JsonWriter& json, const Event& event);
void write_error(JsonWriter& json, const RecentError& error);
void write_crash(JsonWriter& json, const Crash& crash);
void write_report(JsonWriter& json, const ReloadReport& report);

/// A request that a live worker is busy with.
struct RunningExchange {
  pid_t worker = 0;
  LostRequest request;  ///< not lost, but told in the same words
};
/// Those of all workers, the oldest first, at most `most`; `in_flight` gets how many there are.
[[nodiscard]] std::vector<RunningExchange> running_exchanges(const Fleet& fleet, size_t most, uint64_t& in_flight);
void write_exchange(JsonWriter& json, const RunningExchange& exchange);

}  // namespace restgate::master
