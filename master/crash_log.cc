#include "master/crash_log.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// The name that a number of the recorder stands for; `none` for 0 and for nonsense.
std::string name_of(const std::vector<std::string>& names, uint32_t number, std::string_view none) {
  return number >= 1 && number <= names.size() ? names[number - 1] : std::string(none);
}

LostRequest lost(const flight::Flight& flight, const stats::BlockSpec& names, int64_t now_us) {
  LostRequest request;
  request.suspect = flight.suspect;
  request.phase = flight.phase;
  request.method = flight.method;
  request.target = flight.target;
  request.route = name_of(names.routes, flight.route, "unmatched");
  request.service = name_of(names.services, flight.service, "");
  request.host = flight.host;
  request.user_agent = flight.user_agent;
  request.client = flight.client;
  request.body = flight.body;
  request.content_length = flight.content_length;
  // A record that was being written has no time yet.
  if (flight.started_us != 0)
    request.age = duration_cast<milliseconds>(microseconds(std::max<int64_t>(now_us - flight.started_us, 0)));
  return request;
}

uint64_t positive(int64_t level) {
  return static_cast<uint64_t>(std::max<int64_t>(level, 0));
}

LogLevel level_of(ExitReason reason) {
  switch (reason) {
    case ExitReason::Drained:
      return LogLevel::Debug;
    case ExitReason::Cut:
    case ExitReason::DrainOverdue:
    case ExitReason::Killed:
      return LogLevel::Warn;
    case ExitReason::Failed:
    case ExitReason::Crashed:
    case ExitReason::Hung:
    case ExitReason::NeverReady:
    case ExitReason::kCount:
      return LogLevel::Error;
  }
  return LogLevel::Error;
}

log::Field body_field(const LostRequest& request) {
  if (request.body == flight::Body::Chunked) return {"transfer_encoding", "chunked"};
  return {"content_length", request.body == flight::Body::Length ? request.content_length : 0};
}

void log_request(LogLevel level, const Crash& crash, const LostRequest& request) {
  log::write(level, "request lost with its worker",
             {{"worker_pid", crash.worker.pid},
              {"suspect", request.suspect},
              {"phase", to_string(request.phase)},
              {"age_ms", request.age.count()},
              {"method", request.method},
              {"path", request.target},
              {"route", request.route},
              {"service", request.service},
              {"host", request.host},
              {"user_agent", request.user_agent},
              body_field(request),
              {"client", request.client}});
}

bool meant_to(ExitReason reason) {
  return reason == ExitReason::Drained || reason == ExitReason::Cut;
}

}  // namespace

Losses losses_of(const flight::Snapshot& flights, const stats::Snapshot& counted, const stats::BlockSpec& names,
                 int64_t now_us) {
  Losses losses;
  losses.in_flight = flights.in_flight;
  losses.damaged = flights.damaged;
  losses.connections =
      positive(counted[stats::Gauge::ConnectionsActive]) + positive(counted[stats::Gauge::ConnectionsIdle]);
  losses.tunnels = positive(counted[stats::Gauge::Tunnels]);
  const size_t listed = std::min(flights.flights.size(), Losses::kListed);
  losses.requests.reserve(listed);
  for (size_t i = 0; i < listed; ++i) losses.requests.push_back(lost(flights.flights[i], names, now_us));
  return losses;
}

void log_end(const Crash& crash) {
  const Obituary& obituary = crash.obituary;
  const LogLevel level = level_of(obituary.reason);
  const std::string how = obituary.signal != 0 ? signal_name(obituary.signal) : std::to_string(obituary.exit_code);
  log::write(level, "worker ended",
             {{"reason", to_string(obituary.reason)},
              {obituary.signal != 0 ? "signal" : "exit_code", how},
              {"worker", crash.worker.index},
              {"worker_pid", crash.worker.pid},
              {"generation", crash.worker.generation},
              {"age_ms", crash.age.count()},
              {"core", obituary.core},
              {"in_flight", crash.losses.in_flight},
              {"connections", crash.losses.connections},
              {"tunnels", crash.losses.tunnels}});
  for (const LostRequest& request : crash.losses.requests) log_request(level, crash, request);
  if (crash.losses.damaged > 0)
    log::write(level, "the worker had written over its records of requests",
               {{"worker_pid", crash.worker.pid}, {"damaged", crash.losses.damaged}});
}

bool CrashLog::add(Crash crash) {
  if (meant_to(crash.obituary.reason)) return false;
  if (latest_.size() == kKept) latest_.pop_back();
  latest_.push_front(std::move(crash));
  return true;
}

}  // namespace restgate::master
