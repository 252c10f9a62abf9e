#include "master/admin_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "common/platform/sockets.h"
#include "master/admin_version.h"

namespace restgate::master {
namespace {

using std::chrono::milliseconds;

/// An admin server on a thread of its own, with handlers that answer from the members.
class AdminServerTest : public ::testing::Test, private IoHandler {
 protected:
  void start(const AdminLimits& limits = {}) {
    Result<UniqueFd> listener = platform::listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener) << listener.error().message;
    port_ = platform::local_port(listener->get());
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    stop_reader_.reset(ends[0]);
    stop_writer_.reset(ends[1]);
    ASSERT_TRUE(stop_event_.start_reading(loop_, stop_reader_.get(), *this));
    server_ = std::make_unique<AdminServer>(loop_, std::move(*listener), handlers(), limits);
    thread_ = std::thread([this] { loop_.run(); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    stop_writer_.reset();
    thread_.join();
    server_.reset();
    event_base_loop(loop_.base(), EVLOOP_NONBLOCK);  // libevent closes sockets in its next turn
  }
  void TearDown() override { stop(); }

  uint16_t port_ = 0;
  std::atomic<bool> ready_{true};
  std::shared_ptr<const std::string> metrics_ = std::make_shared<const std::string>("a_total 1\n");

 private:
  AdminHandlers handlers() {
    return {.readiness =
                [this] {
                  return Readiness{ready_, "no worker is ready"};
                },
            .metrics = [this] { return metrics_; },
            .version = version_json};
  }
  void on_io(IoReady /*ready*/) override {
    stop_event_.stop();
    loop_.stop();
  }

  EventLoop loop_;
  UniqueFd stop_reader_;
  UniqueFd stop_writer_;
  IoEvent stop_event_;
  std::unique_ptr<AdminServer> server_;
  std::thread thread_;
};

struct Response {
  int status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] std::string field(const std::string& name) const {
    const size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

/// A blocking client; gives up after 20 seconds.
class Client {
 public:
  explicit Client(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (receive_buffer != 0) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void finish() { shutdown(fd_.get(), SHUT_WR); }

  /// The next response; status 0 when there is none.
  Response read(bool with_body = true) {
    Response response;
    while (buffer_.find("\r\n\r\n") == std::string::npos)
      if (!receive()) return response;
    const size_t head_end = buffer_.find("\r\n\r\n") + 4;
    response.head = buffer_.substr(0, head_end);
    buffer_.erase(0, head_end);
    response.status = std::stoi(response.head.substr(9, 3));
    if (!with_body) return response;
    const size_t length = std::stoul(response.field("Content-Length"));
    while (buffer_.size() < length)
      if (!receive()) return {};
    response.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return response;
  }
  Response ask(std::string_view request, bool with_body = true) { return send(request) ? read(with_body) : Response{}; }

  /// Whatever else comes until the server closes; false when it does not.
  bool closed(std::string* rest = nullptr) {
    while (receive()) {
    }
    if (rest != nullptr) *rest = buffer_;
    return errno_ != EAGAIN;
  }

 private:
  bool receive() {
    std::array<char, 65536> space{};
    const ssize_t got = recv(fd_.get(), space.data(), space.size(), 0);
    errno_ = got < 0 ? errno : 0;
    if (got <= 0) return false;
    buffer_.append(space.data(), static_cast<size_t>(got));
    return true;
  }

  UniqueFd fd_;
  std::string buffer_;
  int errno_ = 0;
};

std::string get(std::string_view path, std::string_view method = "GET", std::string_view more = "") {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(more) + "\r\n";
}

TEST_F(AdminServerTest, AnswersWhatItKnows) {
  start();
  struct Case {
    const char* method;
    const char* target;
    int status;
    const char* type;
    const char* body;
    const char* allow;
  };
  const char* const kText = "text/plain; charset=utf-8";
  const Case cases[] = {
      {"GET", "/healthz", 200, kText, "ok\n", ""},
      {"GET", "/healthz?verbose", 200, kText, "ok\n", ""},
      {"GET", "http://x/healthz", 200, kText, "ok\n", ""},
      {"GET", "/readyz", 200, kText, "ok\n", ""},
      {"GET", "/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", "a_total 1\n", ""},
      {"GET", "/", 404, kText, "Not Found\n", ""},
      {"GET", "/healthz/", 404, kText, "Not Found\n", ""},
      {"GET", "/healthz/x", 404, kText, "Not Found\n", ""},
      {"GET", "/HEALTHZ", 404, kText, "Not Found\n", ""},
      {"GET", "//healthz", 404, kText, "Not Found\n", ""},
      {"GET", "/a/../healthz", 404, kText, "Not Found\n", ""},
      {"POST", "/nothing", 404, kText, "Not Found\n", ""},
      {"POST", "/reload", 404, kText, "Not Found\n", ""},  // of the admin socket alone
      {"OPTIONS", "*", 404, kText, "Not Found\n", ""},
      {"POST", "/healthz", 405, kText, "Method Not Allowed\n", "GET, HEAD"},
      {"DELETE", "/metrics", 405, kText, "Method Not Allowed\n", "GET, HEAD"},
      {"OPTIONS", "/version", 405, kText, "Method Not Allowed\n", "GET, HEAD"},
      {"M-SEARCH", "/readyz", 405, kText, "Method Not Allowed\n", "GET, HEAD"},
      {"get", "/readyz", 405, kText, "Method Not Allowed\n", "GET, HEAD"},
  };
  Client client(port_);  // one connection for all
  for (const Case& test : cases) {
    const Response response = client.ask(get(test.target, test.method));
    EXPECT_EQ(response.status, test.status) << test.method << " " << test.target;
    EXPECT_EQ(response.field("Content-Type"), test.type) << test.target;
    EXPECT_EQ(response.body, test.body) << test.target;
    EXPECT_EQ(response.field("Allow"), test.allow) << test.target;
    EXPECT_EQ(response.field("Connection"), "") << test.target;
  }
}

TEST_F(AdminServerTest, ReadinessSaysWhyNot) {
  start();
  Client client(port_);
  EXPECT_EQ(client.ask(get("/readyz")).status, 200);
  ready_ = false;
  const Response response = client.ask(get("/readyz"));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "no worker is ready\n");
  EXPECT_EQ(client.ask(get("/healthz")).status, 200);
}

TEST_F(AdminServerTest, VersionIsJson) {
  start();
  const Response response = Client(port_).ask(get("/version"));
  EXPECT_EQ(response.field("Content-Type"), "application/json");
  const auto object = nlohmann::json::parse(response.body);
  EXPECT_FALSE(object.at("version").get<std::string>().empty());
  EXPECT_FALSE(object.at("commit").get<std::string>().empty());
  EXPECT_EQ(object.at("build_time").get<std::string>().size(), 20U);
}

TEST_F(AdminServerTest, HeadHasTheSameFieldsAndNoBody) {
  start();
  Client client(port_);
  const Response whole = client.ask(get("/metrics"));
  const Response head = client.ask(get("/metrics", "HEAD"), false);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), whole.field("Content-Length"));
  EXPECT_EQ(head.field("Content-Type"), whole.field("Content-Type"));
  EXPECT_EQ(client.ask(get("/healthz")).body, "ok\n") << "nothing of a body may stand before it";
}

TEST_F(AdminServerTest, ARequestMayComeInAnyPieces) {
  start();
  const std::string request = get("/metrics?name=value", "GET", "User-Agent: a test\r\n");
  for (size_t cut = 1; cut < request.size(); ++cut) {
    Client client(port_);
    ASSERT_TRUE(client.send(request.substr(0, cut)));
    std::this_thread::yield();
    EXPECT_EQ(client.ask(request.substr(cut)).body, "a_total 1\n") << "cut at " << cut;
  }
  Client client(port_);
  for (const char byte : request) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read().body, "a_total 1\n");
}

TEST_F(AdminServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port_);
  std::string all;
  for (int i = 0; i < 200; ++i) all += get("/healthz") + get("/nothing") + get("/metrics", "HEAD") + get("/version");
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(client.read().body, "ok\n");
    EXPECT_EQ(client.read().status, 404);
    EXPECT_EQ(client.read(false).status, 200);
    EXPECT_EQ(client.read().field("Content-Type"), "application/json");
  }
}

TEST_F(AdminServerTest, AHalfClosedClientGetsItsAnswers) {
  start();
  Client client(port_);
  ASSERT_TRUE(client.send(get("/healthz") + get("/metrics") + "GET /left"));
  client.finish();
  EXPECT_EQ(client.read().body, "ok\n");
  EXPECT_EQ(client.read().body, "a_total 1\n");
  std::string rest;
  EXPECT_TRUE(client.closed(&rest));
  EXPECT_EQ(rest, "");
}

TEST_F(AdminServerTest, Http10AndCloseEndTheConnection) {
  start();
  for (const std::string& request :
       {std::string("GET /healthz HTTP/1.0\r\n\r\n"), get("/healthz", "GET", "Connection: close\r\n")}) {
    Client client(port_);
    const Response response = client.ask(request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.field("Connection"), "close");
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(AdminServerTest, OneConnectionCannotAskForEver) {
  start({.max_requests = 3});
  Client client(port_);
  EXPECT_EQ(client.ask(get("/healthz")).field("Connection"), "");
  EXPECT_EQ(client.ask(get("/healthz")).field("Connection"), "");
  EXPECT_EQ(client.ask(get("/healthz") + get("/healthz")).field("Connection"), "close");
  std::string rest;
  EXPECT_TRUE(client.closed(&rest));
  EXPECT_EQ(rest, "");
}

TEST_F(AdminServerTest, WhatIsNoRequestIsRefusedBehindTheAnswersBeforeIt) {
  start();
  struct Case {
    std::string bytes;
    int status;
  };
  const Case cases[] = {
      {"\x16\x03\x01\x02\x01garbage\r\n\r\n", 400},
      {"GET /healthz\r\n\r\n", 400},
      {"GET /healthz HTTP/1.1\r\n\r\n", 400},
      {"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"GET /healthz HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n", 400},
      {"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\n", 400},
      {"GET /" + std::string(9000, 'a'), 431},
      {get("/healthz", "GET", "X: " + std::string(9000, 'a') + "\r\n"), 431},
      {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 413},
      {"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
  };
  for (const Case& test : cases) {
    Client client(port_);
    ASSERT_TRUE(client.send(get("/healthz") + test.bytes));
    EXPECT_EQ(client.read().status, 200);
    const Response refusal = client.read();
    EXPECT_EQ(refusal.status == 414 ? 431 : refusal.status, test.status) << test.bytes.substr(0, 80);
    EXPECT_EQ(refusal.field("Connection"), "close");
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(AdminServerTest, BodiesAreReadAndDropped) {
  start();
  Client client(port_);
  const std::string body(65536, 'b');
  const Response response =
      client.ask(get("/healthz", "POST", "Content-Length: " + std::to_string(body.size()) + "\r\n") + body);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(client.ask(get("/healthz", "GET", "Content-Length: 3\r\n") + "abc").status, 200);
  EXPECT_EQ(client.ask(get("/healthz")).status, 200);

  const Response unwanted = client.ask(get("/healthz", "PUT", "Content-Length: 9\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(unwanted.status, 405) << "no 100 Continue: nobody wants the body";
  EXPECT_EQ(unwanted.field("Connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST_F(AdminServerTest, AMegabyteOfHeadIsNotTaken) {
  start();
  for (const bool one_line : {true, false}) {
    Client client(port_);
    std::string head = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
    while (head.size() < (1U << 20)) head += one_line ? "aaaaaaaaaaaaaaaa" : "A: bbbbbbbbbbb\r\n";
    client.send(head);  // may fail half-way
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(Client(port_).ask(get("/healthz")).status, 200);
}

TEST_F(AdminServerTest, ASlowClientIsCutOffAndKeepsNobodyWaiting) {
  start({.request_timeout = milliseconds(500)});
  Client slow(port_);
  Client silent(port_);
  Client slow_later(port_);
  EXPECT_EQ(slow_later.ask(get("/healthz")).status, 200);
  ASSERT_TRUE(slow.send("GET /healthz HTT"));
  ASSERT_TRUE(slow_later.send("G"));
  EXPECT_EQ(Client(port_).ask(get("/healthz")).status, 200);
  EXPECT_TRUE(slow.closed());
  EXPECT_TRUE(silent.closed());
  EXPECT_TRUE(slow_later.closed());
}

TEST_F(AdminServerTest, AnIdleConnectionIsClosed) {
  start({.idle_timeout = milliseconds(100)});
  Client client(port_);
  EXPECT_EQ(client.ask(get("/healthz")).status, 200);
  EXPECT_TRUE(client.closed());
}

TEST_F(AdminServerTest, WhenFullTheLongestWaitingGoes) {
  start({.max_connections = 3});
  Client first(port_);
  ASSERT_TRUE(first.send("GET /heal"));
  Client second(port_);
  EXPECT_EQ(second.ask(get("/healthz")).status, 200);
  Client third(port_);
  EXPECT_EQ(third.ask(get("/healthz")).status, 200);
  Client fourth(port_);
  EXPECT_EQ(fourth.ask(get("/healthz")).status, 200);
  EXPECT_TRUE(first.closed());
  EXPECT_EQ(second.ask(get("/healthz")).status, 200);
  EXPECT_EQ(third.ask(get("/healthz")).status, 200);
}

TEST_F(AdminServerTest, AClientThatNeverReadsIsBounded) {
  metrics_ = std::make_shared<const std::string>(16U << 20, 'm');
  start({.max_large_responses = 2, .stall_timeout = milliseconds(1000)});
  Client deaf(port_, 4096);
  Client deaf_too(port_, 4096);
  ASSERT_TRUE(deaf.send(get("/metrics")));
  ASSERT_TRUE(deaf_too.send(get("/metrics")));
  EXPECT_EQ(deaf.read(false).status, 200);  // both are being answered
  EXPECT_EQ(deaf_too.read(false).status, 200);

  Client other(port_);
  EXPECT_EQ(other.ask(get("/healthz")).status, 200);
  const Response refused = other.ask(get("/metrics"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("Retry-After"), "1");
  EXPECT_EQ(other.ask(get("/healthz")).status, 200);

  // Once they are cut off there is room again.
  Response response = refused;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (response.status == 503 && std::chrono::steady_clock::now() < give_up)
    response = Client(port_).ask(get("/metrics"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), metrics_->size());
}

TEST_F(AdminServerTest, SendingOnWhileNotReadingIsBounded) {
  // 100 KB of requests behind a response that is not taken: the server stops reading instead of storing them.
  metrics_ = std::make_shared<const std::string>(16U << 20, 'm');
  start({.stall_timeout = milliseconds(300)});
  Client deaf(port_, 4096);
  ASSERT_TRUE(deaf.send(get("/metrics")));
  EXPECT_EQ(deaf.read(false).status, 200);
  std::string many;
  while (many.size() < 100'000) many += get("/metrics");
  deaf.send(many);
  EXPECT_EQ(Client(port_).ask(get("/healthz")).status, 200);
}

TEST_F(AdminServerTest, DescriptorsDoNotReachOtherPrograms) {
  start();
  Client client(port_);
  EXPECT_EQ(client.ask(get("/healthz")).status, 200);
  DIR* directory = opendir("/proc/self/fd");
  ASSERT_NE(directory, nullptr);
  int sockets = 0;
  while (const dirent* entry = readdir(directory)) {
    const int fd = atoi(entry->d_name);
    int type = 0;
    socklen_t length = sizeof(type);
    if (entry->d_name[0] == '.' || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM)
      continue;
    sockaddr_storage address{};
    length = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    if (address.ss_family != AF_INET) continue;
    ++sockets;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
  }
  closedir(directory);
  EXPECT_EQ(sockets, 3);
}

TEST_F(AdminServerTest, MayEndWithClientsConnected) {
  metrics_ = std::make_shared<const std::string>(16U << 20, 'm');
  start();
  Client idle(port_);
  Client half(port_);
  Client reading(port_, 4096);
  ASSERT_TRUE(half.send("GET /"));
  ASSERT_TRUE(reading.send(get("/metrics")));
  EXPECT_EQ(reading.read(false).status, 200);
  EXPECT_EQ(idle.ask(get("/healthz")).status, 200);
  stop();
  EXPECT_TRUE(idle.closed());
  EXPECT_TRUE(half.closed());
}

TEST_F(AdminServerTest, SurvivesNoise) {
  start();
  std::mt19937 random(1);
  const std::string seeds[] = {get("/metrics?a=b"),
                               get("/healthz", "POST", "Content-Length: 5\r\n") + "hello",
                               get("/version", "HEAD", "Connection: close\r\n"),
                               get("/readyz") + get("/readyz"),
                               "GET http://[::1]:9000/healthz?x HTTP/1.1\r\nHost: [::1]\r\n\r\n",
                               "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"};
  for (int round = 0; round < 600; ++round) {
    std::string bytes = seeds[random() % std::size(seeds)] + seeds[random() % std::size(seeds)];
    for (uint64_t changes = random() % 6; changes > 0; --changes) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + random() % 8);
          break;
        case 2:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 16));
          break;
        default:
          bytes.insert(at, 1, " \r\n\t?%/:#"[random() % 9]);
      }
      if (bytes.empty()) bytes = "G";
    }
    Client client(port_);
    const size_t cut = random() % bytes.size();
    client.send(bytes.substr(0, cut));
    client.send(bytes.substr(cut));
    client.finish();
    ASSERT_TRUE(client.closed()) << round;
  }
  EXPECT_EQ(Client(port_).ask(get("/healthz")).status, 200);
}

}  // namespace
}  // namespace restgate::master
