// Sources: all that a sum of statistics is made of, at one moment. Master; may be summed up in another thread, while
// workers count and the master goes on.
//
// A worker is in it once: as one of the live, or in the sum of the dead. It stays readable though it dies meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/stats/accumulator.h"
#include "common/stats/block.h"

namespace restgate::stats {

struct Sources {
  struct Live {
    uint32_t index = 0;  ///< of the worker
    std::shared_ptr<const Block> block;
  };
  std::shared_ptr<const Accumulator> dead;
  std::vector<Live> live;

  /// Counters since the start, and the gauges of the living.
  [[nodiscard]] Accumulator sum() const {
    Accumulator all = *dead;
    for (const Live& worker : live) {
      Snapshot counted = worker.block->snapshot();
      counted.of_worker(worker.index);
      all.add_live(counted);
    }
    return all;
  }
};

}  // namespace restgate::stats
