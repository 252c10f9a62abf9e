// Shared-memory statistics: one block per worker process, written by it alone, read by the master. Lock-free.
//
// A block is a memfd that describes itself (magic, layout version, sizes, names), so that a master of another build
// can tell whether it can read it. A block has one writer, ever. When its worker is gone, the master adds the block to
// an accumulator by route and service *name* and drops it: no counter goes back. Gauges die with their worker. Writer:
// relaxed load + store on its own cache lines. Reader: relaxed loads; numbers may be a few events apart.
//
// Master:  Block::create(spec) → fork → worker uses block.writer() → Block::snapshot() → Accumulator::add()
#pragma once

#include "common/stats/accumulator.h"
#include "common/stats/block.h"
#include "common/stats/schema.h"
#include "common/stats/snapshot.h"
#include "common/stats/sources.h"
#include "common/stats/writer.h"
