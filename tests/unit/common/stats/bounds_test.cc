#include "common/stats/bounds.h"

#include <gtest/gtest.h>

namespace restgate::stats {
namespace {

using Places = std::vector<uint32_t>;

TEST(Bounds, AscendAndAreNotZero) {
  EXPECT_TRUE(are_bounds(DurationBounds{}));
  EXPECT_TRUE(are_bounds(DurationBounds{1, 2, 3}));
  EXPECT_FALSE(are_bounds(DurationBounds{0, 2}));
  EXPECT_FALSE(are_bounds(DurationBounds{1, 1}));
  EXPECT_FALSE(are_bounds(DurationBounds{2, 1}));
}

TEST(Bounds, CountsGoToTheSameBoundOrTheNextUpwards) {
  EXPECT_EQ(bucket_places(DurationBounds{1, 5, 9}, DurationBounds{1, 6, 8}), (Places{0, 1, 3, 3}));
  EXPECT_EQ(bucket_places(DurationBounds{}, DurationBounds{4}), (Places{1}));
  EXPECT_EQ(bucket_places(DurationBounds{4}, DurationBounds{}), (Places{0, 0}));
}

TEST(Bounds, NoneIsLostAmongAll) {
  EXPECT_EQ(all_bounds(DurationBounds{1, 5}, DurationBounds{3, 5, 7}), (DurationBounds{1, 3, 5, 7}));
  EXPECT_EQ(all_bounds(DurationBounds{}, DurationBounds{3}), (DurationBounds{3}));
}

TEST(Bounds, MovingKeepsTheSum) {
  const std::vector<uint64_t> counts = {1, 2, 4, 8};
  const auto moved = moved_buckets(counts, bucket_places(DurationBounds{1, 5, 9}, DurationBounds{1, 6, 8}), 4);
  EXPECT_EQ(moved, (std::vector<uint64_t>{1, 2, 0, 12}));
  EXPECT_EQ(moved_buckets({}, Places{0, 1}, 2), (std::vector<uint64_t>{0, 0})) << "nothing was counted";
}

}  // namespace
}  // namespace restgate::stats
