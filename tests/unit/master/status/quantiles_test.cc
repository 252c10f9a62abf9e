#include "master/status/quantiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

namespace restgate::master {
namespace {

const stats::DurationBounds kBounds = stats::default_duration_bounds();

/// {upper bound in seconds, count}; bound 0: the last bucket.
stats::Histogram histogram(std::initializer_list<std::pair<double, uint64_t>> counts) {
  stats::Histogram made;
  for (const auto& [bound, count] : counts) {
    made.buckets.resize(kBounds.size() + 1);
    const auto found = std::ranges::find(kBounds, static_cast<uint64_t>(std::llround(bound * 1e6)));
    made.buckets[static_cast<size_t>(found - kBounds.begin())] += count;
  }
  return made;
}

TEST(Quantiles, NothingCounted) {
  EXPECT_EQ(quantile({}, kBounds, 0.5), std::nullopt);
  EXPECT_EQ(quantiles({}, kBounds), std::nullopt);
}

TEST(Quantiles, OnALineBetweenTheBoundsOfABucket) {
  const stats::Histogram one = histogram({{0.1, 100}});  // 0.05 to 0.1
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 0.5), 0.075);
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 0.99), 0.0995);
  EXPECT_DOUBLE_EQ(*quantile(one, kBounds, 1), 0.1);
}

TEST(Quantiles, TheFirstBucketBeginsAtZero) {
  EXPECT_DOUBLE_EQ(*quantile(histogram({{0.0005, 10}}), kBounds, 0.5), 0.00025);
}

TEST(Quantiles, WithoutAnUpperBoundItIsTheLowerOne) {
  EXPECT_DOUBLE_EQ(*quantile(histogram({{0, 3}}), kBounds, 0.5), 10);
}

TEST(Quantiles, AcrossBuckets) {
  const stats::Histogram mixed = histogram({{0.001, 90}, {1, 10}});
  const auto all = quantiles(mixed, kBounds);
  ASSERT_TRUE(all);
  EXPECT_NEAR(all->p50, 0.0005 + 0.0005 * 50 / 90, 1e-12);
  EXPECT_DOUBLE_EQ(all->p95, 0.75);
  EXPECT_DOUBLE_EQ(all->p99, 0.95);
}

}  // namespace
}  // namespace restgate::master
