// Verdict: what the torture's evidence proves against the gateway. Test process; pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "integration/support/metrics.h"
#include "integration/torture/processes.h"
#include "integration/torture/score.h"

namespace restgate::itest::torture {

struct Span {
  Clock::time_point began;
  Clock::time_point ended;
};

/// After that long the other workers serve the sockets of one that stands still.
inline constexpr std::chrono::milliseconds kRescue{300};

/// Zero when nobody is connected.
inline constexpr std::array kGaugesOfTraffic{"restgate_requests_in_flight", "restgate_tunnels",
                                             "restgate_client_connections"};

struct Evidence {
  Scores scores;
  size_t clients = 0;
  size_t operations = 0;
  bool ended = false;                          ///< by SIGTERM: answers may say that they are the last
  std::vector<Span> kills;                     ///< from the SIGKILL until the worker was gone
  std::vector<Span> stops;                     ///< while a worker stood still
  std::unordered_map<uint64_t, size_t> posts;  ///< at the origin
  std::vector<std::string> complaints;         ///< of the origin and of the watch
  bool at_rest = false;                        ///< whether what follows is known
  Metrics metrics;                             ///< after the traffic
  size_t workers = 0;                          ///< as configured
  std::vector<ProcessState> processes;         ///< all of the gateway's
  Footprint before;                            ///< of the master
  Footprint after;
};

struct Verdict {
  std::vector<std::string> complaints;
  size_t lost = 0;      ///< failures that nothing excuses
  size_t forgiven = 0;  ///< what a killed worker was executing
};

Verdict judge(const Evidence& evidence);

}  // namespace restgate::itest::torture
