// Micro-benchmarks of the codec: what one message costs, and that the steady state does not allocate.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string>

#include "worker/http1/chunked.h"
#include "worker/http1/parser.h"
#include "worker/http1/writer.h"

namespace {

size_t allocations = 0;

}  // namespace

// Counts allocations for the whole program. Not inlined, lest the compiler take free() for a mismatch of new.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}

namespace restgate::http1 {
namespace {

// 12 fields, 680 bytes: what a browser sends for a page.
const std::string kBrowserRequest =
    "GET /api/v1/accounts/8d3f0a52/orders?page=2&sort=created HTTP/1.1\r\n"
    "Host: shop.example.org\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Referer: https://shop.example.org/api/v1/accounts/8d3f0a52\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=8d3f0a52c1e94b7f; theme=dark; consent=1; last=2026-11-22T18:03:11Z; cart=17,23,5\r\n"
    "\r\n";

const std::string kSmallRequest = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:7000\r\n\r\n";

const std::string kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 23 Nov 2026 02:03:04 GMT\r\n"
    "Server: origin/1.0\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 128\r\n"
    "Cache-Control: no-store\r\n"
    "ETag: \"5f3a-61b0c\"\r\n"
    "\r\n";

void count_allocations(benchmark::State& state, size_t before) {
  state.counters["allocations"] = static_cast<double>(allocations - before);
}

void parse_request(benchmark::State& state, const std::string& request) {
  RequestParser parser{Limits{}};
  (void)parser.parse(request.data(), request.data() + request.size());
  const size_t before = allocations;
  for ([[maybe_unused]] auto _ : state) {
    parser.reset();
    if (parser.parse(request.data(), request.data() + request.size()) != ParseStatus::Done) std::abort();
    benchmark::DoNotOptimize(parser.head());
  }
  count_allocations(state, before);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(request.size()));
}
BENCHMARK_CAPTURE(parse_request, browser, kBrowserRequest);
BENCHMARK_CAPTURE(parse_request, small, kSmallRequest);

// A client that sends a byte at a time must not cost more than its bytes.
void parse_request_byte_by_byte(benchmark::State& state) {
  RequestParser parser{Limits{}};
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(60'000, 'x') + "\r\n\r\n";
  for ([[maybe_unused]] auto _ : state) {
    parser.reset();
    for (size_t i = 1; i <= request.size(); ++i)
      benchmark::DoNotOptimize(parser.parse(request.data(), request.data() + i));
  }
}
BENCHMARK(parse_request_byte_by_byte)->Unit(benchmark::kMicrosecond);

// The most work that one head of 64 KiB can ask for: every Connection option is compared with every field.
void parse_worst_connection(benchmark::State& state) {
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: ";
  for (int i = 0; i < 256; ++i)
    request += std::string(59, 'a') + std::string(40, static_cast<char>('b' + i % 20)) + ",";
  request += "\r\n";
  for (int i = 0; i < 198; ++i) request += std::string(99, 'a') + ":\r\n";
  request += "\r\n";
  RequestParser parser{Limits{}};
  for ([[maybe_unused]] auto _ : state) {
    parser.reset();
    if (parser.parse(request.data(), request.data() + request.size()) != ParseStatus::Done) std::abort();
  }
}
BENCHMARK(parse_worst_connection)->Unit(benchmark::kMicrosecond);

void parse_response(benchmark::State& state) {
  ResponseParser parser{Limits{}};
  (void)parser.parse(kResponse.data(), kResponse.data() + kResponse.size());
  const size_t before = allocations;
  for ([[maybe_unused]] auto _ : state) {
    parser.reset(false);
    if (parser.parse(kResponse.data(), kResponse.data() + kResponse.size()) != ParseStatus::Done) std::abort();
    benchmark::DoNotOptimize(parser.head());
  }
  count_allocations(state, before);
}
BENCHMARK(parse_response);

// One body of 64 chunks of the given size.
void decode_chunks(benchmark::State& state) {
  const auto size = static_cast<size_t>(state.range(0));
  std::array<char, 32> line;
  std::string body;
  for (int i = 0; i < 64; ++i) {
    HeadWriter out(line.data(), line.data() + line.size());
    out.chunk_head(size);
    body.append(out.text()).append(size, 'x').append("\r\n");
  }
  body += "0\r\n\r\n";
  ChunkedDecoder decoder{Limits{}};
  const size_t before = allocations;
  for ([[maybe_unused]] auto _ : state) {
    decoder.reset();
    const char* at = body.data();
    ChunkedDecoder::Step step;
    while (step.event != ChunkedDecoder::Event::End) {
      step = decoder.step(at, body.data() + body.size());
      at += step.used;
    }
  }
  count_allocations(state, before);
  state.counters["per chunk"] = benchmark::Counter(64.0 * static_cast<double>(state.iterations()),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(decode_chunks)->Arg(16)->Arg(4096);

// The browser's request, rendered again as it would be for a backend.
void write_request(benchmark::State& state) {
  RequestParser parser{Limits{}};
  (void)parser.parse(kBrowserRequest.data(), kBrowserRequest.data() + kBrowserRequest.size());
  std::array<char, 2048> space;
  for ([[maybe_unused]] auto _ : state) {
    HeadWriter out(space.data(), space.data() + space.size());
    out.request_line(parser.head().method, parser.head().target);
    for (const Field& field : parser.head().fields)
      if (!field.hop_by_hop) out.field(field.name, field.value);
    out.crlf();
    benchmark::DoNotOptimize(space);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(write_request);

}  // namespace
}  // namespace restgate::http1
