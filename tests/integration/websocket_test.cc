// Protocol switches and the tunnel behind them (RFC 9110 §7.8, §15.2.2; RFC 6455).
#include "integration/support/websocket.h"

#include <gtest/gtest.h>

#include <future>

#include "integration/support/played.h"

namespace restgate::itest {
namespace {

using ws::Opcode;

// The handshake up to the 101 on the client's side.
Message open_tunnel(Played& played, const std::string& early_from_client = "",
                    const std::string& early_from_backend = "") {
  const Message request = played.forward(ws::handshake_request("/chat?room=1") + early_from_client);
  played.backend.send(ws::handshake_response() + early_from_backend);
  const Message answer = played.client.read_head();
  EXPECT_EQ(answer.status(), 101);
  EXPECT_TRUE(answer.lists("Connection", "Upgrade"));
  EXPECT_EQ(answer.field("Upgrade"), "websocket");
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), ws::kAccept);
  EXPECT_FALSE(answer.has("Content-Length"));
  EXPECT_FALSE(answer.has("Transfer-Encoding"));
  return request;
}

void expect_frame(Stream& stream, Opcode opcode, const std::string& payload) {
  const ws::Frame frame = ws::read_frame(stream);
  EXPECT_EQ(frame.opcode, opcode);
  EXPECT_TRUE(frame.payload == payload);
}

// Ends it from both sides; then the gateway has nothing to wait for.
void end_tunnel(Played& played) {
  played.client.close();
  played.backend.expect_end();
  played.backend.close();
  played.gateway.stop();
}

TEST(WebSocket, HandshakeAndFramesBothWays) {
  Played played;
  const Message request = open_tunnel(played);
  EXPECT_EQ(request.target(), "/chat?room=1");
  EXPECT_TRUE(request.lists("Connection", "Upgrade"));
  EXPECT_EQ(request.field("Upgrade"), "websocket");
  EXPECT_EQ(request.field("Sec-WebSocket-Key"), ws::kKey);
  EXPECT_EQ(request.field("Sec-WebSocket-Version"), "13");
  for (int i = 0; i < 20; ++i) {
    const std::string text = "message " + std::to_string(i);
    played.client.send(ws::encode(Opcode::Text, text, true));
    expect_frame(played.backend, Opcode::Text, text);
    played.backend.send(ws::encode(Opcode::Text, text + "!", false));
    expect_frame(played.client, Opcode::Text, text + "!");
  }
  played.client.send(ws::encode(Opcode::Close, "\x03\xe8", true));
  expect_frame(played.backend, Opcode::Close, "\x03\xe8");
  played.backend.send(ws::encode(Opcode::Close, "\x03\xe8", false));
  expect_frame(played.client, Opcode::Close, "\x03\xe8");
  played.backend.close();
  played.client.expect_end();
  played.client.close();
  played.gateway.expect_requests("all", "GET", 101, 1);
  played.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_tunnels") == 0; }, "no open tunnel");
  played.gateway.stop();
}

TEST(WebSocket, EarlyBytesOfBothSidesArrive) {
  Played played;
  open_tunnel(played, ws::encode(Opcode::Text, "early client", true), ws::encode(Opcode::Text, "early backend", false));
  expect_frame(played.client, Opcode::Text, "early backend");
  expect_frame(played.backend, Opcode::Text, "early client");
  end_tunnel(played);
}

TEST(WebSocket, LargeFramesBothWaysAtOnce) {
  Played played;
  open_tunnel(played);
  const std::string up = pattern_bytes(size_t{4} << 20, 5);
  const std::string down = pattern_bytes(size_t{5} << 20, 6);
  auto client_sends = std::async(std::launch::async, [&] { played.client.send(ws::encode(Opcode::Binary, up, true)); });
  auto backend_sends =
      std::async(std::launch::async, [&] { played.backend.send(ws::encode(Opcode::Binary, down, false)); });
  auto client_reads = std::async(std::launch::async, [&] { expect_frame(played.client, Opcode::Binary, down); });
  expect_frame(played.backend, Opcode::Binary, up);
  client_reads.get();
  client_sends.get();
  backend_sends.get();
  end_tunnel(played);
}

TEST(WebSocket, HalfCloseByTheClientLeavesTheOtherDirection) {
  Played played;
  open_tunnel(played);
  played.client.send("last words");
  played.client.finish_sending();
  EXPECT_EQ(played.backend.read_to_end(), "last words");
  played.backend.send("still here");
  played.client.expect("still here");
  played.backend.send(", and gone");
  played.backend.close();
  EXPECT_EQ(played.client.read_to_end(), ", and gone");
  played.gateway.stop();
}

TEST(WebSocket, HalfCloseByTheBackendLeavesTheOtherDirection) {
  Played played;
  open_tunnel(played);
  played.backend.send("done");
  played.backend.finish_sending();
  EXPECT_EQ(played.client.read_to_end(), "done");
  played.client.send("but I am not");
  played.backend.expect("but I am not");
  played.client.close();
  played.backend.expect_end();
  played.gateway.stop();
}

TEST(WebSocket, ResetOnOneSideEndsTheOther) {
  Played played;
  open_tunnel(played);
  played.client.reset();
  played.backend.read_until_gone();
  open_tunnel(played);
  played.backend.reset();
  played.client.read_until_gone();
  played.gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_tunnels") == 0; }, "no open tunnel");
  played.gateway.stop();
}

TEST(WebSocket, ResetBehindTheLastBytesEndsTheOther) {
  Played played;
  for (const bool of_client : {true, false}) {
    open_tunnel(played);
    Stream& first = of_client ? played.client : played.backend;
    Stream& other = of_client ? played.backend : played.client;
    first.send("a");
    other.expect("a");
    {
      const Paused worker(played.gateway.workers().at(0));
      first.send("last");
      first.reset();
    }
    EXPECT_EQ(other.read_until_gone(), "last");
  }
  played.gateway.stop();
}

TEST(WebSocket, TunnelOutlivesIdleAndHeadTimeouts) {
  Played played({.settings = {{"idle_timeout", "50ms"},
                              {"read_header_timeout", "50ms"},
                              {"read_timeout", "50ms"},
                              {"write_timeout", "50ms"},
                              {"response_header_timeout", "5s"}}});
  open_tunnel(played);
  // Another connection is closed for being idle: more than idle_timeout has gone by.
  Stream idle = played.gateway.connect();
  idle.expect_end();
  played.client.send("a");
  played.backend.expect("a");
  Stream idle_again = played.gateway.connect();
  idle_again.expect_end();
  played.backend.send("b");
  played.client.expect("b");
  end_tunnel(played);
}

TEST(WebSocket, TunnelIdleTimeoutEndsASilentOne) {
  Played played({.settings = {{"tunnel_idle_timeout", "150ms"}}});
  open_tunnel(played);
  played.client.read_until_gone();
  played.backend.read_until_gone();
  played.gateway.stop();
}

TEST(WebSocket, RefusedUpgradeIsAnOrdinaryResponse) {
  Played played;
  played.forward(ws::handshake_request("/chat"));
  played.backend.send(response(403, "no"));
  const Message answer = played.client.read_response();
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(answer.body, "no");
  EXPECT_EQ(played.pass_on_same(request_head("GET", "/next"), response(200, "next")).response.body, "next");
  played.gateway.expect_requests("all", "GET", 403, 1);
  played.gateway.expect_requests("all", "GET", 200, 1);
  played.gateway.stop();
}

struct SwitchCase {
  std::string name;
  std::string request;
  std::string answer;
};

class BadSwitch : public testing::TestWithParam<SwitchCase> {};

TEST_P(BadSwitch, Gives502) {
  Played played;
  played.forward(GetParam().request);
  played.backend.send(GetParam().answer + "bytes of another protocol");
  EXPECT_EQ(played.client.read_response().status(), 502);
  played.backend.read_until_gone();
  played.gateway.expect_errors("all", "backend_bad_upgrade", 1);
  played.gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    WebSocket, BadSwitch,
    testing::Values(SwitchCase{"not_asked", request_head("GET", "/"), ws::handshake_response()},
                    SwitchCase{"upgrade_without_connection", request_head("GET", "/", "Upgrade: websocket\r\n"),
                               ws::handshake_response()},
                    SwitchCase{"connection_without_upgrade", request_head("GET", "/", "Connection: Upgrade\r\n"),
                               ws::handshake_response()},
                    SwitchCase{"http10",
                               "GET / HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                               ws::handshake_response()},
                    SwitchCase{"other_protocol", ws::handshake_request("/"),
                               "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"},
                    SwitchCase{"answer_without_upgrade", ws::handshake_request("/"),
                               "HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n"}),
    [](const testing::TestParamInfo<SwitchCase>& row) { return row.param.name; });

}  // namespace
}  // namespace restgate::itest
