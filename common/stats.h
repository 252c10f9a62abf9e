// Shared-memory statistics: one block per worker process, written by it alone, read by the master. Lock-free.
//
// A block is a memfd that describes itself (magic, layout version, sizes, names), so that a master of another build
// can tell whether it can read it. A block has one writer, ever. When its worker is gone, the master adds the block to
// an accumulator by route and service *name* and drops it: no counter goes back. Gauges die with their worker. Writer:
// relaxed load + store on its own cache lines. Reader: relaxed loads; numbers may be a few events apart.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/http_method.h"
#include "common/reason.h"
#include "common/result.h"
#include "common/unique_fd.h"

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

/// Upper bounds of the duration histograms in seconds, +Inf left out.
inline constexpr double kDurationBuckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,  0.5,    1,     2.5,  5,     10};
inline constexpr size_t kDurationBucketCount = std::size(kDurationBuckets);

/// Route index of what matches no route; route i of the configuration is i + 1.
inline constexpr uint32_t kUnmatchedRoute = 0;

/// What a block has room for. Names are stored in the block.
struct BlockSpec {
  std::vector<std::string> routes;    ///< names, without "unmatched"
  std::vector<std::string> services;  ///< names
  std::vector<std::string> methods;   ///< MethodId → name
};

// ---- to be completed by the implementation: ----
//
// class Block      owner of the memfd and its mapping. create(spec) in the master before fork; attach(fd) checks magic,
//                  layout version and every size against the file's length before it trusts any.
//                  Movable; fd(); writer(); snapshot().
// class Writer     worker side; cheap to copy (pointers into the mapping). Methods, all noexcept and allocation-free:
//     void add(Counter, uint64_t n = 1);   void set(Gauge, int64_t);   void add(Gauge, int64_t delta);
//     void add(ServiceCounter, uint32_t service, uint64_t n = 1);  void add(ServiceGauge, uint32_t service, int64_t d);
//     void request(uint32_t route, MethodId, uint16_t status, uint64_t duration_us);   // counter + histogram
//     void error(uint32_t route, Reason);
//     void backend_duration(uint32_t service, uint64_t duration_us);
//   (route,method,code) and (route,reason) counters: one open-addressed table of cells per block, bounded; when it is
//   full, the count goes to a fallback cell of the route (method "other", code 0), so that sums stay right.
// struct Snapshot  plain values with names: what Block::snapshot() copies out and Accumulator holds.
// class Accumulator  add(Snapshot) by name; counters only.

}  // namespace restgate::stats
