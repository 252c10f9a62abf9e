// The access log: what a line costs, and the writing of a turn's lines to a file that takes them at once.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include "common/unique_fd.h"
#include "worker/access_log.h"

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
                              .status = 200,
                              .bytes = 1234,
                              .duration_us = 1'234};

/// A line; they are written in batches of state.range(0), as at the end of a turn with so many requests.
void line(benchmark::State& state, LogFormat format) {
  const Silence silence;
  AccessLog log(true, format, {}, 1);
  int64_t lines = 0;
  for (auto _ : state) {
    log.write(kRecord);
    if (++lines % state.range(0) == 0) log.flush();
  }
}
BENCHMARK_CAPTURE(line, text, LogFormat::Text)->Arg(1)->Arg(16);
BENCHMARK_CAPTURE(line, json, LogFormat::Json)->Arg(1)->Arg(16);

void off(benchmark::State& state) {
  AccessLog log(false, LogFormat::Text, {}, 1);
  for (auto _ : state) {
    log.write(kRecord);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(off);

}  // namespace
}  // namespace restgate::worker
