// Statistics: what one count costs a worker, and one scrape the master. Budget: 5,000 routes, 8 workers, 150 ms.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "common/stats.h"
#include "master/metrics_collector.h"

namespace restgate {
namespace {

constexpr uint32_t kServices = 50;

stats::BlockSpec spec(uint32_t routes) {
  stats::BlockSpec spec{.routes = {}, .services = {}, .methods = {}};
  for (uint32_t i = 0; i < routes; ++i) spec.routes.push_back("a-route-of-usual-length-" + std::to_string(i));
  for (uint32_t i = 0; i < kServices; ++i) spec.services.push_back("service-" + std::to_string(i));
  for (const std::string_view method : kStandardMethods) spec.methods.emplace_back(method);
  return spec;
}

/// Every route has seen two methods, three codes and an error.
void fill(const stats::Block& block) {
  stats::Writer writer = block.writer();
  for (uint32_t route = 0; route <= block.spec().routes.size(); ++route) {
    for (uint64_t micros = 100; micros < 20'000'000; micros *= 3) writer.request(route, kMethodGet, 200, micros);
    writer.request(route, kMethodPost, 201, 900);
    writer.request(route, kMethodGet, 502, 900);
    writer.error(route, Reason::BackendReset);
  }
  for (uint32_t service = 0; service < kServices; ++service) writer.backend_duration(service, 700);
}

std::vector<stats::Block> blocks(uint32_t routes, int workers) {
  std::vector<stats::Block> made;
  for (int i = 0; i < workers; ++i) {
    made.push_back(stats::Block::create(spec(routes)).value());
    fill(made.back());
  }
  return made;
}

void BM_WriterRequest(benchmark::State& state) {
  const auto routes = static_cast<uint32_t>(state.range(0));
  const stats::Block block = stats::Block::create(spec(routes)).value();
  stats::Writer writer = block.writer();
  uint32_t route = 1;
  uint64_t micros = 1;
  for (auto _ : state) {
    writer.request(route, kMethodGet, 200, micros);
    route = route == routes ? 1 : route + 1;
    micros = (micros * 5) & 0xFFFFF;
  }
}
BENCHMARK(BM_WriterRequest)->Arg(1)->Arg(100)->Arg(5000);

void BM_WriterCounter(benchmark::State& state) {
  const stats::Block block = stats::Block::create(spec(1)).value();
  stats::Writer writer = block.writer();
  for (auto _ : state) {
    writer.add(stats::Counter::RequestBytes, 128);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(BM_WriterCounter);

void BM_Snapshot(benchmark::State& state) {
  const auto made = blocks(static_cast<uint32_t>(state.range(0)), 8);
  for (auto _ : state)
    for (const stats::Block& block : made) benchmark::DoNotOptimize(block.snapshot());
  state.counters["MiB_shared"] = static_cast<double>(made[0].size_bytes()) * 8 / (1 << 20);
}
BENCHMARK(BM_Snapshot)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

stats::Accumulator totals(const stats::Accumulator& retired, const std::vector<stats::Block>& live) {
  stats::Accumulator sum = retired;
  for (const stats::Block& block : live) sum.add_live(block.snapshot());
  return sum;
}

void BM_Totals(benchmark::State& state) {
  const auto made = blocks(static_cast<uint32_t>(state.range(0)), 8);
  const stats::Accumulator retired = totals({}, made);
  for (auto _ : state) benchmark::DoNotOptimize(totals(retired, made));
}
BENCHMARK(BM_Totals)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

/// What a scrape costs the thread that renders it.
void BM_Scrape(benchmark::State& state) {
  auto made = blocks(static_cast<uint32_t>(state.range(0)), 8);
  master::Scrape scrape{{.dead = std::make_shared<const stats::Accumulator>(totals({}, made)), .live = {}}, {}, {}};
  for (uint32_t i = 0; i < made.size(); ++i)
    scrape.statistics.live.push_back({i, std::make_shared<const stats::Block>(std::move(made[i]))});
  size_t bytes = 0;
  for (auto _ : state) bytes = master::metrics_text(scrape, bytes).size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Scrape)->Arg(1)->Arg(100)->Arg(5000)->Unit(benchmark::kMillisecond);

void BM_TotalsAsBytes(benchmark::State& state) {
  const stats::Accumulator retired = totals({}, blocks(5000, 1));
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = retired.serialize();
    bytes = text.size();
    benchmark::DoNotOptimize(stats::Accumulator::deserialize(text));
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_TotalsAsBytes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace restgate
