#include "master/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "master/metrics_collector.h"

namespace restgate::master {
namespace {

using ::testing::HasSubstr;

/// Takes a given time to collect, on a clock of its own.
class SlowCollectable final : public prometheus::Collectable {
 public:
  explicit SlowCollectable(MetricsText::Clock::duration takes) : takes_(takes) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
    now += takes_;
    ++collected;
    return {};
  }
  mutable MetricsText::Clock::time_point now{};
  mutable int collected = 0;

 private:
  MetricsText::Clock::duration takes_;
};

TEST(MetricsText, ACheapOneIsAlwaysNew) {
  const SlowCollectable cheap(MetricsText::kCheap);
  MetricsText text(cheap, [&] { return cheap.now; });
  for (int i = 0; i < 3; ++i) static_cast<void>(text.get());
  EXPECT_EQ(cheap.collected, 3);
}

TEST(MetricsText, AnExpensiveOneTakesAFifthOfTheTimeAtMost) {
  using std::chrono::milliseconds;
  const SlowCollectable slow(milliseconds(100));
  MetricsText text(slow, [&] { return slow.now; });
  const auto first = text.get();
  EXPECT_EQ(text.get(), first);
  slow.now += milliseconds(399);
  EXPECT_EQ(text.get(), first);
  slow.now += milliseconds(1);
  EXPECT_NE(text.get(), first);
  EXPECT_EQ(slow.collected, 2);
}

TEST(MetricsText, ALargeOneIsWhole) {
  stats::Snapshot totals;
  for (int i = 0; i < 2000; ++i) {
    stats::RouteStats& route = totals.routes.emplace_back();
    route.name = "route-" + std::to_string(i);
    route.requests.push_back({"GET", 200, 1});
    route.duration.buckets = {1};
  }
  stats::Accumulator sum;
  sum.add(totals);
  const MetricsCollector collector({[&] { return sum; }, [] { return MasterFacts{}; }});
  MetricsText text(collector);
  for (int i = 0; i < 2; ++i) {  // the first one grows its memory, the second one knows the size
    const std::string got = *text.get();
    EXPECT_EQ(got.find('\0'), std::string::npos);
    EXPECT_TRUE(got.starts_with("# HELP restgate_requests_total "));
    EXPECT_THAT(got, HasSubstr("{route=\"route-1999\",method=\"GET\",code=\"200\"} 1\n"));
    EXPECT_EQ(got.back(), '\n');
  }
}

}  // namespace
}  // namespace restgate::master
