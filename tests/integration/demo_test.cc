// `restgate demo`: the gateway before its built-in origin.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "integration/support/gateway.h"
#include "integration/support/origin.h"
#include "integration/support/played.h"
#include "integration/support/websocket.h"

namespace restgate::itest {
namespace {

class Demo : public testing::Test {
 protected:
  void SetUp() override {
    const bool greeted = eventually([&] {
      for (const std::string& line : process_.out_lines()) {
        std::smatch match;
        if (!std::regex_search(line, match, std::regex(R"(http://127\.0\.0\.1:(\d+))"))) continue;
        const auto port = static_cast<uint16_t>(std::stoi(match[1]));
        if (port_ == 0) {
          port_ = port;
        } else if (port != port_ && admin_port_ == 0) {
          admin_port_ = port;
        }
      }
      return admin_port_ != 0 || process_.ended();
    });
    ASSERT_TRUE(greeted && admin_port_ != 0) << process_.err_text();
  }

  void TearDown() override {
    if (process_.ended()) return;
    process_.signal(SIGTERM);
    EXPECT_EQ(process_.wait_exit(), 0) << process_.err_text();
  }

  Process process_{gateway_binary(), {.arguments = {"demo", "-port", "0", "-admin-port", "0"}, .environment = {}}};
  uint16_t port_ = 0;
  uint16_t admin_port_ = 0;
};

TEST_F(Demo, EchoShowsTheRequestAsTheServiceGotIt) {
  Stream client = Stream::connect(port_);
  const Message hello = client.exchange(request_head("GET", "/hello/world?x=y", "X-Mine: yes\r\n"));
  ASSERT_EQ(hello.status(), 200);
  const Json echo = Json::parse(hello.body);
  EXPECT_EQ(echo.at("method"), "GET");
  EXPECT_EQ(echo.at("path"), "/hello/world");
  EXPECT_EQ(echo.at("query"), "x=y");
  EXPECT_EQ(echo.at("headers").at("X-Mine"), "yes");
  EXPECT_EQ(echo.at("headers").at("X-Forwarded-For"), "127.0.0.1");
  const Message order = client.exchange(request_head("POST", "/orders", "Content-Length: 11\r\n") + "two coffees");
  ASSERT_EQ(order.status(), 200);
  const Json posted = Json::parse(order.body);
  EXPECT_EQ(posted.at("path"), "/shop/v1/orders");
  EXPECT_EQ(posted.at("query"), "tenant=demo");
  EXPECT_EQ(posted.at("body"), "two coffees");
}

TEST_F(Demo, RoutesAsTheGreetingPromises) {
  Stream client = Stream::connect(port_);
  EXPECT_EQ(client.exchange(request_head("GET", "/orders/42")).status(), 200);
  EXPECT_EQ(client.exchange(request_head("GET", "/orders/forty-two")).status(), 404);
  EXPECT_EQ(client.exchange(request_head("DELETE", "/hello/world")).status(), 405);
  EXPECT_EQ(client.exchange(request_head("GET", "/broken")).status(), 502);
  EXPECT_EQ(client.exchange(request_head("GET", "/slow?ms=1")).status(), 200);
  Stream streaming = Stream::connect(port_);
  EXPECT_EQ(streaming.exchange(request_head("GET", "/stream?mb=3")).body.size(), size_t{3} << 20);
}

TEST_F(Demo, ServerSentEvents) {
  Stream client = Stream::connect(port_);
  client.send(request_head("GET", "/events?every_ms=1&count=3"));
  const Message answer = client.read_response();
  EXPECT_TRUE(answer.field("Content-Type")->starts_with("text/event-stream"));
  for (const char* id : {"id: 1\n", "id: 2\n", "id: 3\n"})
    EXPECT_NE(answer.body.find(id), std::string::npos) << answer.body;
}

TEST_F(Demo, WebSocketEcho) {
  Stream client = Stream::connect(port_);
  client.send(ws::handshake_request("/ws") + ws::encode(ws::Opcode::Text, "early", true));
  const Message answer = client.read_head();
  ASSERT_EQ(answer.status(), 101) << answer.raw_head;
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), ws::kAccept);
  EXPECT_EQ(ws::read_frame(client).payload, "early");
  const std::string large = pattern_bytes(100'000);
  client.send(ws::encode(ws::Opcode::Binary, large, true));
  EXPECT_TRUE(ws::read_frame(client).payload == large);
  client.send(ws::encode(ws::Opcode::Ping, "p", true));
  const ws::Frame pong = ws::read_frame(client);
  EXPECT_EQ(pong.opcode, ws::Opcode::Pong);
  EXPECT_EQ(pong.payload, "p");
  client.send(ws::encode(ws::Opcode::Close, "\x03\xe8", true));
  EXPECT_EQ(ws::read_frame(client).opcode, ws::Opcode::Close);
  client.read_until_gone();
}

TEST_F(Demo, AdminSideAndReload) {
  Stream admin = Stream::connect(admin_port_);
  EXPECT_EQ(admin.exchange(request_head("GET", "/readyz")).status(), 200);
  process_.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    Stream scrape = Stream::connect(admin_port_);
    const Message answer = scrape.exchange(request_head("GET", "/metrics", "Connection: close\r\n"));
    return Metrics(answer.body).sum("restgate_reloads_total", {{"result", "success"}}) == 1;
  })) << process_.err_text();
  Stream client = Stream::connect(port_);
  EXPECT_EQ(client.exchange(request_head("GET", "/hello/again")).status(), 200);
}

TEST(DemoCommand, TakenPortIsNamedWithTheFlagThatHelps) {
  const Origin taken;
  const std::string port = std::to_string(taken.port());
  const Finished run = run_gateway({.arguments = {"demo", "-port", port, "-admin-port", "0"}, .environment = {}});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find(port), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("-port"), std::string::npos) << run.err;
}

TEST(DemoCommand, PrintedConfigurationIsGood) {
  const Finished printed = run_gateway({.arguments = {"demo", "-print-config"}, .environment = {}});
  EXPECT_EQ(printed.exit_code, 0);
  TempDir directory;
  const Finished checked =
      run_gateway({.arguments = {"-t", "-config", directory.write("demo.yaml", printed.out)}, .environment = {}});
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
}

}  // namespace
}  // namespace restgate::itest
