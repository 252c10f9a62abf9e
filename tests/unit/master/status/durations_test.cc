#include "master/status/durations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace restgate::master {
namespace {

const Bounds kBounds = {500, 1'000, 50'000, 100'000, 1'000'000};

Durations durations(const std::vector<uint64_t>& buckets) {
  Durations made;
  std::copy(buckets.begin(), buckets.end(), made.buckets.begin());
  return made;
}

TEST(Quantiles, NothingCounted) {
  EXPECT_EQ(quantile({}, kBounds, 0.5), std::nullopt);
  EXPECT_EQ(quantiles({}, kBounds), std::nullopt);
}

TEST(Quantiles, OnALineBetweenTheBoundsOfABucket) {
  const Durations one = durations({0, 0, 0, 100});  // 0.05 to 0.1
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 0.5), 0.075);
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 0.99), 0.0995);
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 1), 0.1);
}

TEST(Quantiles, TheFirstBucketBeginsAtZero) {
  EXPECT_DOUBLE_EQ(*quantile(durations({10}), kBounds, 0.5), 0.00025);
}

TEST(Quantiles, WithoutAnUpperBoundItIsTheLowerOne) {
  EXPECT_DOUBLE_EQ(*quantile(durations({0, 0, 0, 0, 0, 3}), kBounds, 0.5), 1);
}

TEST(Quantiles, AcrossBuckets) {
  const auto all = quantiles(durations({0, 90, 0, 0, 10}), kBounds);
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->p50, 0.0005 + 0.0005 * 50 / 90, 1e-12);
  EXPECT_DOUBLE_EQ(all->p95, 0.55);
  EXPECT_DOUBLE_EQ(all->p99, 0.91);
}

TEST(BucketPlaces, SameBoundsSameBuckets) {
  Durations sum = durations({1, 1, 1, 1, 1, 1});
  BucketPlaces(kBounds, kBounds).add(sum, std::array<uint64_t, 6>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(sum, durations({2, 3, 4, 5, 6, 7}));
}

TEST(BucketPlaces, OtherBoundsTheNextOneUpwards) {
  Durations sum;
  const Bounds theirs = {400, 1'000, 60'000, 5'000'000};
  BucketPlaces(theirs, kBounds).add(sum, std::vector<uint64_t>{1, 2, 3, 4, 5});
  EXPECT_EQ(sum, durations({1, 2, 0, 3, 0, 9}));
}

TEST(BucketPlaces, AHistogramThatIsEmptyOrTooLongDoesNoHarm) {
  Durations sum;
  BucketPlaces(kBounds, kBounds).add(sum, std::vector<uint64_t>{});
  EXPECT_EQ(sum.count(), 0U);
  Bounds many;
  for (uint64_t i = 1; i <= 100; ++i) many.push_back(i);
  BucketPlaces(many, many).add(sum, std::vector<uint64_t>(101, 1));
  EXPECT_EQ(sum.count(), 101U);
}

TEST(Durations, DifferenceNeverGoesBelowNothing) {
  EXPECT_EQ(difference(durations({5, 1}), durations({3, 2})), durations({2, 0}));
}

}  // namespace
}  // namespace restgate::master
