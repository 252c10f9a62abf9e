#include "master/status/history.h"

namespace restgate::master {

HistoryPoint point_between(const Tally& earlier, const Tally& later, const Bounds& bounds, double seconds) {
  const auto rate = [seconds](uint64_t to, uint64_t from) {
    return seconds > 0 ? static_cast<double>(difference(to, from)) / seconds : 0;
  };
  const Durations durations = difference(later.duration, earlier.duration);
  HistoryPoint point;
  point.request_rate = rate(durations.count(), 0);
  for (size_t i = 0; i < point.class_rates.size(); ++i)
    point.class_rates[i] = rate(later.classes[i], earlier.classes[i]);
  point.error_rate = rate(later.errors, earlier.errors);
  point.latency = quantiles(durations, bounds);
  point.in_rate = rate(later[stats::Counter::RequestBytes], earlier[stats::Counter::RequestBytes]);
  point.out_rate = rate(later[stats::Counter::ResponseBytes], earlier[stats::Counter::ResponseBytes]);
  point.in_flight = later[stats::Gauge::RequestsInFlight];
  point.connections = later[stats::Gauge::ConnectionsActive] + later[stats::Gauge::ConnectionsIdle];
  point.tunnels = later[stats::Gauge::Tunnels];
  return point;
}

}  // namespace restgate::master
