// bench_load: the benchmark's client: a fixed number of exchanges, measured. One process, one thread.
//
//   bench_load --port N [--kind http|websocket|events] [--connections N] [--count N] [--rate N] [--pipeline N]
//              [--reconnect 1] [--path P | --paths FILE] [--fields FILE] [--body BYTES] [--status N]
//              [--timeout SECONDS]
//
// --body: POST with so many bytes; WebSocket: size of a message. --paths: one a line, taken at random. --fields: header
// field lines that each request has besides its own few. --status: what every response has to have (200).
// It opens its connections, gets one answer on each, prints "ready" and waits for a line on standard input; then it
// runs the exchanges and prints what it measured (JSON); then it keeps its connections until standard input ends. So
// whoever starts it can look at the proxy's counters in between. With --count 0 it just holds its connections.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

#include "bench/tools/load.h"
#include "common/platform/process.h"

namespace restgate::bench {
namespace {

ReplyReader::Kind kind_of(const std::string& name) {
  if (name == "http") return ReplyReader::Kind::Http;
  if (name == "websocket") return ReplyReader::Kind::WebSocket;
  if (name == "events") return ReplyReader::Kind::Events;
  fail("--kind is http, websocket or events");
}

/// Lines, as a message has them.
std::string read_fields(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) fail("cannot read " + file);
  std::string fields;
  for (std::string line; std::getline(lines, line);) fields += line + "\r\n";
  return fields;
}

std::string request(const std::string& path, const LoadOptions& options, uint64_t body, const std::string& fields) {
  const bool post = options.kind == ReplyReader::Kind::Http && body > 0;
  std::string text =
      (post ? "POST " : "GET ") + path + " HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench_load\r\nAccept: */*\r\n";
  if (post) text += "Content-Length: " + std::to_string(body) + "\r\n";
  if (options.reconnect) text += "Connection: close\r\n";
  if (options.kind == ReplyReader::Kind::WebSocket)
    text +=
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  text += fields + "\r\n";
  if (post) text.append(body, 'x');
  return text;
}

/// A binary WebSocket message in one frame, masked (RFC 6455 §5.3) with zeros: all keys cost a proxy the same.
std::string frame(uint64_t size) {
  if (size > 0xFFFF) fail("--body: WebSocket messages have at most 65535 bytes");
  std::string text = "\x82";
  if (size < 126) {
    text += static_cast<char>(0x80 | size);
  } else {
    text += static_cast<char>(0x80 | 126);
    text += static_cast<char>(size >> 8);
    text += static_cast<char>(size & 0xFF);
  }
  return text.append(4, '\0').append(size, 'x');
}

LoadOptions read_options(Flags& flags) {
  LoadOptions options;
  options.target = loopback(flags.number("port", 0));
  options.kind = kind_of(flags.text("kind", "http"));
  options.connections = flags.number("connections", 1);
  options.count = flags.number("count", 0);
  options.rate = flags.number("rate", 0);
  options.pipeline = flags.number("pipeline", 1);
  options.reconnect = flags.number("reconnect", 0) != 0;
  options.timeout_ns = static_cast<int64_t>(flags.number("timeout", 60)) * 1'000'000'000;
  options.status = static_cast<unsigned>(flags.number("status", 200));
  const uint64_t body = flags.number("body", 0);
  const std::string path = flags.text("path", "/bytes/128");
  const std::string paths = flags.text("paths");
  const std::string file = flags.text("fields");
  flags.done();
  const std::string fields = file.empty() ? "" : read_fields(file);
  if (paths.empty()) options.requests.push_back(request(path, options, body, fields));
  std::ifstream lines(paths);
  for (std::string line; !paths.empty() && std::getline(lines, line);)
    options.requests.push_back(request(line, options, body, fields));
  if (options.requests.empty()) fail("no path in " + paths);
  if (options.kind == ReplyReader::Kind::WebSocket) options.message = frame(body);
  return options;
}

void say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

}  // namespace
}  // namespace restgate::bench

int main(int argc, char** argv) {
  using namespace restgate;
  platform::ignore_sigpipe();
  platform::raise_nofile_limit();
  bench::Flags flags(argc, argv);
  bench::Load load(bench::read_options(flags));
  load.set_up();
  bench::say("ready");
  std::string line;
  if (!std::getline(std::cin, line)) return 1;
  load.run();
  bench::say(load.report());
  while (std::getline(std::cin, line)) {
  }
}
