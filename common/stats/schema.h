// What is counted: the names of counters and gauges, the histogram's buckets, what a block has room for. Any process.
//
// Blocks and serialised totals carry the names below, so an enumerator may be moved, added or dropped, and a program of
// another version still reads them; a name may not change its meaning.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restgate::stats {

/// Whole-worker numbers that only grow.
enum class Counter : uint8_t {
  ConnectionsAccepted,
  ConnectionsHandedOver,
  RequestBytes,   ///< of request bodies and heads, as received
  ResponseBytes,  ///< as sent to clients
  TunnelsOpened,
  AccessLogDropped,  ///< lines that could not be written
  LoopTurns,
  LoopBusyMicros,  ///< time spent in callbacks
  LoopLatency,     ///< the first of kLoopLatencyBuckets: turns by how long they took, not cumulative
  kCount = LoopLatency + 12
};

/// Whole-worker numbers of the moment.
enum class Gauge : uint8_t {
  ConnectionsActive,
  ConnectionsIdle,
  RequestsInFlight,
  Tunnels,
  BusyPermille,  ///< of the last second or so that the loop spent in callbacks
  kCount
};

/// Per-service numbers.
enum class ServiceCounter : uint8_t { Connects, ConnectFailures, Reuses, Retries, ResolveFailures, kCount };
enum class ServiceGauge : uint8_t {
  ConnectionsActive,
  ConnectionsIdle,
  Endpoints,  ///< addresses of the service's name; of several workers the most
  kCount
};

inline constexpr size_t kCounterCount = static_cast<size_t>(Counter::kCount);
inline constexpr size_t kGaugeCount = static_cast<size_t>(Gauge::kCount);
inline constexpr size_t kServiceCounterCount = static_cast<size_t>(ServiceCounter::kCount);
inline constexpr size_t kServiceGaugeCount = static_cast<size_t>(ServiceGauge::kCount);

/// Names in enumerator order, as blocks and serialised totals carry them.
inline constexpr std::array<std::string_view, kCounterCount> kCounterNames = {
    "connections_accepted", "connections_handed_over", "request_bytes",      "response_bytes",
    "tunnels_opened",       "access_log_dropped",      "loop_turns",         "loop_busy_micros",
    "loop_latency_100us",   "loop_latency_250us",      "loop_latency_500us", "loop_latency_1ms",
    "loop_latency_2500us",  "loop_latency_5ms",        "loop_latency_10ms",  "loop_latency_25ms",
    "loop_latency_50ms",    "loop_latency_100ms",      "loop_latency_1s",    "loop_latency_more"};
inline constexpr std::array<std::string_view, kGaugeCount> kGaugeNames = {
    "connections_active", "connections_idle", "requests_in_flight", "tunnels", "busy_permille"};
inline constexpr std::array<std::string_view, kServiceGaugeCount> kServiceGaugeNames = {
    "connections_active", "connections_idle", "endpoints"};
inline constexpr std::array<std::string_view, kServiceCounterCount> kServiceCounterNames = {
    "connects", "connect_failures", "reuses", "retries", "resolve_failures"};

/// Upper bounds in microseconds of the counters from Counter::LoopLatency on; the last of those is of what is above.
inline constexpr std::array<uint64_t, 11> kLoopLatencyBounds = {100,    250,    500,    1'000,   2'500,    5'000,
                                                                10'000, 25'000, 50'000, 100'000, 1'000'000};
static_assert(static_cast<size_t>(Counter::LoopLatency) + kLoopLatencyBounds.size() + 1 == kCounterCount);

/// Upper bounds of the duration histograms in microseconds, +Inf left out, unless the configuration has others.
inline constexpr std::array<uint64_t, 14> kDefaultDurationBounds = {500,       1'000,     2'500,     5'000,     10'000,
                                                                    25'000,    50'000,    100'000,   250'000,   500'000,
                                                                    1'000'000, 2'500'000, 5'000'000, 10'000'000};
/// How many a block may have, and up to where.
inline constexpr size_t kMaxDurationBounds = 30;
inline constexpr size_t kMaxForeignBounds = 128;  ///< of another program's block, and of a sum of many
inline constexpr uint64_t kMaxDurationBound = 1'800'000'000;
/// Ascending, each once.
using DurationBounds = std::vector<uint64_t>;
[[nodiscard]] inline DurationBounds default_duration_bounds() {
  return {kDefaultDurationBounds.begin(), kDefaultDurationBounds.end()};
}

/// Route index of what matches no route; route i of the configuration is i + 1.
inline constexpr uint32_t kUnmatchedRoute = 0;
inline constexpr std::string_view kUnmatchedRouteName = "unmatched";

/// Label of what has no place of its own: an unknown method, a cell that the table had no room for.
inline constexpr std::string_view kOther = "other";

/// What a block has room for. Names are stored in the block.
struct BlockSpec {
  std::vector<std::string> routes;    ///< names, without "unmatched"
  std::vector<std::string> services;  ///< names
  std::vector<std::string> methods;   ///< MethodId → name
  DurationBounds duration_bounds = default_duration_bounds();
};

/// Limits of a BlockSpec; Block::create refuses what is over.
inline constexpr size_t kMaxRoutes = 1U << 20;
inline constexpr size_t kMaxServices = 1U << 20;
inline constexpr size_t kMaxNameBytes = 4096;

}  // namespace restgate::stats
