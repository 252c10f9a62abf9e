#include "common/stats/layout.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "common/reason.h"

namespace restgate::stats::layout {
namespace {

// Most routes see two or three methods and a handful of codes and errors.
constexpr uint64_t kCellsPerRoute = 12;
// Even with one route, a backend that answers with every code there is must not push the others out.
constexpr uint64_t kMinCells = 4096;

constexpr uint64_t align(uint64_t offset) {
  return (offset + kAlignment - 1) / kAlignment * kAlignment;
}

constexpr void mix(uint64_t& hash, uint64_t value) {
  hash = (hash ^ value) * 0x100000001B3;
}

}  // namespace

Offsets offsets_for(const Counts& counts) {
  Offsets at;
  at.cell_count = std::bit_ceil(std::max(kMinCells, counts.routes * kCellsPerRoute));
  at.process = align(sizeof(Header));
  at.services = align(at.process + sizeof(ProcessSlot));
  at.routes = align(at.services + counts.services * sizeof(ServiceSlot));
  at.overflow = align(at.routes + counts.routes * sizeof(RouteSlot));
  at.cells = align(at.overflow + counts.routes * sizeof(OverflowSlot));
  at.names = align(at.cells + at.cell_count * sizeof(Cell));
  at.total_size = align(at.names + counts.names_bytes);
  return at;
}

uint64_t schema_fingerprint() {
  uint64_t hash = 0xCBF29CE484222325;
  const auto mix_text = [&hash](std::string_view text) {
    mix(hash, text.size());
    for (const char c : text) mix(hash, static_cast<unsigned char>(c));
  };
  for (const uint64_t bound : kDurationBucketMicros) mix(hash, bound);
  for (const std::string_view name : kCounterNames) mix_text(name);
  for (const std::string_view name : kServiceCounterNames) mix_text(name);
  for (const ReasonInfo& reason : kReasons) mix_text(reason.code);
  mix(hash, kGaugeCount);
  mix(hash, kServiceGaugeCount);
  return hash;
}

}  // namespace restgate::stats::layout
