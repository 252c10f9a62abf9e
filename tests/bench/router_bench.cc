// Router and Path. Routes as REST services have them; requests in random order over all routes, so that the caches miss
// as they would. The path is split outside of the measured part where only the router is measured.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "common/http_method.h"
#include "config/pattern.h"
#include "config/route_conflicts.h"
#include "worker/http1/path.h"
#include "worker/router.h"

namespace {

using restgate::config::Config;
using restgate::config::Pattern;
using restgate::config::RegexCache;
using restgate::config::Route;
using restgate::http1::Path;
using restgate::worker::Router;

enum class Style { Literal, Parameter, Regex };

std::string pattern(size_t i, Style style) {
  std::string base = "/api/v1/service" + std::to_string(i / 5) + "/resource" + std::to_string(i % 5);
  switch (style) {
    case Style::Literal:
      return base + "/list";
    case Style::Parameter:
      return base + "/{id}";
    case Style::Regex:
      return base + "/{id:[0-9]+}";
  }
  return base;
}

Config make_config(size_t count, Style style) {
  Config config;
  config.methods.assign(restgate::kStandardMethods.begin(), restgate::kStandardMethods.end());
  RegexCache regexes;
  for (size_t i = 0; i < count; ++i) {
    Route route;
    route.methods = {"GET", "OPTIONS"};
    route.pattern = *Pattern::parse(pattern(i, style), regexes);
    config.routes.push_back(std::move(route));
  }
  return config;
}

// Requests for random routes, so many that what each of them touches does not stay in the first-level cache.
std::vector<std::string> make_paths(size_t routes, Style style) {
  std::mt19937 random(1);
  std::vector<std::string> paths(4096);
  for (std::string& path : paths) {
    path = pattern(random() % routes, style);
    if (style != Style::Literal) path = path.substr(0, path.find('{')) + std::to_string(random() % 100'000);
  }
  return paths;
}

void match_routes(benchmark::State& state, Style style) {
  const auto count = static_cast<size_t>(state.range(0));
  const Router router(make_config(count, style));
  const std::vector<std::string> paths = make_paths(count, style);
  std::vector<std::vector<std::string_view>> split(paths.size());
  Path path;
  for (size_t i = 0; i < paths.size(); ++i) {
    path.assign(paths[i]);
    split[i].assign(path.segments().begin(), path.segments().end());
  }
  size_t next = 0;
  for (auto _ : state) {
    const auto result = router.match(restgate::kMethodGet, split[next++ % split.size()]);
    if (result.kind != restgate::worker::RouteMatch::Kind::Found) state.SkipWithError("not found");
    benchmark::DoNotOptimize(result.route);
  }
  state.counters["bytes/route"] = static_cast<double>(router.memory_bytes()) / static_cast<double>(count);
}
void match(benchmark::State& state) {
  match_routes(state, Style::Parameter);
}
void match_literal(benchmark::State& state) {
  match_routes(state, Style::Literal);
}
void match_regex(benchmark::State& state) {
  match_routes(state, Style::Regex);
}
BENCHMARK(match)->Arg(1)->Arg(100)->Arg(5'000)->Arg(50'000);
BENCHMARK(match_literal)->Arg(1)->Arg(5'000);
BENCHMARK(match_regex)->Arg(1)->Arg(5'000);

// What a request costs in all: method, path, route.
void request(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  const Router router(make_config(count, Style::Parameter));
  const std::vector<std::string> paths = make_paths(count, Style::Parameter);
  Path path;
  size_t next = 0;
  for (auto _ : state) {
    path.assign(paths[next++ % paths.size()]);
    benchmark::DoNotOptimize(router.match(router.method_id("GET"), path.segments()).route);
  }
}
BENCHMARK(request)->Arg(1)->Arg(5'000)->Arg(50'000);

void not_found(benchmark::State& state) {
  const Router router(make_config(5'000, Style::Parameter));
  const std::vector<std::string_view> segments = {"api", "v1", "service7", "other", "12"};
  for (auto _ : state) benchmark::DoNotOptimize(router.match(restgate::kMethodGet, segments).kind);
}
BENCHMARK(not_found);

void method_not_allowed(benchmark::State& state) {
  const Router router(make_config(5'000, Style::Parameter));
  const std::vector<std::string_view> segments = {"api", "v1", "service7", "resource1", "12"};
  for (auto _ : state) benchmark::DoNotOptimize(router.match(restgate::kMethodPost, segments).kind);
}
BENCHMARK(method_not_allowed);

void split_path(benchmark::State& state, const char* raw) {
  Path path;
  for (auto _ : state) {
    benchmark::DoNotOptimize(raw);
    benchmark::DoNotOptimize(path.assign(raw));
    benchmark::DoNotOptimize(path.segments().data());
  }
}
BENCHMARK_CAPTURE(split_path, root, "/");
BENCHMARK_CAPTURE(split_path, plain, "/api/v1/service1234/resource3/123456");
BENCHMARK_CAPTURE(split_path, escaped, "/api/v1/service1234/a%20b%2Fc/123456");

void compile(benchmark::State& state) {
  const Config config = make_config(static_cast<size_t>(state.range(0)), Style::Parameter);
  for (auto _ : state) benchmark::DoNotOptimize(Router(config));
}
BENCHMARK(compile)->Arg(50'000)->Unit(benchmark::kMillisecond);

void parse_patterns(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(make_config(50'000, Style::Regex));
}
BENCHMARK(parse_patterns)->Unit(benchmark::kMillisecond);

void find_conflicts_in(benchmark::State& state) {
  const Config config = make_config(static_cast<size_t>(state.range(0)), Style::Regex);
  for (auto _ : state) benchmark::DoNotOptimize(restgate::config::find_conflicts(config.routes));
}
BENCHMARK(find_conflicts_in)->Arg(5'000)->Arg(50'000)->Unit(benchmark::kMillisecond);

}  // namespace
