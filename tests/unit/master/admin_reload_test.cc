// The admin server on a unix socket, with the requests whose answers come later.
#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "master/admin_server.h"
#include "master/admin_socket.h"

namespace restgate::master {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// One thread: the server's loop turns while a test waits for something.
class AdminReload : public testing::Test {
 protected:
  void SetUp() override {
    signal(SIGPIPE, SIG_IGN);  // as the master does
    std::string name = testing::TempDir() + "/restgate_admin_XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    auto opened = AdminSocket::open(directory_ + "/s");
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    socket_ = std::make_unique<AdminSocket>(std::move(opened).value());
    AdminHandlers handlers;
    handlers.readiness = [] { return Readiness{true, ""}; };
    handlers.metrics_later = [this](std::function<void(std::shared_ptr<const std::string>)> done) {
      scrapes_.push_back(std::move(done));
      return scrapes_.size();
    };
    handlers.abandon_metrics = [this](uint64_t ticket) { abandoned_scrapes_.insert(ticket); };
    handlers.version = [] { return std::string("{}"); };
    handlers.reload = [this](std::string file, std::function<void(AdminResponse)> answer) {
      asked_.push_back({std::move(file), std::move(answer)});
      return asked_.size();  // the ticket
    };
    handlers.abandon_reload = [this](uint64_t ticket) { abandoned_.insert(ticket); };
    server_ = std::make_unique<AdminServer>(loop_, socket_->take_listener(), std::move(handlers));
  }
  void TearDown() override {
    server_.reset();
    event_base_loop(loop_.base(), EVLOOP_NONBLOCK);  // libevent closes sockets in its next turn
    std::filesystem::remove_all(directory_);
  }

  struct Client {
    UniqueFd fd;
    std::string received;
    bool ended = false;
  };
  Client connect() {
    auto connected = platform::connect_unix(socket_->path());
    EXPECT_TRUE(connected.ok());
    return {std::move(connected).value(), "", false};
  }
  static void send(Client& client, const std::string& bytes) {
    EXPECT_EQ(::send(client.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  static void receive(Client& client) {
    std::array<char, 4096> chunk;
    const ssize_t n = recv(client.fd.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n > 0) client.received.append(chunk.data(), static_cast<size_t>(n));
    client.ended = client.ended || n == 0 || (n < 0 && errno != EAGAIN);
  }
  template <typename Condition>
  void await(Condition condition) {
    const auto too_late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), too_late);
      event_base_loop(loop_.base(), EVLOOP_NONBLOCK);
    }
  }
  /// Whatever the server has to do now.
  void settle() {
    for (int i = 0; i < 10; ++i) event_base_loop(loop_.base(), EVLOOP_NONBLOCK);
  }
  std::string response(Client& client) {
    await([&] {
      receive(client);
      return client.ended || client.received.ends_with("\n");
    });
    return std::exchange(client.received, "");
  }
  void answer(size_t ticket, uint16_t status, const std::string& text) {
    AdminResponse response;
    response.status = status;
    response.body = std::make_shared<const std::string>(text + "\n");
    asked_.at(ticket - 1).answer(std::move(response));
  }
  static std::string post(const std::string& body) {
    return "POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  struct Asked {
    std::string file;
    std::function<void(AdminResponse)> answer;
  };
  std::string directory_;
  std::vector<Asked> asked_;
  std::set<uint64_t> abandoned_;
  std::vector<std::function<void(std::shared_ptr<const std::string>)>> scrapes_;
  std::set<uint64_t> abandoned_scrapes_;
  EventLoop loop_;
  std::unique_ptr<AdminSocket> socket_;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminReload, IsAnsweredWhenTheVerdictIsThere) {
  Client client = connect();
  send(client, post("/etc/new.yaml"));
  send(client, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  await([this] { return asked_.size() == 1; });
  EXPECT_EQ(asked_[0].file, "/etc/new.yaml");
  settle();
  receive(client);
  EXPECT_EQ(client.received, "");
  Client other = connect();
  send(other, "GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  await([&] {  // nobody else waits
    receive(other);
    return other.received.starts_with("HTTP/1.1 200") && other.received.find("\r\n\r\n{}") != std::string::npos;
  });
  answer(1, 422, "wrong");
  await([&] {
    receive(client);
    return client.received.ends_with("ok\n");
  });
  EXPECT_THAT(client.received, StartsWith("HTTP/1.1 422"));
  EXPECT_THAT(client.received, HasSubstr("\r\n\r\nwrong\nHTTP/1.1 200")) << "what came behind it has its turn";
  EXPECT_TRUE(abandoned_.empty());
}

TEST_F(AdminReload, AnEmptyBodyIsTheFileInUse) {
  Client client = connect();
  send(client, post(""));
  await([this] { return asked_.size() == 1; });
  EXPECT_EQ(asked_[0].file, "");
}

TEST_F(AdminReload, OnlyPostAndOnlyAbsolutePaths) {
  struct Case {
    std::string request;
    const char* status;
  };
  const Case cases[] = {
      {"GET /reload HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405"}, {post("new.yaml"), "HTTP/1.1 400"},
      {post("/" + std::string(4096, 'a')), "HTTP/1.1 400"},        {post(std::string("/a\0b", 4)), "HTTP/1.1 400"},
      {post("/" + std::string(60'000, 'a')), "HTTP/1.1 400"},
  };
  for (const Case& test : cases) {
    Client client = connect();
    send(client, test.request);
    EXPECT_THAT(response(client), StartsWith(test.status)) << test.request.substr(0, 80);
  }
  EXPECT_TRUE(asked_.empty());
}

TEST_F(AdminReload, WhoHasShutItsSendingSideGetsItToo) {
  Client client = connect();
  send(client, post(""));
  shutdown(client.fd.get(), SHUT_WR);
  await([this] { return asked_.size() == 1; });
  settle();
  answer(1, 200, "done");
  EXPECT_THAT(response(client), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminReload, WhoHasGoneIsNoHarm) {
  {
    Client client = connect();
    send(client, post(""));
    await([this] { return asked_.size() == 1; });
  }
  settle();
  answer(1, 200, "done");
  await([this] { return server_->connections() == 0; });
}

TEST_F(AdminReload, TheEndOfTheServerAbandonsWhatWaits) {
  Client client = connect();
  send(client, post(""));
  await([this] { return asked_.size() == 1; });
  server_.reset();
  EXPECT_EQ(abandoned_, std::set<uint64_t>{1});
}

TEST_F(AdminReload, ARetiredServerGivesTheAnswersThatAreDue) {
  Client waiting = connect();
  send(waiting, post(""));
  await([this] { return asked_.size() == 1; });
  Client idle = connect();
  send(idle, "GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(response(idle), StartsWith("HTTP/1.1 200"));
  server_->retire();
  await([&] {
    receive(idle);
    return idle.ended;
  });
  EXPECT_FALSE(platform::connect_unix(socket_->path()).ok());
  answer(1, 200, "done");
  await([&] {
    receive(waiting);
    return waiting.ended;
  });
  EXPECT_THAT(waiting.received, HasSubstr("\r\n\r\ndone\n"));
  EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(AdminReload, MetricsMayComeLaterToo) {
  constexpr const char* kScrape = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  Client patient = connect();
  Client other = connect();
  send(patient, kScrape);
  send(other, kScrape);
  await([this] { return scrapes_.size() == 2; });
  EXPECT_TRUE(server_->busy());
  const auto text = std::make_shared<const std::string>("a_total 1\n");
  scrapes_[1](text);
  scrapes_[0](text);
  for (Client* client : {&patient, &other}) {
    const std::string got = response(*client);
    EXPECT_THAT(got, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(got, HasSubstr("version=0.0.4"));
    EXPECT_THAT(got, HasSubstr("\r\n\r\na_total 1\n"));
  }
  EXPECT_FALSE(server_->busy());
  EXPECT_TRUE(abandoned_scrapes_.empty());

  send(patient, kScrape);
  await([this] { return scrapes_.size() == 3; });
  server_.reset();
  EXPECT_TRUE(abandoned_scrapes_.contains(3)) << "nobody is called when the server is gone";
}

}  // namespace
}  // namespace restgate::master
