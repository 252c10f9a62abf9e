// Bodies that are long enough to stay in the kernel on their way (splice): the same bytes, ends and counts as of
// others.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

using Json = nlohmann::json;

constexpr size_t kLong = size_t{3} << 20;

std::string put(std::string_view body) {
  return request_head("PUT", "/", "Content-Length: " + std::to_string(body.size()) + "\r\n") + std::string(body);
}

/// Descriptors of pipes; a worker keeps some of those that it has used.
size_t pipes_of(pid_t process) {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry, gone).string().starts_with("pipe:")) ++count;
  }
  return count;
}

TEST(LongBodies, BothWaysAgainAndAgain) {
  const std::string body = pattern_bytes(kLong);
  HandlerOrigin origin([](const Message& request) { return response(200, request.body); });
  Gateway gateway(catch_all(origin.url()));
  Stream client = gateway.connect();
  client.send(put("short"));
  EXPECT_EQ(client.read_response().body, "short");
  const size_t pipes = pipes_of(gateway.workers().at(0));
  constexpr int kTimes = 20;
  for (int i = 0; i < kTimes; ++i) {
    client.send(put(body));
    const Message answer = client.read_response();
    ASSERT_EQ(answer.status(), 200);
    ASSERT_TRUE(answer.body == body) << "exchange " << i;
  }
  EXPECT_TRUE(client.quiet());
  EXPECT_GT(pipes_of(gateway.workers().at(0)), pipes) << "nothing was spliced";
  EXPECT_EQ(origin.requests().size(), size_t{kTimes} + 1);
  const Metrics metrics = gateway.metrics();
  EXPECT_GT(metrics.sum("restgate_request_bytes_total"), static_cast<double>(kTimes * kLong));
  EXPECT_LT(metrics.sum("restgate_request_bytes_total"), static_cast<double>(kTimes * (kLong + 1000)));
  EXPECT_GT(metrics.sum("restgate_response_bytes_total"), static_cast<double>(kTimes * kLong));
  EXPECT_LT(metrics.sum("restgate_response_bytes_total"), static_cast<double>(kTimes * (kLong + 1000)));
  EXPECT_LT(gateway.await_access().at("bytes"), kLong) << "the short one";
  for (int i = 0; i < kTimes; ++i) {
    const Json access = gateway.await_access();
    EXPECT_GT(access.at("bytes_in"), kLong);
    EXPECT_GT(access.at("bytes"), kLong);
  }
  gateway.stop();
}

// An exchange uses up its share of a turn and goes on in the next: the answer after it is not taken for bytes that
// nobody asked for, so that its request is sent again.
TEST(LongBodies, NoRequestIsSentTwice) {
  const std::string body = pattern_bytes(kLong);
  HandlerOrigin origin(always(body));
  Gateway gateway(catch_all(origin.url()));
  std::vector<Stream> clients(8);
  for (Stream& client : clients) client = gateway.connect();
  constexpr size_t kTimes = 10;
  for (size_t i = 0; i < kTimes; ++i) {
    for (Stream& client : clients) client.send(request_head("GET", "/"));
    for (Stream& client : clients) ASSERT_TRUE(client.read_response().body == body);
  }
  EXPECT_EQ(origin.requests().size(), kTimes * clients.size());
  EXPECT_LE(origin.connections(), clients.size());
  gateway.stop();
}

// More of them than there are pipes, all stuck at once: those that got none are copied.
TEST(LongBodies, MoreThanThereArePipes) {
  const std::string body = pattern_bytes(kLong);
  HandlerOrigin origin(always(body));
  Gateway gateway(catch_all(origin.url()));
  std::vector<Stream> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(gateway.connect(16 * 1024));
    clients.back().send(request_head("GET", "/"));
  }
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_requests_in_flight") == 100; }, "all of them");
  for (Stream& client : clients) EXPECT_TRUE(client.read_response().body == body);
  EXPECT_EQ(origin.requests().size(), clients.size());
  gateway.stop();
}

class CutLongBody : public testing::TestWithParam<bool> {};

// What comes before the end of the backend, or its reset, goes on; then the client is told, as of a short body.
TEST_P(CutLongBody, OfAnAnswer) {
  Played played;
  const std::string half = pattern_bytes(kLong / 2);
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLong) + "\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  played.backend.send(half);
  EXPECT_TRUE(played.client.read_exactly(half.size()) == half);
  GetParam() ? played.backend.reset() : played.backend.close();
  EXPECT_EQ(played.client.read_until_gone(), "");
  EXPECT_EQ(played.gateway.await_access().at("reason"), "backend_body_cut");
  played.gateway.expect_errors("all", "backend_body_cut", 1);
  played.gateway.stop();
}

TEST_P(CutLongBody, OfARequest) {
  Played played;
  const std::string half = pattern_bytes(kLong / 2);
  played.client = played.gateway.connect();
  played.client.send(request_head("PUT", "/", "Content-Length: " + std::to_string(kLong) + "\r\n"));
  played.await_backend();
  EXPECT_EQ(played.backend.read_head().method(), "PUT");
  played.client.send(half);
  EXPECT_TRUE(played.backend.read_exactly(half.size()) == half);
  GetParam() ? played.client.reset() : played.client.close();
  EXPECT_EQ(played.backend.read_until_gone(), "");
  EXPECT_EQ(played.gateway.await_access().at("reason"), GetParam() ? "client_reset" : "client_closed");
  played.gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(Ends, CutLongBody, testing::Bool(),
                         [](const auto& end) { return end.param ? std::string("Reset") : std::string("Close"); });

// The client goes while bytes wait for it in a pipe: they are not the next one's.
TEST(LongBodies, OfAClientThatGoes) {
  Played played;
  const std::string body = pattern_bytes(kLong);
  for (int i = 0; i < 3; ++i) {
    played.client = played.gateway.connect(16 * 1024);
    played.client.send(request_head("GET", "/"));
    played.await_backend();
    played.backend.read_request();
    played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    while (played.backend.writable_within(std::chrono::milliseconds(100))) played.backend.send_some(body);
    played.client.reset();
    EXPECT_EQ(played.gateway.await_access().at("reason"), "client_reset");
    played.backend.read_until_gone();
  }
  const auto whole = played.pass(request_head("GET", "/"), response(200, body));
  EXPECT_TRUE(whole.response.body == body);
  played.gateway.stop();
}

// An answer that ends the upload early, and one behind it on the same connection to the backend.
TEST(LongBodies, AnAnswerBeforeTheRequestIsThrough) {
  Played played;
  const std::string half = pattern_bytes(kLong / 2);
  played.client = played.gateway.connect();
  played.client.send(request_head("PUT", "/", "Content-Length: " + std::to_string(kLong) + "\r\n") + half);
  played.await_backend();
  EXPECT_EQ(played.backend.read_head().method(), "PUT");
  EXPECT_TRUE(played.backend.read_exactly(half.size()) == half);
  played.backend.send(response(413, "enough"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 413);
  EXPECT_EQ(answer.body, "enough");
  EXPECT_TRUE(answer.lists("Connection", "close"));
  played.gateway.stop();
}

// splice() does not go past urgent data; the body goes on behind it, without that byte (RFC 9293 §3.8.5).
TEST(LongBodies, WithUrgentDataInThem) {
  Played played;
  const std::string half = pattern_bytes(kLong / 2);
  played.forward(request_head("GET", "/"));
  played.backend.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(2 * half.size()) + "\r\n\r\n");
  EXPECT_EQ(played.client.read_head().status(), 200);
  played.backend.send(half);
  EXPECT_TRUE(played.client.read_exactly(half.size()) == half);
  ASSERT_EQ(::send(played.backend.fd(), "!", 1, MSG_OOB), 1);
  played.backend.send(half);
  EXPECT_TRUE(played.client.read_exactly(half.size()) == half);
  EXPECT_EQ(played.gateway.await_access().at("status"), 200);
  played.gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
