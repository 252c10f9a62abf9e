// Bounds of histograms: from one list of them to another. Pure. Master.
//
// Counts of a bucket go to that of the same bound, or of the next one upwards: what was faster than a bound may look
// slower, never the other way round.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/stats/schema.h"

namespace restgate::stats {

/// Whether they are ascending, each once, none is 0.
[[nodiscard]] bool are_bounds(std::span<const uint64_t> bounds);

/// For each bucket of `from`, that of +Inf included, the number of the bucket of `to` where its counts belong.
[[nodiscard]] std::vector<uint32_t> bucket_places(std::span<const uint64_t> from, std::span<const uint64_t> to);

/// All bounds of both.
[[nodiscard]] DurationBounds all_bounds(std::span<const uint64_t> a, std::span<const uint64_t> b);

/// The counts of `buckets` at their `places` among `size` buckets.
[[nodiscard]] std::vector<uint64_t> moved_buckets(std::span<const uint64_t> buckets, std::span<const uint32_t> places,
                                                  size_t size);

}  // namespace restgate::stats
