// What the status costs the master once a second: one sample, with every route busy. Budget: 20 ms a turn of the loop.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "common/stats.h"
#include "master/status/ledger.h"

namespace restgate::master {
namespace {

stats::BlockSpec spec(uint32_t routes) {
  stats::BlockSpec spec{.routes = {}, .services = {}, .methods = {}};
  for (uint32_t i = 0; i < routes; ++i) spec.routes.push_back("a-route-of-usual-length-" + std::to_string(i));
  for (uint32_t i = 0; i < 50; ++i) spec.services.push_back("service-" + std::to_string(i));
  for (const std::string_view method : kStandardMethods) spec.methods.emplace_back(method);
  return spec;
}

void fill(const stats::Block& block) {
  stats::Writer writer = block.writer();
  for (uint32_t route = 0; route <= block.spec().routes.size(); ++route) {
    for (uint64_t micros = 100; micros < 20'000'000; micros *= 3) writer.request(route, kMethodGet, 200, micros);
    writer.request(route, kMethodGet, 502, 900);
    writer.error(route, Reason::BackendReset);
  }
}

/// Arguments: routes, workers.
void BM_Sample(benchmark::State& state) {
  const stats::BlockSpec names = spec(static_cast<uint32_t>(state.range(0)));
  std::vector<stats::Block> blocks;
  for (int64_t i = 0; i < state.range(1); ++i) blocks.push_back(stats::Block::create(names).value());
  stats::Accumulator gone;
  for (const stats::Block& block : blocks) {
    fill(block);
    gone.add(block.snapshot());
  }
  Ledger ledger;
  ledger.use(names);
  Moment now;
  for (auto _ : state) {
    now.wall += std::chrono::seconds(1);
    now.steady += std::chrono::seconds(1);
    ledger.begin(gone.totals(), 0);
    for (const stats::Block& block : blocks) ledger.add(block.snapshot());
    ledger.finish(now);
  }
}
BENCHMARK(BM_Sample)->Args({10, 2})->Args({5000, 2})->Args({5000, 8})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace restgate::master
