// A slow peer stops the other side; memory stays bounded (DESIGN §4).
#include <gtest/gtest.h>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

constexpr size_t kOffered = size_t{200} << 20;
// What may be on its way: the kernel's socket buffers on both sides and the gateway's own.
constexpr size_t kInFlightBound = size_t{64} << 20;

// Sends until the gateway has taken nothing for a good while, or all is sent; returns how much it took.
size_t send_until_stuck(Stream& stream, size_t offered) {
  const std::string block = pattern_bytes(size_t{1} << 20);
  size_t sent = 0;
  while (sent < offered && stream.writable_within(std::chrono::milliseconds(700)))
    sent += stream.send_some(std::string_view(block).substr(sent % block.size()));
  return sent;
}

std::string take_pattern(Stream& stream, size_t size) {
  std::string error;
  const std::string block = pattern_bytes(size_t{1} << 20);
  for (size_t at = 0; at < size && error.empty();) {
    const size_t piece = std::min(block.size() - at % block.size(), size - at);
    if (stream.read_exactly(piece) != std::string_view(block).substr(at % block.size(), piece))
      error = "bytes differ near " + std::to_string(at);
    at += piece;
  }
  return error;
}

TEST(BackPressure, ClientThatDoesNotRead) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  // One small exchange first: what the worker needs once is not the stream's.
  played.pass(request_head("GET", "/"), response(200, "ok"));
  const size_t before = anonymous_memory(worker);

  played.client = played.gateway.connect(64 * 1024);
  played.client.send(request_head("GET", "/big"));
  played.await_backend();
  played.backend.read_request();
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kOffered) + "\r\n\r\n");
  const size_t sent = send_until_stuck(played.backend, kOffered);
  EXPECT_LT(sent, kInFlightBound);
  EXPECT_LT(anonymous_memory(worker), before + memory_bound());

  // Others are served meanwhile.
  Stream other = played.gateway.connect();
  other.send(request_head("GET", "/other"));
  Stream other_backend = played.origin.accept();
  other_backend.read_request();
  other_backend.send(response(200, "ok"));
  EXPECT_EQ(other.read_response().body, "ok");

  // Nothing of what was taken is lost.
  EXPECT_EQ(played.client.read_head().status(), 200);
  EXPECT_EQ(take_pattern(played.client, sent), "");
  played.client.reset();
  played.backend.read_until_gone();
  played.gateway.stop();
}

TEST(BackPressure, BackendThatDoesNotRead) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  played.pass(request_head("GET", "/"), response(200, "ok"));
  const size_t before = anonymous_memory(worker);

  played.client = played.gateway.connect();
  played.client.send(request_head("PUT", "/big", "Content-Length: " + std::to_string(kOffered) + "\r\n"));
  played.await_backend();
  const size_t sent = send_until_stuck(played.client, kOffered);
  EXPECT_LT(sent, kInFlightBound);
  EXPECT_LT(anonymous_memory(worker), before + memory_bound());

  EXPECT_EQ(played.backend.read_head().method(), "PUT");
  EXPECT_EQ(take_pattern(played.backend, sent), "");
  played.client.reset();
  played.backend.read_until_gone();
  played.gateway.stop();
}

TEST(BackPressure, PipelinedFloodWhileTheBackendThinks) {
  Played played;
  const pid_t worker = played.gateway.workers().at(0);
  played.pass(request_head("GET", "/"), response(200, "ok"));
  const size_t before = anonymous_memory(worker);
  const std::string request = request_head("GET", "/x", "X: " + std::string(2000, 'x') + "\r\n");
  played.forward(request);
  size_t sent = 0;
  while (sent < kOffered && played.client.writable_within(std::chrono::milliseconds(500)))
    sent += played.client.send_some(std::string_view(request).substr(sent % request.size()));
  EXPECT_LT(sent, kInFlightBound);
  EXPECT_LT(anonymous_memory(worker), before + memory_bound());
  EXPECT_TRUE(played.backend.quiet());
  played.client.reset();
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
