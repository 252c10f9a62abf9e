// CrashLog: how workers ended that were not meant to, and which requests ended with them. Master.
//
// losses_of() is pure: names instead of numbers, ages instead of times, and a bound on how much is told. Nothing of it
// is secret: the recorder has neither credentials nor bodies nor the values of a query (common/flight/writer.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "common/flight/snapshot.h"
#include "common/stats.h"
#include "master/obituary.h"
#include "master/reconcile.h"

namespace restgate::master {

/// A request that was in flight in a worker when that ended.
struct LostRequest {
  bool suspect = false;  ///< the worker was acting on it
  flight::Phase phase = flight::Phase::Free;
  std::string method;
  std::string target;
  std::string route;    ///< "unmatched": none
  std::string service;  ///< "": none
  std::string host;
  std::string user_agent;
  std::string client;
  flight::Body body = flight::Body::None;
  uint64_t content_length = 0;
  std::chrono::milliseconds age{};
};

/// What a worker took with it.
struct Losses {
  static constexpr size_t kListed = 32;

  std::vector<LostRequest> requests;  ///< the likeliest to blame first, at most kListed
  uint64_t in_flight = 0;
  uint64_t connections = 0;  ///< of clients
  uint64_t tunnels = 0;
  uint64_t damaged = 0;  ///< records that the worker had written over
};

struct Crash {
  WorkerView worker;
  Obituary obituary;
  std::chrono::system_clock::time_point time{};
  std::chrono::milliseconds age{};  ///< of the worker
  Losses losses;
};

/// `now_us`: CLOCK_MONOTONIC. `counted`: the worker's last numbers; `names`: of its generation.
[[nodiscard]] Losses losses_of(const flight::Snapshot& flights, const stats::Snapshot& counted,
                               const stats::BlockSpec& names, int64_t now_us);

/// One record about the worker's end, and one for each request listed.
void log_end(const Crash& crash);

class CrashLog {
 public:
  static constexpr size_t kKept = 16;

  /// Keeps it, unless this is how workers are meant to end: then false.
  bool add(Crash crash);
  /// The latest first.
  [[nodiscard]] const std::deque<Crash>& latest() const { return latest_; }

 private:
  std::deque<Crash> latest_;
};

}  // namespace restgate::master
