#include "common/stats/accumulator.h"

#include <gtest/gtest.h>

#include <numeric>

#include "common/stats/block.h"
#include "common/stats/bounds.h"

namespace restgate::stats {
namespace {

Block make_block(std::vector<std::string> routes, DurationBounds bounds = default_duration_bounds()) {
  Result<Block> block = Block::create({.routes = std::move(routes),
                                       .services = {"crm", "shop"},
                                       .methods = {"GET", "HEAD", "POST"},
                                       .duration_bounds = std::move(bounds)});
  EXPECT_TRUE(block) << block.error().message;
  return std::move(block).value();
}

const RouteStats& route(const Accumulator& sum, std::string_view name) {
  static const RouteStats kNone;
  for (const RouteStats& entry : sum.totals().routes)
    if (entry.name == name) return entry;
  ADD_FAILURE() << "no route " << name;
  return kNone;
}

uint64_t count(const Accumulator& sum, std::string_view name, std::string_view method, uint16_t code) {
  for (const RequestCount& entry : route(sum, name).requests)
    if (entry.method == method && entry.code == code) return entry.count;
  return 0;
}

TEST(Accumulator, AddsGenerationsByName) {
  const Block first = make_block({"users", "orders"});
  const Block second = make_block({"orders", "carts"});  // the same index is another route
  first.writer().request(2, kMethodGet, 200, 400);
  first.writer().request(1, kMethodGet, 200, 400);
  first.writer().error(2, Reason::BackendReset);
  second.writer().request(1, kMethodGet, 404, 400);
  second.writer().request(1, kMethodGet, 200, 3'000'000);
  second.writer().request(2, kMethodHead, 200, 400);
  second.writer().error(1, Reason::BackendReset);
  second.writer().error(1, Reason::BadHost);
  first.writer().add(Counter::TunnelsOpened, 2);
  second.writer().add(Counter::TunnelsOpened, 3);
  first.writer().add(ServiceCounter::Connects, 1, 5);
  second.writer().add(ServiceCounter::Connects, 1, 6);

  Accumulator sum;
  sum.add(first.snapshot());
  sum.add(second.snapshot());
  EXPECT_EQ(count(sum, "orders", "GET", 200), 2U);
  EXPECT_EQ(count(sum, "orders", "GET", 404), 1U);
  EXPECT_EQ(count(sum, "users", "GET", 200), 1U);
  EXPECT_EQ(count(sum, "carts", "HEAD", 200), 1U);
  EXPECT_EQ(route(sum, "orders").duration.count(), 3U);
  EXPECT_EQ(route(sum, "orders").duration.sum_us, 3'000'800U);
  ASSERT_EQ(route(sum, "orders").errors.size(), 2U);
  EXPECT_EQ(route(sum, "orders").errors[0].reason, "backend_reset");
  EXPECT_EQ(route(sum, "orders").errors[0].count, 2U);
  EXPECT_EQ(route(sum, "orders").errors[1].reason, "bad_host");
  EXPECT_EQ(sum.totals()[Counter::TunnelsOpened], 5U);
  EXPECT_EQ(sum.totals().services[1][ServiceCounter::Connects], 11U);
}

TEST(Accumulator, GaugesDieWithTheirWorker) {
  const Block block = make_block({"users"});
  block.writer().set(Gauge::Tunnels, 7);
  block.writer().add(ServiceGauge::ConnectionsIdle, 0, 3);
  Accumulator retired;
  retired.add(block.snapshot());
  EXPECT_EQ(retired.totals()[Gauge::Tunnels], 0);
  Accumulator shown = retired;
  shown.add_live(block.snapshot());
  EXPECT_EQ(shown.totals()[Gauge::Tunnels], 7);
  EXPECT_EQ(shown.totals().services[0][ServiceGauge::ConnectionsIdle], 3);
}

TEST(Accumulator, EndpointsAreNoSum) {
  Accumulator shown;
  for (const int64_t known : {2, 3, 1}) {
    const Block block = make_block({"users"});
    block.writer().set(ServiceGauge::Endpoints, 0, known);
    shown.add_live(block.snapshot());
  }
  EXPECT_EQ(shown.totals().services[0][ServiceGauge::Endpoints], 3);
}

TEST(Accumulator, WorkersOfOneIndexAreOneSeries) {
  Accumulator sum;
  for (const uint32_t index : {1U, 0U, 1U}) {
    const Block block = make_block({"users"});
    block.writer().loop_turn(5);
    block.writer().set(Gauge::BusyPermille, 400);
    Snapshot snapshot = block.snapshot();
    snapshot.of_worker(index);
    if (index == 0)
      sum.add_live(snapshot);
    else
      sum.add(snapshot);
  }
  const std::vector<WorkerStats>& workers = sum.totals().workers;
  ASSERT_EQ(workers.size(), 2U);
  EXPECT_EQ(workers[0].index, 0U);
  EXPECT_EQ(workers[0].processes, 1U);
  EXPECT_EQ(workers[0][Gauge::BusyPermille], 400);
  EXPECT_EQ(workers[1].processes, 0U) << "both are gone";
  EXPECT_EQ(workers[1][Gauge::BusyPermille], 0);
  EXPECT_EQ(workers[1][Counter::LoopTurns], 2U);
}

// What a configuration with these bounds shows.
std::vector<uint64_t> cumulative(const Accumulator& sum, const DurationBounds& shown) {
  std::vector<uint64_t> counts = moved_buckets(route(sum, "users").duration.buckets,
                                               bucket_places(sum.totals().duration_bounds, shown), shown.size() + 1);
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  return counts;
}

TEST(Accumulator, NoCountGoesBackWhenBoundsChangeAndChangeBack) {
  const DurationBounds first = {1'000, 5'000};
  const DurationBounds second = {3'000};
  Accumulator sum;
  std::vector<uint64_t> before;
  for (const DurationBounds& bounds : {first, second, first}) {
    const Block block = make_block({"users"}, bounds);
    for (const uint64_t micros : {500, 2'000, 4'000, 9'000}) block.writer().request(1, kMethodGet, 200, micros);
    sum.add(block.snapshot());
    const std::vector<uint64_t> now = cumulative(sum, first);
    for (size_t i = 0; i < before.size(); ++i) EXPECT_GE(now[i], before[i]) << i;
    before = now;
  }
  EXPECT_EQ(before, (std::vector<uint64_t>{2, 8, 12}))
      << "2 of the second are known to be below 3 ms: below 5 ms, then";
  EXPECT_EQ(cumulative(sum, second), (std::vector<uint64_t>{4, 12})) << "what is below 5 ms may be above 3 ms";
  EXPECT_EQ(route(sum, "users").duration.sum_us, 3U * 15'500);
}

TEST(Accumulator, BoundsWithoutEndAreBounded) {
  Accumulator sum;
  uint64_t counted = 0;
  for (uint64_t reload = 0; reload < 20; ++reload) {
    DurationBounds bounds;
    for (uint64_t i = 1; i <= kMaxDurationBounds; ++i) bounds.push_back(i * 1000 + reload);
    const Block block = make_block({"users"}, bounds);
    for (const uint64_t bound : bounds) block.writer().request(1, kMethodGet, 200, bound);
    counted += bounds.size();
    sum.add(block.snapshot());
    EXPECT_LE(sum.totals().duration_bounds.size(), Accumulator::kMaxBounds);
    EXPECT_EQ(route(sum, "users").duration.count(), counted);
  }
}

TEST(Accumulator, EverNewNamesAreBounded) {
  Accumulator sum;
  constexpr size_t kGenerations = 4;
  for (size_t generation = 0; generation < kGenerations; ++generation) {
    Snapshot snapshot;
    snapshot.configured_routes = 5000;
    for (size_t i = 0; i < 5000; ++i) {
      RouteStats& entry = snapshot.routes.emplace_back();
      entry.name = std::to_string(generation) + "/" + std::to_string(i);
      entry.requests.push_back({"GET", 200, 1});
    }
    sum.add(snapshot);
  }
  EXPECT_EQ(sum.totals().routes.size(), Accumulator::kSpareNames + 5000 + 1);
  uint64_t total = 0;
  for (const RouteStats& entry : sum.totals().routes)
    for (const RequestCount& request : entry.requests) total += request.count;
  EXPECT_EQ(total, kGenerations * 5000);
  EXPECT_EQ(count(sum, "other", "GET", 200), 5000U);
}

Accumulator example() {
  const Block block = make_block({"users", "or\"d\ners"});
  Writer writer = block.writer();
  for (size_t i = 0; i < kCounterCount; ++i) writer.add(static_cast<Counter>(i), i + 1);
  for (const uint64_t bound : kDefaultDurationBounds) writer.request(2, kMethodGet, 200, bound);
  writer.request(2, kMethodGet, 200, UINT32_MAX);
  writer.request(0, kOtherMethod, 404, 1);
  writer.error(0, Reason::RouteNotFound);
  writer.add(ServiceCounter::Reuses, 1, 9);
  writer.backend_duration(1, 77);
  Accumulator sum;
  Snapshot snapshot = block.snapshot();
  snapshot.of_worker(3);
  sum.add(snapshot);
  return sum;
}

TEST(AccumulatorBytes, ComeBackEqual) {
  const Accumulator before = example();
  const Result<Accumulator> after = Accumulator::deserialize(before.serialize());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->serialize(), before.serialize());
  EXPECT_EQ(after->totals().counters, before.totals().counters);
  EXPECT_EQ(route(*after, "or\"d\ners").duration.buckets, route(before, "or\"d\ners").duration.buckets);
  EXPECT_EQ(count(*after, "unmatched", "other", 404), 1U);
  EXPECT_EQ(after->totals().services[1][ServiceCounter::Reuses], 9U);
  EXPECT_EQ(after->totals().services[1].duration.sum_us, 77U);
  ASSERT_EQ(after->totals().workers.size(), 1U);
  EXPECT_EQ(after->totals().workers[0].index, 3U);
  EXPECT_EQ(after->totals().workers[0].counters, before.totals().workers[0].counters);
  ASSERT_TRUE(Accumulator::deserialize(Accumulator().serialize()));
}

TEST(AccumulatorBytes, CutShortOrLongerIsRefused) {
  const std::string bytes = example().serialize();
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(Accumulator::deserialize(std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(Accumulator::deserialize(bytes + '\0'));
}

TEST(AccumulatorBytes, AnyByteMayBeWrong) {
  // Whatever comes out, it does not crash, read out of bounds or claim much memory (the sanitizers look on).
  const Accumulator other = example();
  const std::string bytes = other.serialize();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\0', '\x01', '\x7f', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] = value;
      if (Result<Accumulator> read = Accumulator::deserialize(damaged)) read->add(other.totals());
    }
  }
}

TEST(AccumulatorBytes, BoundsComeAlong) {
  const DurationBounds bounds = {700, 20'000'000};
  const Block block = make_block({"users"}, bounds);
  block.writer().request(1, kMethodGet, 200, 600);
  Accumulator before;
  before.add(block.snapshot());
  Result<Accumulator> after = Accumulator::deserialize(before.serialize());
  ASSERT_TRUE(after);
  EXPECT_EQ(after->totals().duration_bounds, bounds);
  const Block next = make_block({"users"});
  next.writer().request(1, kMethodGet, 200, 600);
  after->add(next.snapshot());
  EXPECT_EQ(cumulative(*after, default_duration_bounds())[1], 2U);
  EXPECT_EQ(cumulative(*after, bounds)[0], 1U) << "the next one's are below 1 ms, no more is known";
}

TEST(AccumulatorBytes, BoundsThatDescendAreRefused) {
  std::string bytes = example().serialize();
  const uint64_t from = 2'500;
  const uint64_t to = 900;
  const std::string old(reinterpret_cast<const char*>(&from), sizeof(from));
  bytes.replace(bytes.find(old), old.size(), reinterpret_cast<const char*>(&to), sizeof(to));
  EXPECT_FALSE(Accumulator::deserialize(bytes));
}

TEST(AccumulatorBytes, ThoseOfTheVersionBeforeAreRead) {
  const Block block = make_block({"users"});
  block.writer().request(1, kMethodGet, 200, 600);
  Accumulator sum;
  sum.add(block.snapshot());
  std::string bytes = sum.serialize();
  bytes.resize(bytes.size() - sizeof(uint64_t));  // it knew no workers, not even how many
  bytes[bytes.find('2')] = '1';
  const Result<Accumulator> after = Accumulator::deserialize(bytes);
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(count(*after, "users", "GET", 200), 1U);
  EXPECT_EQ(after->totals().duration_bounds, default_duration_bounds());
}

}  // namespace
}  // namespace restgate::stats
