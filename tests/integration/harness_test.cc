// The harness against itself: without the gateway in between.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include "integration/support/config_text.h"
#include "integration/support/metrics.h"
#include "integration/support/origin.h"
#include "integration/support/process.h"
#include "integration/support/websocket.h"

namespace restgate::itest {
namespace {

TEST(Harness, RequestAndResponseKeepEveryByte) {
  Origin origin;
  Stream client = Stream::connect(origin.port());
  Stream backend = origin.accept();
  client.send("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET ");
  const Message request = backend.read_request();
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.target(), "/a?b");
  EXPECT_EQ(request.body, "abc");
  EXPECT_EQ(request.raw_head, "POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
  backend.expect("GET ");
  EXPECT_TRUE(backend.quiet());
  backend.send(response(201, "done", "A: 1\r\na:  2 \r\n"));
  const Message answer = client.read_response();
  EXPECT_EQ(answer.status(), 201);
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.all("A"), (std::vector<std::string>{"1", "2"}));
  EXPECT_THROW((void)answer.field("A"), Failure);
}

TEST(Harness, ChunkedWithTrailers) {
  Origin origin;
  Stream client = Stream::connect(origin.port());
  Stream backend = origin.accept();
  const std::string coded = chunk("hello ") + "5;ext=1\r\nworld\r\n0\r\nT: v\r\n\r\n";
  backend.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n" + coded + "rest");
  const Message answer = client.read_response();
  EXPECT_EQ(answer.body, "hello world");
  EXPECT_EQ(answer.raw_body, coded);
  ASSERT_EQ(answer.trailers.size(), 1U);
  EXPECT_EQ(answer.trailers[0].first, "T");
  client.expect("rest");
  EXPECT_EQ(chunk(""), "0\r\n\r\n");
}

TEST(Harness, EndsAndResetsAreToldApart) {
  Origin origin;
  Stream client = Stream::connect(origin.port());
  Stream backend = origin.accept();
  client.finish_sending();
  backend.expect_end();
  backend.send("late");
  backend.close();
  EXPECT_EQ(client.read_to_end(), "late");

  Stream second = Stream::connect(origin.port());
  origin.accept().reset();
  EXPECT_THROW(second.read_to_end(), Failure);

  const uint16_t port = origin.port();
  EXPECT_EQ(Stream::probe(port), 0);
  origin.close();
  EXPECT_EQ(Stream::probe(port), ECONNREFUSED);
}

TEST(Harness, HandlerOriginServesAndCounts) {
  HandlerOrigin origin(always("hi"));
  Stream client = Stream::connect(origin.port());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.exchange("GET / HTTP/1.1\r\n\r\n").body, "hi");
  Stream other = Stream::connect(origin.port());
  EXPECT_EQ(other.exchange("GET /x HTTP/1.1\r\n\r\n").body, "hi");
  EXPECT_EQ(origin.connections(), 2U);
  EXPECT_EQ(origin.requests().size(), 4U);
}

TEST(Harness, WebSocketFramesOfEverySize) {
  Origin origin;
  Stream client = Stream::connect(origin.port());
  Stream backend = origin.accept();
  for (const size_t size : {0U, 125U, 126U, 65535U, 65536U}) {
    const std::string payload = pattern_bytes(size);
    client.send(ws::encode(ws::Opcode::Binary, payload, true));
    const ws::Frame frame = ws::read_frame(backend);
    EXPECT_TRUE(frame.masked);
    EXPECT_EQ(frame.payload, payload);
  }
}

TEST(Harness, MetricsAreTakenApart) {
  const Metrics metrics(
      "# HELP x y\nx 1\nrestgate_requests_total{code=\"200\",method=\"GET\",route=\"a\\\"b\"} 2\n"
      "restgate_requests_total{code=\"404\",method=\"GET\",route=\"c\"} 3e1\n");
  EXPECT_EQ(metrics.sum("x"), 1);
  EXPECT_EQ(metrics.requests("a\"b", "GET", 200), 2);
  EXPECT_EQ(metrics.sum("restgate_requests_total", {{"method", "GET"}}), 32);
  EXPECT_FALSE(metrics.has("restgate_requests_total", {{"method", "POST"}}));
  EXPECT_THROW(Metrics("x\n"), Failure);
}

TEST(Harness, ProcessOutputExitAndChildren) {
  Process process("/bin/sh", {.arguments = {"-c", "sleep 100 & echo out; echo err >&2; wait"}, .environment = {}});
  process.await_err([](const std::vector<std::string>& lines) { return lines.size() == 1; }, "line");
  EXPECT_EQ(process.err_text(), "err\n");
  EXPECT_EQ(process.children().size(), 1U);
  EXPECT_FALSE(process.ended());
  const std::vector<pid_t> children = process.children();
  process.signal(SIGKILL);
  ::kill(children.at(0), SIGKILL);
  EXPECT_EQ(process.wait_exit(), -SIGKILL);
  EXPECT_EQ(process.out_lines(), std::vector<std::string>{"out"});

  Process failing("/bin/sh", {.arguments = {"-c", "echo \"$A\"; printf partial; exit 3"}, .environment = {{"A", "b"}}});
  EXPECT_EQ(failing.wait_exit(), 3);
  EXPECT_EQ(failing.out_lines(), (std::vector<std::string>{"b", "partial"}));
}

TEST(Harness, ConfigTextIsYaml) {
  ConfigText config = catch_all("http://127.0.0.1:1");
  config.set("workers", "2").service("it's", "http://x").route("r", "GET", "/x", {{"read_timeout", "1s"}});
  const std::string yaml = config.yaml();
  EXPECT_NE(yaml.find("workers: 2\n"), std::string::npos);
  EXPECT_NE(yaml.find("  - name: 'it''s'\n    service_url: 'http://x'\n    routes:\n      - name: 'r'\n"
                      "        methods: 'GET'\n        pattern: '/x'\n        read_timeout: 1s\n"),
            std::string::npos);
}

}  // namespace
}  // namespace restgate::itest
