#include "common/stats/bounds.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace restgate::stats {

bool are_bounds(std::span<const uint64_t> bounds) {
  return (bounds.empty() || bounds.front() > 0) &&
         std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
}

std::vector<uint32_t> bucket_places(std::span<const uint64_t> from, std::span<const uint64_t> to) {
  std::vector<uint32_t> places;
  places.reserve(from.size() + 1);
  for (const uint64_t bound : from)
    places.push_back(static_cast<uint32_t>(std::lower_bound(to.begin(), to.end(), bound) - to.begin()));
  places.push_back(static_cast<uint32_t>(to.size()));
  return places;
}

DurationBounds all_bounds(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  DurationBounds all;
  all.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

std::vector<uint64_t> moved_buckets(std::span<const uint64_t> buckets, std::span<const uint32_t> places, size_t size) {
  std::vector<uint64_t> moved(size);
  for (size_t i = 0; i < std::min(buckets.size(), places.size()); ++i) moved[places[i]] += buckets[i];
  return moved;
}

}  // namespace restgate::stats
