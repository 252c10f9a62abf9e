// What a program that takes the master's place is told of the past: points of the history, events. Master.
//
// It is for people to look at: what cannot be read is left out, never a reason against an upgrade.
#pragma once

#include <deque>
#include <nlohmann/json_fwd.hpp>

#include "master/status/chronicle.h"
#include "master/status/history.h"

namespace restgate::master {

struct UpgradePast {
  std::deque<HistoryPoint> points;  ///< the oldest first, as the following ones
  std::deque<Event> events;
};

[[nodiscard]] nlohmann::json to_json(const UpgradePast& past);
[[nodiscard]] UpgradePast past_of(const nlohmann::json& json);

}  // namespace restgate::master
