// Translation: which of our numbers each number of a block is. Master.
//
// A block that another version of the program laid out may have counters or reasons that this one does not
// know, and lack others; everything goes by name. Their bounds are not translated: a snapshot has them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/stats/layout.h"

namespace restgate::stats {

struct Translation {
  static constexpr uint32_t kUnknown = UINT32_MAX;

  // For each number of the block its place among ours, or kUnknown.
  std::vector<uint32_t> counters;
  std::vector<uint32_t> gauges;
  std::vector<uint32_t> service_counters;
  std::vector<uint32_t> service_gauges;
  std::vector<std::string> reasons;  ///< theirs, by number: codes, which errors are counted by anyway

  static Translation of(const layout::Schema& theirs);
};

}  // namespace restgate::stats
