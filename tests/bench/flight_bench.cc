// Flight recorder: what recording one exchange costs a worker. Budget: well under 100 ns.
#include <benchmark/benchmark.h>

#include <string_view>
#include <vector>

#include "common/flight/block.h"
#include "worker/flight_head.h"
#include "worker/http1/parser.h"

namespace restgate {
namespace {

constexpr std::string_view kSmall = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:7000\r\n\r\n";
constexpr std::string_view kBrowser =
    "GET /api/v1/accounts/8d3f0a52/orders?page=2&sort=created HTTP/1.1\r\n"
    "Host: shop.example.org\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Referer: https://shop.example.org/api/v1/accounts/8d3f0a52\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=8d3f0a52c1e94b7f; theme=dark; consent=1; cart=17,23,5\r\n"
    "\r\n";

/// All that an exchange does to the recorder from the first byte to its end, while `range(0)` others are in flight.
void exchange(benchmark::State& state, std::string_view request) {
  const flight::Block block = flight::Block::create().value();
  flight::Writer writer = block.writer();
  http1::RequestParser parser{http1::Limits{}};
  if (parser.parse(request.data(), request.data() + request.size()) != http1::ParseStatus::Done)
    return state.SkipWithError("not a request");
  std::vector<flight::Writer::Ticket> others;
  for (int64_t i = 0; i < state.range(0); ++i)
    others.push_back(writer.begin(worker::flight_head(parser.head(), "192.0.2.17"), 1));
  int64_t now_us = 1'000'000;
  for (auto _ : state) {
    ++now_us;
    writer.reading_head("192.0.2.17", now_us);
    const auto ticket = writer.begin(worker::flight_head(parser.head(), "192.0.2.17"), now_us);
    writer.route(ticket, 3, 1);
    writer.phase(ticket, flight::Phase::AwaitingBackend);
    writer.phase(ticket, flight::Phase::SendingRequest);
    writer.phase(ticket, flight::Phase::AwaitingAnswer);
    writer.rest();
    writer.touch(ticket, now_us + 1);
    writer.phase(ticket, flight::Phase::Streaming);
    writer.end(ticket);
    writer.rest();
    benchmark::ClobberMemory();
  }
}

void BM_SmallExchange(benchmark::State& state) {
  exchange(state, kSmall);
}
BENCHMARK(BM_SmallExchange)->Arg(0)->Arg(64)->Arg(1000);

void BM_BrowserExchange(benchmark::State& state) {
  exchange(state, kBrowser);
}
BENCHMARK(BM_BrowserExchange)->Arg(0)->Arg(64)->Arg(1000);

/// What the master pays when a worker has died.
void BM_Snapshot(benchmark::State& state) {
  const flight::Block block = flight::Block::create().value();
  flight::Writer writer = block.writer();
  flight::Head head;
  head.method = "GET";
  head.path = "/api/v1/accounts/8d3f0a52/orders";
  for (int64_t i = 0; i < state.range(0); ++i) benchmark::DoNotOptimize(writer.begin(head, i));
  for (auto _ : state) benchmark::DoNotOptimize(block.snapshot());
}
BENCHMARK(BM_Snapshot)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace restgate
