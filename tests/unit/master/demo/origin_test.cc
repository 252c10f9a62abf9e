// The demo's origin, spoken to over plain sockets.
#include "master/demo/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>
#include <string>

#include "common/unique_fd.h"

namespace restgate::demo {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class Client {
 public:
  explicit Client(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval patience = {30, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  void send(const std::string& bytes) {
    EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// Everything up to and including `mark`; what was read beyond it is kept for the next call.
  std::string read_until(const std::string& mark) {
    while (input_.find(mark) == std::string::npos && fill()) {
    }
    return take(std::min(input_.find(mark), input_.size()) + mark.size());
  }
  std::string read_bytes(size_t count) {
    while (input_.size() < count && fill()) {
    }
    return take(count);
  }
  /// Reads to the end of the connection and returns how much there was.
  size_t read_to_end() {
    size_t count = input_.size();
    input_.clear();
    while (fill()) {
      count += input_.size();
      input_.clear();
    }
    return count;
  }
  /// Sends a request with the usual fields and returns the body of its answer, which has a Content-Length.
  std::string exchange(const std::string& request_line, const std::string& fields = "", const std::string& body = "") {
    send(request_line + " HTTP/1.1\r\nHost: demo\r\n" + fields + "\r\n" + body);
    head_ = read_until("\r\n\r\n");
    const size_t at = head_.find("Content-Length: ");
    return at == std::string::npos ? "" : read_bytes(std::stoul(head_.substr(at + 16)));
  }
  [[nodiscard]] const std::string& head() const { return head_; }

 private:
  bool fill() {
    char block[16384];
    const ssize_t size = ::recv(fd_.get(), block, sizeof block, 0);
    if (size > 0) input_.append(block, static_cast<size_t>(size));
    return size > 0;
  }
  std::string take(size_t count) {
    std::string taken = input_.substr(0, count);
    input_.erase(0, count);
    return taken;
  }

  UniqueFd fd_;
  std::string input_;
  std::string head_;
};

class OriginTest : public testing::Test {
 protected:
  OriginTest() : origin_(Origin::start()) {}
  [[nodiscard]] uint16_t port() const { return origin_->port(); }

  Result<Origin> origin_;
};

TEST_F(OriginTest, EchoesARequestAsJson) {
  Client client(port());
  const json answer = json::parse(client.exchange("POST /orders/4%2F2?a=b&c",
                                                  "X-One: 1\r\nX-Two: 2\r\nX-Two: 3\r\n"
                                                  "Content-Type: application/x-www-form-urlencoded\r\n"
                                                  "Content-Length: 7\r\n",
                                                  "coffee="));
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(answer["method"], "POST");
  EXPECT_EQ(answer["path"], "/orders/4%2F2");
  EXPECT_EQ(answer["query"], "a=b&c");
  EXPECT_EQ(answer["headers"]["X-One"], "1");
  EXPECT_EQ(answer["headers"]["X-Two"], json::array({"2", "3"}));
  EXPECT_EQ(answer["body"], "coffee=");
  EXPECT_EQ(answer["body_bytes"], 7);
}

TEST_F(OriginTest, KeepsTheConnectionAndForgetsTheRequestBefore) {
  Client client(port());
  client.exchange("PUT /a", "Content-Length: 3\r\n", "abc");
  const json answer = json::parse(client.exchange("GET /b"));
  EXPECT_EQ(answer["path"], "/b");
  EXPECT_EQ(answer["body"], "");
}

TEST_F(OriginTest, CountsALargeBodyAndShowsItsBeginning) {
  Client client(port());
  const std::string body(1'000'000, 'x');
  const json answer = json::parse(client.exchange("PUT /a", "Content-Length: 1000000\r\n", body));
  EXPECT_EQ(answer["body_bytes"], 1'000'000);
  EXPECT_EQ(answer["body"].get<std::string>().size(), 65536u);
}

TEST_F(OriginTest, TakesAChunkedBodyOfAnyBytes) {
  Client client(port());
  const json answer = json::parse(client.exchange("POST /a", "Transfer-Encoding: chunked\r\n",
                                                  "3\r\na\xFF"
                                                  "b\r\n0\r\n\r\n"));
  EXPECT_EQ(answer["body_bytes"], 3);
  EXPECT_EQ(answer["body"],
            "a\xEF\xBF\xBD"
            "b");
}

TEST_F(OriginTest, AnswersHeadWithoutABody) {
  Client client(port());
  client.send("HEAD /a HTTP/1.1\r\nHost: demo\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: "));
  EXPECT_EQ(json::parse(client.exchange("GET /b"))["path"], "/b");
}

TEST_F(OriginTest, AnswersLater) {
  Client client(port());
  EXPECT_EQ(json::parse(client.exchange("GET /slow?ms=20"))["waited_ms"], 20);
  EXPECT_EQ(json::parse(client.exchange("GET /b"))["path"], "/b");
}

TEST_F(OriginTest, SurvivesAClientThatLeavesBeforeTheAnswer) {
  for (const char* path : {"/slow?ms=1", "/events?every_ms=1", "/stream?mb=100"})
    Client(port()).send(std::string("GET ") + path + " HTTP/1.1\r\nHost: demo\r\n\r\n");
  Client client(port());
  EXPECT_EQ(json::parse(client.exchange("GET /slow?ms=50"))["waited_ms"], 50);
}

TEST_F(OriginTest, SendsEventsInChunks) {
  Client client(port());
  client.exchange("GET /events?every_ms=1&count=3");
  EXPECT_THAT(client.head(), HasSubstr("Content-Type: text/event-stream"));
  EXPECT_THAT(client.head(), HasSubstr("Transfer-Encoding: chunked"));
  const std::string events = client.read_until("0\r\n\r\n");
  for (const char* id : {"id: 1\nevent: tick\ndata: {\"tick\": 1,", "id: 2\n", "id: 3\n"})
    EXPECT_THAT(events, HasSubstr(id));
  EXPECT_EQ(json::parse(client.exchange("GET /b"))["path"], "/b");
}

TEST_F(OriginTest, StreamsALargeBody) {
  Client client(port());
  client.send("GET /stream?mb=3 HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Content-Length: 3145728\r\n"));
  EXPECT_EQ(client.read_to_end(), 3u * 1024 * 1024);
}

TEST_F(OriginTest, BecomesAWebSocket) {
  Client client(port());
  client.exchange("GET /ws",
                  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 101 "));
  EXPECT_THAT(client.head(), HasSubstr("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  client.send(std::string("\x81\x82\0\0\0\0hi", 8));
  EXPECT_EQ(client.read_bytes(4), "\x81\x02hi");
  client.send(std::string("\x88\x80\0\0\0\0", 6));
  EXPECT_EQ(client.read_bytes(2), std::string("\x88\0", 2));
  EXPECT_EQ(client.read_to_end(), 0u);
  EXPECT_EQ(json::parse(Client(port()).exchange("GET /b"))["path"], "/b");
}

TEST_F(OriginTest, RefusesAnIncompleteHandshake) {
  Client client(port());
  client.exchange("GET /ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\n");
  EXPECT_THAT(client.head(), StartsWith("HTTP/1.1 426 "));
  EXPECT_THAT(client.head(), HasSubstr("Sec-WebSocket-Version: 13\r\n"));
}

TEST_F(OriginTest, IgnoresTheTerminalsInterruptAndEndsWithItsObject) {
  const pid_t pid = origin_->pid();
  EXPECT_EQ(json::parse(Client(port()).exchange("GET /a"))["path"], "/a");  // it is up
  ASSERT_EQ(::kill(pid, SIGINT), 0);
  EXPECT_EQ(json::parse(Client(port()).exchange("GET /b"))["path"], "/b");
  { const Origin ended = std::move(*origin_); }
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace restgate::demo
