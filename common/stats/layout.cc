#include "common/stats/layout.h"

#include <algorithm>
#include <bit>

namespace restgate::stats::layout {
namespace {

// Most routes see two or three methods and a handful of codes and errors.
constexpr uint64_t kCellsPerRoute = 12;
// Even with one route, a backend that answers with every code there is must not push the others out.
constexpr uint64_t kMinCells = 4096;

}  // namespace

Offsets offsets_for(const Counts& counts) {
  Offsets at;
  at.cell_count = std::bit_ceil(std::max(kMinCells, counts.routes * kCellsPerRoute));
  at.process = aligned(sizeof(Header));
  at.services = at.process + process_slot_bytes(counts);
  at.routes = at.services + counts.services * service_slot_bytes(counts);
  at.overflow = aligned(at.routes + counts.routes * route_slot_bytes(counts));
  at.cells = aligned(at.overflow + counts.routes * sizeof(OverflowSlot));
  at.names = aligned(at.cells + at.cell_count * sizeof(Cell));
  at.total_size = aligned(at.names + counts.names_bytes);
  return at;
}

Schema own_schema(const DurationBounds& bounds) {
  Schema schema;
  schema.counters.assign(kCounterNames.begin(), kCounterNames.end());
  schema.gauges.assign(kGaugeNames.begin(), kGaugeNames.end());
  schema.service_counters.assign(kServiceCounterNames.begin(), kServiceCounterNames.end());
  schema.service_gauges.assign(kServiceGaugeNames.begin(), kServiceGaugeNames.end());
  for (const uint64_t bound : bounds) schema.buckets.push_back(std::to_string(bound));
  for (const ReasonInfo& reason : kReasons) schema.reasons.emplace_back(reason.code);
  return schema;
}

}  // namespace restgate::stats::layout
