// Head rewriting: what a request's and a response's head cost on their way through, parsed before.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <string>

#include "worker/forwarding.h"
#include "worker/http1/parser.h"

namespace restgate::worker {
namespace {

const std::string kSmallRequest =
    "GET /bytes/128 HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";

const std::string kBrowserRequest =
    "GET /api/v1/accounts/8d3f0a52/orders?page=2&sort=created HTTP/1.1\r\n"
    "Host: shop.example.org\r\n"
    "Connection: keep-alive\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    "Referer: https://shop.example.org/api/v1/accounts/8d3f0a52\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=8d3f0a52c1e94b7f; theme=dark; consent=1; last=2026-11-22T18:03:11Z; cart=17,23,5\r\n"
    "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n"
    "\r\n";

const std::string kPost =
    "POST /orders HTTP/1.1\r\nHost: shop.example.org\r\nContent-Type: application/json\r\nContent-Length: 512\r\n\r\n";

void request_head(benchmark::State& state, const std::string& text) {
  config::Config config;
  config::Service service;
  service.url.authority = "orders.internal:8080";
  service.url.base_path = "/v2";
  http1::RequestParser parser{http1::Limits{}};
  if (parser.parse(text.data(), text.data() + text.size()) != http1::ParseStatus::Done) std::abort();
  std::array<char, 4096> space{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(render_request_head(space, {config, service, parser.head(), "192.0.2.7"}));
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(request_head, small, kSmallRequest);
BENCHMARK_CAPTURE(request_head, browser, kBrowserRequest);
BENCHMARK_CAPTURE(request_head, post, kPost);

const std::string kSmallResponse =
    "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: application/octet-stream\r\nContent-Length: 128\r\n\r\n";

const std::string kPageResponse =
    "HTTP/1.1 200 OK\r\n"
    "Date: Mon, 23 Nov 2026 02:03:04 GMT\r\n"
    "Server: origin/1.0\r\n"
    "Content-Type: application/json; charset=utf-8\r\n"
    "Content-Length: 1234\r\n"
    "Cache-Control: private, max-age=0, must-revalidate\r\n"
    "ETag: \"8d3f0a52c1e94b7f\"\r\n"
    "Vary: Accept-Encoding, Origin\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"
    "X-Request-Id: 0190b5a2-7c3e-7d4f-8a61-2f5b9c0d1e3a\r\n"
    "Set-Cookie: session=8d3f0a52c1e94b7f; Path=/; HttpOnly; Secure; SameSite=Lax\r\n"
    "\r\n";

void response_head(benchmark::State& state, const std::string& text) {
  config::Config config;
  http1::ResponseParser parser{http1::Limits{}};
  parser.reset(false);
  if (parser.parse(text.data(), text.data() + text.size()) != http1::ParseStatus::Done) std::abort();
  std::array<char, 4096> space{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(render_response_head(space, {config, parser.head()}));
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(response_head, small, kSmallResponse);
BENCHMARK_CAPTURE(response_head, page, kPageResponse);

}  // namespace
}  // namespace restgate::worker
