// History: the last 15 minutes of the gateway as a whole, a point every five seconds. Pure; master.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "master/status/durations.h"
#include "master/status/tally.h"

namespace restgate::master {

/// One step. Rates are per second, averages over the step.
struct HistoryPoint {
  std::chrono::system_clock::time_point time{};  ///< its end
  double request_rate = 0;
  std::array<double, 6> class_rates{};  ///< by the first digit of the status
  double error_rate = 0;                ///< requests that went wrong, whoever was to blame
  std::optional<Quantiles> latency;     ///< nothing: no request was finished
  double in_rate = 0;                   ///< bytes
  double out_rate = 0;                  ///< bytes
  int64_t in_flight = 0;                ///< at its end, as the following ones
  int64_t connections = 0;
  int64_t tunnels = 0;
};

/// What was counted between two tallies that are `seconds` apart.
[[nodiscard]] HistoryPoint point_between(const Tally& earlier, const Tally& later, const Bounds& bounds,
                                         double seconds);

class History {
 public:
  static constexpr std::chrono::seconds kStep{5};
  static constexpr size_t kPoints = 180;

  void add(const HistoryPoint& point) {
    if (points_.size() == kPoints) points_.pop_front();
    points_.push_back(point);
    ++added_;
  }
  /// What another program had in it, before what is added now.
  void restore(std::deque<HistoryPoint> points) {
    points_ = std::move(points);
    while (points_.size() > kPoints) points_.pop_front();
    added_ += points_.size();
  }
  /// The oldest first.
  [[nodiscard]] const std::deque<HistoryPoint>& points() const { return points_; }
  /// How many were ever added.
  [[nodiscard]] uint64_t added() const { return added_; }

 private:
  std::deque<HistoryPoint> points_;
  uint64_t added_ = 0;
};

}  // namespace restgate::master
