// What is counted: the names of counters and gauges, the histogram's buckets, what a block has room for. Any process.
//
// Blocks and serialised totals carry the names below, so an enumerator may be moved, added or dropped, and a program of
// another version still reads them; a name may not change its meaning.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
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
  kCount
};

/// Whole-worker numbers of the moment.
enum class Gauge : uint8_t { ConnectionsActive, ConnectionsIdle, RequestsInFlight, Tunnels, kCount };

/// Per-service numbers.
enum class ServiceCounter : uint8_t { Connects, ConnectFailures, Reuses, Retries, ResolveFailures, kCount };
enum class ServiceGauge : uint8_t { ConnectionsActive, ConnectionsIdle, kCount };

inline constexpr size_t kCounterCount = static_cast<size_t>(Counter::kCount);
inline constexpr size_t kGaugeCount = static_cast<size_t>(Gauge::kCount);
inline constexpr size_t kServiceCounterCount = static_cast<size_t>(ServiceCounter::kCount);
inline constexpr size_t kServiceGaugeCount = static_cast<size_t>(ServiceGauge::kCount);

/// Names in enumerator order, as blocks and serialised totals carry them.
inline constexpr std::array<std::string_view, kCounterCount> kCounterNames = {
    "connections_accepted", "connections_handed_over", "request_bytes", "response_bytes",
    "tunnels_opened",       "access_log_dropped",      "loop_turns",    "loop_busy_micros"};
inline constexpr std::array<std::string_view, kGaugeCount> kGaugeNames = {"connections_active", "connections_idle",
                                                                          "requests_in_flight", "tunnels"};
inline constexpr std::array<std::string_view, kServiceGaugeCount> kServiceGaugeNames = {"connections_active",
                                                                                        "connections_idle"};
inline constexpr std::array<std::string_view, kServiceCounterCount> kServiceCounterNames = {
    "connects", "connect_failures", "reuses", "retries", "resolve_failures"};

/// Upper bounds of the duration histograms in seconds, +Inf left out.
inline constexpr double kDurationBuckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,  0.5,    1,     2.5,  5,     10};
inline constexpr size_t kDurationBucketCount = std::size(kDurationBuckets);

/// The same bounds in microseconds, exact.
inline constexpr std::array<uint64_t, kDurationBucketCount> kDurationBucketMicros = [] {
  std::array<uint64_t, kDurationBucketCount> micros{};
  for (size_t i = 0; i < micros.size(); ++i) micros[i] = static_cast<uint64_t>(kDurationBuckets[i] * 1e6 + 0.5);
  return micros;
}();

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
};

/// Limits of a BlockSpec; Block::create refuses what is over.
inline constexpr size_t kMaxRoutes = 1U << 20;
inline constexpr size_t kMaxServices = 1U << 20;
inline constexpr size_t kMaxNameBytes = 4096;

}  // namespace restgate::stats
