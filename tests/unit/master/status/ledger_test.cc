// The ledger is told sums and moments; every number in it follows from them.
#include "master/status/ledger.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/stats.h"

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

stats::BlockSpec spec(std::vector<std::string> routes, std::vector<std::string> services = {"backend"}) {
  return {.routes = std::move(routes), .services = std::move(services), .methods = {"GET"}};
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { use(spec({"a", "b"})); }

  /// Another configuration, with a worker of its own; the one before it lives on.
  void use(const stats::BlockSpec& next) {
    blocks_.push_back(stats::Block::create(next).value());
    ledger_.use(next);
  }
  stats::Writer writer() { return blocks_.back().writer(); }
  void bury_first() {
    gone_.add(blocks_.front().snapshot());
    blocks_.erase(blocks_.begin());
    ++version_;
  }
  void sample_after(milliseconds pause) {
    now_.wall += pause;
    now_.steady += pause;
    ledger_.begin(gone_.totals(), version_);
    for (const stats::Block& block : blocks_) ledger_.add(block.snapshot());
    ledger_.finish(now_);
  }
  /// `route`: as in a Writer.
  void requests(uint32_t route, uint16_t status, int count, uint64_t micros = 900) {
    for (int i = 0; i < count; ++i) writer().request(route, kMethodGet, status, micros);
  }

  std::vector<stats::Block> blocks_;
  stats::Accumulator gone_;
  uint64_t version_ = 0;
  Moment now_{std::chrono::system_clock::time_point(seconds(1'000'000)),
              std::chrono::steady_clock::time_point(seconds(1'000))};
  Ledger ledger_;
};

TEST_F(LedgerTest, RatesAreOverTheLastSeconds) {
  sample_after(seconds(0));
  EXPECT_EQ(ledger_.now().request_rate, 0);
  requests(1, 200, 30);
  requests(1, 404, 10);
  requests(1, 502, 10);
  sample_after(seconds(5));
  EXPECT_DOUBLE_EQ(ledger_.now().request_rate, 10);
  EXPECT_DOUBLE_EQ(ledger_.now().class_rates[2], 6);
  EXPECT_DOUBLE_EQ(ledger_.now().class_rates[5], 2);
  const RouteFigures busy = ledger_.route(1);
  EXPECT_EQ(busy.requests, 50U);
  EXPECT_DOUBLE_EQ(busy.rate, 10);
  EXPECT_DOUBLE_EQ(busy.refused, 0.2);
  EXPECT_DOUBLE_EQ(busy.failed, 0.2);
  ASSERT_TRUE(busy.latency);
  EXPECT_DOUBLE_EQ(busy.latency->p50, 0.00075);
  EXPECT_EQ(ledger_.route(2).rate, 0);
  EXPECT_EQ(ledger_.route(2).latency, std::nullopt);
  EXPECT_TRUE(ledger_.busy(1));
  EXPECT_FALSE(ledger_.busy(2));
  for (int i = 0; i < 2; ++i) sample_after(seconds(5));
  EXPECT_EQ(ledger_.route(1).rate, 0) << "they were longer ago";
  EXPECT_TRUE(ledger_.route(1).latency) << "this window is longer";
  for (int i = 0; i < 7; ++i) sample_after(seconds(5));
  EXPECT_EQ(ledger_.route(1).latency, std::nullopt);
  EXPECT_EQ(ledger_.route(1).requests, 50U);
}

TEST_F(LedgerTest, HistoryHasAPointEveryFiveSecondsAndForgets) {
  sample_after(seconds(0));
  for (int second = 1; second <= 5; ++second) {
    requests(1, 200, second);
    sample_after(seconds(1));
  }
  ASSERT_EQ(ledger_.history().points().size(), 1U);
  EXPECT_DOUBLE_EQ(ledger_.history().points()[0].request_rate, 3);
  EXPECT_EQ(ledger_.history().points()[0].time, now_.wall);
  for (size_t i = 0; i < 2 * History::kPoints; ++i) sample_after(seconds(5));
  EXPECT_EQ(ledger_.history().points().size(), History::kPoints);
  EXPECT_EQ(ledger_.history().added(), 2 * History::kPoints + 1);
  EXPECT_EQ(ledger_.history().points().back().request_rate, 0);
}

TEST_F(LedgerTest, AReloadChangesTheOrderAndLosesNothing) {
  sample_after(seconds(0));
  requests(2, 200, 100);
  sample_after(seconds(1));
  use(spec({"b", "new"}, {"other", "backend"}));
  requests(1, 200, 50);  // "b", by the new worker
  requests(2, 200, 7);
  sample_after(seconds(4));
  EXPECT_EQ(ledger_.names().route_name(1), "b");
  EXPECT_EQ(ledger_.route(1).requests, 150U);
  EXPECT_DOUBLE_EQ(ledger_.route(1).rate, 30);
  EXPECT_EQ(ledger_.route(2).requests, 7U);
  EXPECT_EQ(ledger_.latest().duration.count(), 157U);
  bury_first();
  sample_after(seconds(1));
  EXPECT_EQ(ledger_.route(1).requests, 150U) << "the dead count on";
  EXPECT_EQ(ledger_.latest().duration.count(), 157U);
  ASSERT_EQ(ledger_.history().points().size(), 1U);
  EXPECT_DOUBLE_EQ(ledger_.history().points()[0].request_rate, 157 / 5.0);
}

TEST_F(LedgerTest, ARouteThatComesBackDoesNotJump) {
  requests(1, 200, 1'000);
  sample_after(seconds(0));
  use(spec({"b"}));
  bury_first();
  sample_after(seconds(5));
  use(spec({"a", "b"}));
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.route(1).requests, 1'000U);
  EXPECT_EQ(ledger_.route(1).rate, 0);
  EXPECT_EQ(ledger_.route(1).latency, std::nullopt);
}

TEST_F(LedgerTest, ASampleThatIsDroppedCountsNothing) {
  sample_after(seconds(0));
  writer().error(1, Reason::BackendReset);
  requests(1, 502, 1);
  ledger_.begin(gone_.totals(), version_);
  ledger_.add(blocks_[0].snapshot());
  ledger_.drop();
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.route(1).requests, 1U);
  ASSERT_EQ(ledger_.errors().size(), 1U);
  EXPECT_EQ(ledger_.errors()[0].count, 1U);
}

TEST_F(LedgerTest, ErrorsOfLateWithTheirReasons) {
  writer().error(1, Reason::BackendReset);
  sample_after(seconds(0));
  EXPECT_TRUE(ledger_.errors().empty()) << "nobody knows when what was there at first happened";
  writer().error(1, Reason::BackendReset);
  writer().error(stats::kUnmatchedRoute, Reason::RouteNotFound);
  sample_after(seconds(1));
  const auto first = now_.wall;
  writer().error(1, Reason::BackendReset);
  sample_after(seconds(30));
  ASSERT_EQ(ledger_.errors().size(), 2U);
  EXPECT_EQ(ledger_.errors()[0].reason, "backend_reset");
  EXPECT_EQ(ledger_.errors()[0].route, "a");
  EXPECT_EQ(ledger_.errors()[0].count, 2U);
  EXPECT_EQ(ledger_.errors()[0].first, first);
  EXPECT_EQ(ledger_.errors()[0].last, now_.wall);
  EXPECT_EQ(ledger_.errors()[1].route, "unmatched");
  sample_after(seconds(61));
  writer().error(1, Reason::BackendReset);
  sample_after(seconds(1));
  ASSERT_EQ(ledger_.errors().size(), 3U) << "long after, it is another one";
  EXPECT_EQ(ledger_.errors()[0].count, 1U);
}

TEST_F(LedgerTest, ErrorsAreBounded) {
  std::vector<std::string> names;
  for (int i = 0; i < 150; ++i) names.push_back("route-" + std::to_string(i));
  use(spec(names));
  sample_after(seconds(0));
  for (uint32_t i = 1; i <= 150; ++i) writer().error(i, Reason::BackendReset);
  sample_after(seconds(1));
  EXPECT_EQ(ledger_.errors().size(), ErrorJournal::kKept);
}

TEST_F(LedgerTest, HealthIsWhatRequestsMeet) {
  using stats::ServiceCounter;
  sample_after(seconds(0));
  EXPECT_EQ(ledger_.service(0).health, Health::Unknown);
  EXPECT_EQ(ledger_.service(0).health_since, std::nullopt);
  writer().backend_duration(0, 1'000);
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.service(0).health, Health::Up);
  const auto since = now_.wall;
  writer().add(ServiceCounter::ConnectFailures, 0);
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.service(0).health, Health::Down);
  writer().add(ServiceCounter::ResolveFailures, 0);
  writer().backend_duration(0, 1'000);
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.service(0).health, Health::Degraded);
  EXPECT_GT(ledger_.service(0).health_since, since);
  for (int i = 0; i < 10; ++i) sample_after(seconds(5));
  EXPECT_EQ(ledger_.service(0).health, Health::Degraded) << "nobody has asked since";
  use(spec({"a"}, {"fresh", "backend"}));
  sample_after(seconds(5));
  EXPECT_EQ(ledger_.service(0).health, Health::Unknown);
  EXPECT_EQ(ledger_.service(1).health, Health::Degraded) << "known by its name";
}

}  // namespace
}  // namespace restgate::master
