#include "common/stats/accumulator.h"

#include <gtest/gtest.h>

#include "common/stats/block.h"

namespace restgate::stats {
namespace {

Block make_block(std::vector<std::string> routes) {
  Result<Block> block =
      Block::create({.routes = std::move(routes), .services = {"crm", "shop"}, .methods = {"GET", "HEAD", "POST"}});
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
  for (size_t i = 0; i <= kDurationBucketCount; ++i)
    writer.request(2, kMethodGet, 200, i < kDurationBucketCount ? kDurationBucketMicros[i] : UINT32_MAX);
  writer.request(0, kOtherMethod, 404, 1);
  writer.error(0, Reason::RouteNotFound);
  writer.add(ServiceCounter::Reuses, 1, 9);
  writer.backend_duration(1, 77);
  Accumulator sum;
  sum.add(block.snapshot());
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

TEST(AccumulatorBytes, OtherBoundsMoveUpwards) {
  std::string bytes = example().serialize();
  // Their second bound (1 ms) as 0.7 ms: those counts belong under our 1 ms. Their last (10 s) as 20 s: under +Inf.
  const auto replace = [&bytes](uint64_t from, uint64_t to) {
    const std::string old(reinterpret_cast<const char*>(&from), sizeof(from));
    bytes.replace(bytes.find(old), old.size(), reinterpret_cast<const char*>(&to), sizeof(to));
  };
  replace(1000, 700);
  replace(10'000'000, 20'000'000);
  const Result<Accumulator> after = Accumulator::deserialize(bytes);
  ASSERT_TRUE(after);
  const Histogram& duration = route(*after, "or\"d\ners").duration;
  EXPECT_EQ(duration.buckets[1], 1U);
  EXPECT_EQ(duration.buckets[kDurationBucketCount - 1], 0U);
  EXPECT_EQ(duration.buckets[kDurationBucketCount], 2U);
}

}  // namespace
}  // namespace restgate::stats
