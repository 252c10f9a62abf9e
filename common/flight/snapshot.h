// What a flight recorder said at one moment, checked and made safe to show. Master.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/flight/phase.h"

namespace restgate::flight {

/// One request. Its texts are printable ASCII whatever the client or a worker gone wild wrote: other bytes are \xNN.
struct Flight {
  Phase phase = Phase::Free;
  bool suspect = false;  ///< the one that the worker was acting on
  uint32_t route = 0;    ///< index in the configuration + 1; 0: none. Not checked against any configuration
  uint32_t service = 0;  ///< likewise
  Body body = Body::None;
  uint64_t content_length = 0;
  int64_t started_us = 0;  ///< CLOCK_MONOTONIC; not negative
  int64_t touched_us = 0;  ///< when the worker last turned to it; likewise
  std::string client;
  std::string method;  ///< this and the following are empty in Phase::Recording and ReadingHead
  std::string target;  ///< path, and "?a=&b=" for the names of parameters
  std::string host;
  std::string user_agent;
};

struct Snapshot {
  /// The likeliest to blame first: the suspect, then by when the worker turned to them, latest first. A request head
  /// that was being read is among them if it is the suspect.
  std::vector<Flight> flights;
  uint32_t in_flight = 0;   ///< requests, those without a record included
  uint32_t unrecorded = 0;  ///< of these, without a record, since there were more than the recorder has room for
  uint32_t damaged = 0;     ///< records that make no sense: somebody wrote over them
};

}  // namespace restgate::flight
