#include "common/stats/block.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <string>

namespace restgate::stats {
namespace {

using namespace std::string_literals;

const BlockSpec kSpec{.routes = {"users", "orders"}, .services = {"crm", "shop"}, .methods = {"GET", "HEAD", "POST"}};

Block make_block(const BlockSpec& spec = kSpec) {
  Result<Block> block = Block::create(spec);
  EXPECT_TRUE(block) << block.error().message;
  return std::move(block).value();
}

const RouteStats* find_route(const Snapshot& snapshot, std::string_view name) {
  for (const RouteStats& route : snapshot.routes)
    if (route.name == name) return &route;
  return nullptr;
}

uint64_t sum(const std::vector<RequestCount>& requests) {
  uint64_t total = 0;
  for (const RequestCount& entry : requests) total += entry.count;
  return total;
}

TEST(Writer, DefaultConstructedIsInvalidAndCountsNothing) {
  Writer writer;
  EXPECT_FALSE(writer);
  writer.add(Counter::LoopTurns);
  writer.set(Gauge::Tunnels, 3);
  writer.add(Gauge::Tunnels, -1);
  writer.add(ServiceCounter::Connects, 0);
  writer.add(ServiceGauge::ConnectionsIdle, 0, 1);
  writer.backend_duration(0, 5);
  writer.request(0, kMethodGet, 200, 5);
  writer.error(0, Reason::Internal);
}

DurationBounds many_bounds() {
  DurationBounds bounds;
  for (size_t i = 1; i < kMaxDurationBounds; ++i) bounds.push_back(i * i * 10);
  bounds.push_back(kMaxDurationBound);
  return bounds;
}

TEST(Writer, BucketHoldsItsBound) {
  for (const DurationBounds& bounds : {default_duration_bounds(), DurationBounds{7}, many_bounds()}) {
    const detail::BucketSearch bucket_of(bounds);
    for (size_t i = 0; i < bounds.size(); ++i) {
      EXPECT_EQ(bucket_of(bounds[i]), i);
      EXPECT_EQ(bucket_of(bounds[i] + 1), i + 1);
      EXPECT_EQ(bucket_of(bounds[i] - 1), i);
    }
    EXPECT_EQ(bucket_of(0), 0U);
    EXPECT_EQ(bucket_of(INT32_MAX), bounds.size());
    EXPECT_EQ(bucket_of(uint64_t{INT32_MAX} + 1), bounds.size());
    EXPECT_EQ(bucket_of(UINT64_MAX), bounds.size());
  }
}

TEST(Writer, TurnsOfTheLoopAreCountedByHowLongTheyTook) {
  const Block block = make_block();
  Writer writer = block.writer();
  for (const uint64_t busy_us : {uint64_t{0}, uint64_t{100}, uint64_t{101}, uint64_t{1'000'000}, uint64_t{1'000'001}})
    writer.loop_turn(busy_us);
  const Snapshot snapshot = block.snapshot();
  const auto turns = [&](size_t bucket) {
    return snapshot.counters[static_cast<size_t>(Counter::LoopLatency) + bucket];
  };
  EXPECT_EQ(turns(0), 2U);
  EXPECT_EQ(turns(1), 1U);
  EXPECT_EQ(turns(kLoopLatencyBounds.size() - 1), 1U);
  EXPECT_EQ(turns(kLoopLatencyBounds.size()), 1U);
  EXPECT_EQ(snapshot[Counter::LoopTurns], 5U);
  EXPECT_EQ(snapshot[Counter::LoopBusyMicros], 2'000'202U);
}

TEST(Block, NewOneIsEmpty) {
  const Snapshot snapshot = make_block().snapshot();
  EXPECT_TRUE(snapshot.routes.empty());
  ASSERT_EQ(snapshot.services.size(), 2U);
  EXPECT_EQ(snapshot.services[1].name, "shop");
  EXPECT_EQ(snapshot.services[1].duration.count(), 0U);
  EXPECT_EQ(snapshot[Counter::RequestBytes], 0U);
  EXPECT_EQ(snapshot.configured_routes, 3U);
}

TEST(Block, EveryNumberComesBackByName) {
  const Block block = make_block();
  Writer writer = block.writer();
  ASSERT_TRUE(writer);
  for (size_t i = 0; i < kCounterCount; ++i) writer.add(static_cast<Counter>(i), i + 1);
  for (size_t i = 0; i < kGaugeCount; ++i) writer.set(static_cast<Gauge>(i), static_cast<int64_t>(i) + 10);
  writer.add(Gauge::RequestsInFlight, -20);
  writer.add(ServiceCounter::Retries, 1, 7);
  writer.add(ServiceGauge::ConnectionsIdle, 0, 4);
  writer.add(ServiceGauge::ConnectionsIdle, 0, -5);
  writer.set(ServiceGauge::Endpoints, 1, 3);
  writer.backend_duration(1, 2500);
  writer.request(1, kMethodGet, 200, 400);
  writer.request(1, kMethodGet, 200, 700);
  writer.request(1, 2, 201, 20'000'000);
  writer.error(2, Reason::BackendReset);
  writer.error(2, Reason::None);

  const Snapshot snapshot = block.snapshot();
  for (size_t i = 0; i < kCounterCount; ++i) EXPECT_EQ(snapshot.counters[i], i + 1);
  EXPECT_EQ(snapshot[Gauge::ConnectionsActive], 10);
  EXPECT_EQ(snapshot[Gauge::RequestsInFlight], -8);
  EXPECT_EQ(snapshot.services[1][ServiceCounter::Retries], 7U);
  EXPECT_EQ(snapshot.services[0][ServiceCounter::Retries], 0U);
  EXPECT_EQ(snapshot.services[0][ServiceGauge::ConnectionsIdle], -1);
  EXPECT_EQ(snapshot.services[1][ServiceGauge::Endpoints], 3);
  EXPECT_EQ(snapshot.services[1].duration.buckets[2], 1U);
  EXPECT_EQ(snapshot.services[1].duration.sum_us, 2500U);

  const RouteStats* users = find_route(snapshot, "users");
  ASSERT_NE(users, nullptr);
  ASSERT_EQ(users->requests.size(), 2U);
  EXPECT_EQ(users->requests[0].method, "GET");
  EXPECT_EQ(users->requests[0].code, 200);
  EXPECT_EQ(users->requests[0].count, 2U);
  EXPECT_EQ(users->requests[1].method, "POST");
  EXPECT_EQ(users->duration.count(), 3U);
  EXPECT_EQ(users->duration.buckets.back(), 1U);
  EXPECT_EQ(users->duration.sum_us, 20'001'100U);
  const RouteStats* orders = find_route(snapshot, "orders");
  ASSERT_NE(orders, nullptr);
  ASSERT_EQ(orders->errors.size(), 1U);
  EXPECT_EQ(orders->errors[0].reason, "backend_reset");
  EXPECT_EQ(find_route(snapshot, "unmatched"), nullptr);
}

TEST(Block, WhatIsOutOfRangeIsCountedInItsPlace) {
  const Block block = make_block();
  Writer writer = block.writer();
  writer.request(99, kOtherMethod, 404, 1);
  writer.request(0, 50, 1000, 1);
  writer.error(99, Reason::RouteNotFound);
  writer.add(ServiceCounter::Connects, 2);
  writer.add(ServiceGauge::ConnectionsActive, 2, 1);
  writer.backend_duration(2, 1);
  const Snapshot snapshot = block.snapshot();
  ASSERT_EQ(snapshot.routes.size(), 1U);
  EXPECT_EQ(snapshot.routes[0].name, "unmatched");
  ASSERT_EQ(snapshot.routes[0].requests.size(), 2U);
  EXPECT_EQ(snapshot.routes[0].requests[0].method, "other");
  EXPECT_EQ(snapshot.routes[0].requests[0].code, 0);
  EXPECT_EQ(snapshot.routes[0].requests[1].code, 404);
  ASSERT_EQ(snapshot.routes[0].errors.size(), 1U);
}

TEST(Block, SumsStayRightWhenTheTableIsFull) {
  const Block block = make_block();
  Writer writer = block.writer();
  uint64_t sent = 0;
  for (uint32_t route = 0; route < 3; ++route) {
    for (MethodId method = 0; method < 4; ++method) {
      for (uint16_t code = 100; code <= 999; ++code) {
        writer.request(route, method, code, 1);
        writer.request(route, method, code, 1);
        sent += 2;
      }
    }
    writer.error(route, Reason::Internal);
  }
  writer.request(0, kMethodGet, 100, 1);  // an old cell still counts
  const Snapshot snapshot = block.snapshot();
  uint64_t counted = 0;
  for (const RouteStats& route : snapshot.routes) {
    counted += sum(route.requests);
    EXPECT_EQ(sum(route.requests), route.duration.count());
    ASSERT_EQ(route.errors.size(), 1U);
    EXPECT_EQ(route.errors[0].count, 1U);
  }
  EXPECT_EQ(counted, sent + 1);
  EXPECT_EQ(find_route(snapshot, "unmatched")->requests[0].count, 3U);
  const RouteStats* orders = find_route(snapshot, "orders");
  ASSERT_NE(orders, nullptr);
  EXPECT_EQ(orders->requests.back().method, "other");
  EXPECT_EQ(orders->requests.back().code, 0);
  EXPECT_EQ(orders->errors[0].reason, "other");
}

TEST(Block, AChildsCountsAreSeen) {
  const Block block = make_block();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Writer writer = block.writer();
    for (int i = 0; i < 1000; ++i) writer.request(2, kMethodGet, 200, 1);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(find_route(block.snapshot(), "orders")->requests[0].count, 1000U);
}

bool is_mapped_here(std::string_view name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(name) != std::string::npos) return true;
  return false;
}

TEST(Block, HiddenFromLaterChildren) {
  const Block block = make_block();
  Writer writer = block.writer();
  block.hide_from_later_children();
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(is_mapped_here("restgate-statistics") ? 1 : 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(is_mapped_here("restgate-statistics"));
  writer.request(1, kMethodGet, 200, 1);
  EXPECT_EQ(block.snapshot().routes.size(), 1U);
}

TEST(Block, MovedWithItsMapping) {
  Block first = make_block();
  Writer writer = first.writer();
  Block second = std::move(first);
  writer.request(1, kMethodGet, 200, 1);
  EXPECT_EQ(second.snapshot().routes.size(), 1U);
  EXPECT_FALSE(first.writer());  // NOLINT(bugprone-use-after-move): a moved-from block is empty
  EXPECT_TRUE(first.snapshot().routes.empty());
  first = make_block();
  EXPECT_TRUE(first.writer());
}

TEST(Block, RefusesWhatPassesALimit) {
  BlockSpec spec = kSpec;
  spec.routes.push_back(std::string(kMaxNameBytes, 'x'));
  EXPECT_TRUE(Block::create(spec));
  spec.routes.back() += 'x';
  EXPECT_FALSE(Block::create(spec));
  spec = kSpec;
  spec.methods.resize(kMaxMethods + 1, "X");
  EXPECT_FALSE(Block::create(spec));
}

TEST(Block, RefusesWhatIsNoListOfBounds) {
  BlockSpec spec = kSpec;
  spec.duration_bounds = many_bounds();
  EXPECT_TRUE(Block::create(spec));
  for (const DurationBounds& bad : {DurationBounds{}, DurationBounds{0, 1}, DurationBounds{5, 5}, DurationBounds{2, 1},
                                    DurationBounds{kMaxDurationBound + 1}}) {
    spec.duration_bounds = bad;
    EXPECT_FALSE(Block::create(spec));
  }
  spec.duration_bounds = many_bounds();
  spec.duration_bounds.insert(spec.duration_bounds.begin(), 1);
  EXPECT_FALSE(Block::create(spec)) << "one too many";
}

TEST(Block, CountsWithTheBoundsThatItIsGiven) {
  BlockSpec spec = kSpec;
  spec.duration_bounds = many_bounds();
  const Block block = make_block(spec);
  Writer writer = block.writer();
  for (const uint64_t bound : spec.duration_bounds) {
    writer.request(1, kMethodGet, 200, bound);
    writer.backend_duration(1, bound + 1);
  }
  writer.add(ServiceCounter::Retries, 1, 7);
  writer.add(ServiceGauge::ConnectionsIdle, 1, 9);
  const Snapshot snapshot = block.snapshot();
  EXPECT_EQ(snapshot.duration_bounds, spec.duration_bounds);
  std::vector<uint64_t> expected(kMaxDurationBounds, 1);
  expected.push_back(0);
  EXPECT_EQ(find_route(snapshot, "users")->duration.buckets, expected);
  expected.front() = 0;
  expected.back() = 1;
  EXPECT_EQ(snapshot.services[1].duration.buckets, expected);
  EXPECT_EQ(snapshot.services[1][ServiceCounter::Retries], 7U);
  EXPECT_EQ(snapshot.services[1][ServiceGauge::ConnectionsIdle], 9);
  EXPECT_EQ(snapshot.services[0].duration.count(), 0U);
}

TEST(Block, FiveThousandRoutesTimesEightWorkersFitTheBudget) {
  BlockSpec spec = kSpec;
  spec.routes.clear();
  for (int i = 0; i < 5000; ++i) spec.routes.push_back("a route with a name of usual length " + std::to_string(i));
  spec.services.assign(100, "service");
  EXPECT_LE(make_block(spec).size_bytes() * 8, 64U << 20);
  spec.duration_bounds = many_bounds();
  EXPECT_LE(make_block(spec).size_bytes() * 8, 64U << 20);
}

TEST(BlockAttach, ReadsWhatAnotherWrote) {
  const Block block = make_block({.routes = {"users", ""}, .services = {"crm"}, .methods = {"GET"}});
  Writer writer = block.writer();
  writer.request(1, kMethodGet, 200, 1);
  Result<Block> attached = Block::attach(UniqueFd(fcntl(block.fd(), F_DUPFD_CLOEXEC, 0)));
  ASSERT_TRUE(attached) << attached.error().message;
  EXPECT_EQ(attached->spec().routes, block.spec().routes);
  EXPECT_EQ(attached->spec().methods, block.spec().methods);
  EXPECT_EQ(find_route(attached->snapshot(), "users")->requests[0].count, 1U);
  EXPECT_FALSE(attached->writer());
  writer.request(1, kMethodGet, 200, 1);
  EXPECT_EQ(find_route(attached->snapshot(), "users")->requests[0].count, 2U);
}

/// A sealed file in memory with the given bytes.
UniqueFd sealed_file(const std::string& bytes, bool seal = true) {
  UniqueFd fd(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(write(fd.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(fcntl(fd.get(), F_ADD_SEALS, seal ? F_SEAL_SHRINK | F_SEAL_GROW : 0), 0);
  return fd;
}

std::string bytes_of(const Block& block) {
  std::string bytes(block.size_bytes(), '\0');
  EXPECT_EQ(pread(block.fd(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  return bytes;
}

TEST(BlockAttach, RefusesWhatIsNoWholeBlock) {
  const std::string good = bytes_of(make_block());
  EXPECT_TRUE(Block::attach(sealed_file(good)));

  struct Case {
    const char* what;
    std::function<void(std::string&, layout::Header&)> damage;
  };
  const auto grow = [](std::string& bytes, layout::Header&) { bytes += '\0'; };
  const Case cases[] = {
      {"magic", [](std::string&, layout::Header& h) { h.magic ^= 1; }},
      {"version", [](std::string&, layout::Header& h) { ++h.version; }},
      {"header size", [](std::string&, layout::Header& h) { --h.header_bytes; }},
      {"more counters", [](std::string&, layout::Header& h) { ++h.counts.counters; }},
      {"fewer gauges", [](std::string&, layout::Header& h) { --h.counts.gauges; }},
      {"endless buckets", [](std::string&, layout::Header& h) { h.counts.buckets = UINT32_MAX; }},
      {"endless reasons", [](std::string&, layout::Header& h) { h.counts.reasons = UINT32_MAX; }},
      {"no routes", [](std::string&, layout::Header& h) { h.counts.routes = 0; }},
      {"more routes", [](std::string&, layout::Header& h) { ++h.counts.routes; }},
      {"endless routes", [](std::string&, layout::Header& h) { h.counts.routes = UINT32_MAX; }},
      {"endless services", [](std::string&, layout::Header& h) { h.counts.services = UINT32_MAX; }},
      {"more methods", [](std::string&, layout::Header& h) { ++h.counts.methods; }},
      {"too many methods", [](std::string&, layout::Header& h) { h.counts.methods = 64; }},
      {"fewer methods", [](std::string&, layout::Header& h) { --h.counts.methods; }},
      {"names", [](std::string&, layout::Header& h) { h.counts.names_bytes = UINT32_MAX; }},
      {"offset", [](std::string&, layout::Header& h) { h.offsets.cells += 128; }},
      {"cells", [](std::string&, layout::Header& h) { h.offsets.cell_count <<= 1; }},
      {"size", [](std::string&, layout::Header& h) { h.offsets.total_size += 128; }},
      {"longer file", grow},
      {"shorter file", [](std::string& bytes, layout::Header&) { bytes.pop_back(); }},
      {"bound",
       [](std::string& bytes, layout::Header&) { bytes.replace(bytes.find("\x04\0002500"s), 6, "\x04\00025x0"s); }},
      {"bounds that descend",
       [](std::string& bytes, layout::Header&) { bytes.replace(bytes.find("\x04\0002500"s), 6, "\x04\0000500"s); }},
      {"header only", [](std::string& bytes, layout::Header&) { bytes.resize(sizeof(layout::Header)); }},
      {"less than a header", [](std::string& bytes, layout::Header&) { bytes.resize(sizeof(layout::Header) - 1); }},
      {"empty", [](std::string& bytes, layout::Header&) { bytes.clear(); }},
      {"name length",
       [](std::string& bytes, layout::Header& h) { bytes[static_cast<size_t>(h.offsets.names) + 1] = '\x7f'; }},
      {"name longer by one",
       [](std::string& bytes, layout::Header& h) { ++bytes[static_cast<size_t>(h.offsets.names)]; }},
  };
  for (const Case& test : cases) {
    std::string bytes = good;
    layout::Header header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    test.damage(bytes, header);
    std::memcpy(bytes.data(), &header, std::min(sizeof(header), bytes.size()));
    EXPECT_FALSE(Block::attach(sealed_file(bytes))) << test.what;
  }
}

// What another version of the program might have: other counters in another order, fewer buckets, reasons of its own.
class ForeignBlock {
 public:
  ForeignBlock() {
    counts_.routes = 2;
    counts_.services = 1;
    counts_.methods = 1;
    const std::vector<std::string> names = {"new_things",
                                            "loop_turns",  // counters
                                            "tunnels",     // gauges
                                            "retries",
                                            "news",
                                            "connects",          // of services
                                            "connections_idle",  // gauges of services
                                            "700",
                                            "5000",  // buckets
                                            "backend_gone",
                                            "internal",
                                            "cosmic_rays",  // reasons
                                            "users",
                                            "crm",
                                            "GET"};
    counts_.counters = 2;
    counts_.gauges = 1;
    counts_.service_counters = 3;
    counts_.service_gauges = 1;
    counts_.buckets = 2;
    counts_.reasons = 3;
    for (const std::string& name : names) {
      const auto length = static_cast<uint16_t>(name.size());
      names_.append(reinterpret_cast<const char*>(&length), sizeof length).append(name);
    }
    counts_.names_bytes = static_cast<uint32_t>(names_.size());
    offsets_ = layout::offsets_for(counts_);
    bytes_.resize(offsets_.total_size);
    layout::Header header;
    header.header_bytes = sizeof header;
    header.counts = counts_;
    header.offsets = offsets_;
    std::memcpy(bytes_.data(), &header, sizeof header);
    bytes_.replace(offsets_.names, names_.size(), names_);
  }
  void set(uint64_t offset, size_t number, uint64_t value) {
    std::memcpy(bytes_.data() + offset + number * sizeof value, &value, sizeof value);
  }
  [[nodiscard]] const layout::Offsets& at() const { return offsets_; }
  [[nodiscard]] const layout::Counts& counts() const { return counts_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  layout::Counts counts_;
  layout::Offsets offsets_;
  std::string names_;
  std::string bytes_;
};

TEST(BlockAttach, ReadsABlockOfAnotherVersionByName) {
  ForeignBlock foreign;
  for (size_t i = 0; i < 3; ++i) foreign.set(foreign.at().process, i, 10 + i);  // new_things, loop_turns, tunnels
  for (size_t i = 0; i < 8; ++i) foreign.set(foreign.at().services, i, 20 + i);
  const uint64_t users_at = foreign.at().routes + layout::route_slot_bytes(foreign.counts());
  foreign.set(users_at, 0, layout::cell_key(layout::CellKind::Request, 1, 200));  // what the route saw first
  foreign.set(users_at, 1, 7);
  foreign.set(users_at, 2, 33);  // the sum
  foreign.set(users_at, 4, 31);  // up to 5000 us
  foreign.set(users_at, 5, 32);  // +Inf
  const auto cell = [&](uint64_t number, layout::CellKind kind, uint32_t detail, uint64_t count) {
    foreign.set(foreign.at().cells + number * sizeof(layout::Cell), 0, layout::cell_key(kind, 1, detail));
    foreign.set(foreign.at().cells + number * sizeof(layout::Cell), 1, count);
  };
  cell(0, layout::CellKind::Request, 200, 41);
  cell(1, layout::CellKind::Error, 1, 42);
  cell(2, layout::CellKind::Error, 2, 43);

  const Result<Block> block = Block::attach(sealed_file(foreign.bytes()));
  ASSERT_TRUE(block) << block.error().message;
  const Snapshot snapshot = block->snapshot();
  EXPECT_EQ(snapshot[Counter::LoopTurns], 11U);
  EXPECT_EQ(snapshot[Counter::ConnectionsAccepted], 0U) << "it does not count these";
  EXPECT_EQ(snapshot[Gauge::Tunnels], 12);
  ASSERT_EQ(snapshot.services.size(), 1U);
  const ServiceStats& service = snapshot.services[0];
  EXPECT_EQ(service.name, "crm");
  EXPECT_EQ(snapshot.duration_bounds, (DurationBounds{700, 5000}));
  EXPECT_EQ(service.duration.buckets, (std::vector<uint64_t>{21, 22, 23}));
  EXPECT_EQ(service.duration.sum_us, 20U);
  EXPECT_EQ(service[ServiceCounter::Retries], 24U);
  EXPECT_EQ(service[ServiceCounter::Connects], 26U);
  EXPECT_EQ(service[ServiceGauge::ConnectionsIdle], 27);
  const RouteStats* users = find_route(snapshot, "users");
  ASSERT_NE(users, nullptr);
  EXPECT_EQ(users->duration.count(), 31U + 32U);
  EXPECT_EQ(users->duration.sum_us, 33U);
  ASSERT_EQ(users->requests.size(), 1U);
  EXPECT_EQ(users->requests[0].method, "GET");
  EXPECT_EQ(users->requests[0].count, 7U + 41U);
  ASSERT_EQ(users->errors.size(), 2U);
  EXPECT_EQ(users->errors[0].reason, "cosmic_rays") << "known to nobody here, and counted all the same";
  EXPECT_EQ(users->errors[0].count, 43U);
  EXPECT_EQ(users->errors[1].reason, "internal");
}

TEST(BlockAttach, RefusesOtherDescriptors) {
  EXPECT_FALSE(Block::attach(UniqueFd()));
  EXPECT_FALSE(Block::attach(UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC))));
  EXPECT_FALSE(Block::attach(sealed_file(bytes_of(make_block()), false))) << "not sealed";
}

TEST(Block, AScribbledSegmentSpoilsNothingButNumbers) {
  const Block block = make_block();
  auto* bytes =
      static_cast<unsigned char*>(mmap(nullptr, block.size_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, block.fd(), 0));
  ASSERT_NE(bytes, MAP_FAILED);
  uint32_t state = 1;
  for (size_t i = 0; i < block.size_bytes(); ++i) {
    state = state * 1664525 + 1013904223;
    bytes[i] = static_cast<unsigned char>(state >> 24);
  }
  const Snapshot snapshot = block.snapshot();
  EXPECT_LE(snapshot.routes.size(), 3U);
  for (const RouteStats& route : snapshot.routes)
    for (const RequestCount& entry : route.requests) EXPECT_LE(entry.code, 999);
  munmap(bytes, block.size_bytes());
}

TEST(Block, CannotBeShrunk) {
  const Block block = make_block();
  EXPECT_NE(ftruncate(block.fd(), 0), 0);
  EXPECT_EQ(errno, EPERM);
}

}  // namespace
}  // namespace restgate::stats
