// The access log: what a line costs, and the writing of a turn's lines to a file that takes them at once.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "common/unique_fd.h"
#include "worker/access_log.h"
#include "worker/id_source.h"

namespace restgate::worker {
namespace {

/// Standard error goes nowhere while this lives.
class Silence {
 public:
  Silence() : saved_(dup(STDERR_FILENO)) {
    const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!saved_ || dup2(nowhere.get(), STDERR_FILENO) < 0) std::abort();
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() { dup2(saved_.get(), STDERR_FILENO); }

 private:
  UniqueFd saved_;
};

const AccessRecord kRecord = {.method = "GET",
                              .path = "/api/v1/accounts/8d3f0a52/orders?page=2&sort=created",
                              .route = "account_orders",
                              .service = "accounts",
                              .client = "192.0.2.7",
                              .reason = "",
                              .backend = "198.51.100.23:8080",
                              .backend_tls = "",
                              .request_id = "019ac0de-7fff-7abc-8def-0123456789ab",
                              .trace_id = "",
                              .referer = "https://shop.example.org/",
                              .user_agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
                              .status = 200,
                              .bytes = 1234,
                              .body_bytes = 1000,
                              .bytes_in = 345,
                              .duration_us = 1'234,
                              .queue_us = 12,
                              .connect_us = 0,
                              .first_byte_us = 1'100};

/// A line; they are written in batches of state.range(0), as at the end of a turn with so many requests.
void line(benchmark::State& state, config::AccessFormat format) {
  const Silence silence;
  AccessLog log({.format = format});
  int64_t lines = 0;
  for (auto _ : state) {
    if (log.wants(kRecord.status, kRecord.duration_us)) log.write(kRecord);
    if (++lines % state.range(0) == 0) log.flush();
  }
}
BENCHMARK_CAPTURE(line, text, config::AccessFormat::Text)->Arg(1)->Arg(16);
BENCHMARK_CAPTURE(line, json, config::AccessFormat::Json)->Arg(1)->Arg(16);
BENCHMARK_CAPTURE(line, combined, config::AccessFormat::Combined)->Arg(1)->Arg(16);

void off(benchmark::State& state) {
  AccessLog::Setup setup;
  setup.options.enabled = false;
  AccessLog log(std::move(setup));
  for (auto _ : state) {
    benchmark::DoNotOptimize(log.wants(kRecord.status, kRecord.duration_us));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(off);

/// A filter that keeps 1 in 100 of what is neither wrong nor slow.
void sampled(benchmark::State& state) {
  const Silence silence;
  AccessLog::Setup setup;
  setup.options.min_status = 500;
  setup.options.slower_than = std::chrono::seconds(1);
  setup.options.sample = 100;
  AccessLog log(std::move(setup));
  for (auto _ : state) {
    if (log.wants(kRecord.status, kRecord.duration_us)) log.write(kRecord);
    log.flush();
  }
}
BENCHMARK(sampled);

void request_id(benchmark::State& state) {
  IdSource ids;
  std::array<char, IdSource::kUuidSize> text{};
  for (auto _ : state) {
    ids.write_uuid(text.data(), 0);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(request_id);

}  // namespace
}  // namespace restgate::worker
