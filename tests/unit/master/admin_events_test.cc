// The stream of events: what watchers get, and what they cannot make the server hold.
#include <arpa/inet.h>
#include <event2/event.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/platform/sockets.h"
#include "master/admin_server.h"

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPatience{20'000};

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// One that reads only when it is told to.
class Watcher {
 public:
  explicit Watcher(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int small = 4096;
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const std::string request = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(send(fd_.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  }

  /// Takes what is there; false when the stream has ended.
  bool read() {
    std::string buffer(65'536, '\0');
    for (;;) {
      const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) return true;
      if (count <= 0) return false;
      text_.append(buffer, 0, static_cast<size_t>(count));
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool has(std::string_view part) const { return text_.find(part) != std::string::npos; }

 private:
  UniqueFd fd_;
  std::string text_;
};

class AdminEvents : public ::testing::Test {
 protected:
  void start(const AdminLimits& limits) {
    Result<UniqueFd> listener = platform::listen_tcp("127.0.0.1", 0);
    ASSERT_TRUE(listener) << listener.error().message;
    port_ = platform::local_port(listener->get());
    AdminHandlers handlers;
    handlers.readiness = [] { return Readiness{true, ""}; };
    handlers.metrics = [] { return shared(""); };
    handlers.version = [] { return "{}"; };
    handlers.greeting = [this] { return shared("<hello " + std::to_string(++greetings_) + ">"); };
    server_ = std::make_unique<AdminServer>(loop_, std::move(*listener), std::move(handlers), limits);
  }

  /// Turns the loop until it holds.
  void await(const std::function<bool()>& holds, const char* what) {
    const Clock::time_point deadline = Clock::now() + kPatience;
    while (!holds()) {
      ASSERT_LT(Clock::now(), deadline) << "never: " << what;
      event_base_loop(loop_.base(), EVLOOP_NONBLOCK);
    }
  }

  EventLoop loop_;
  uint16_t port_ = 0;
  int greetings_ = 0;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminEvents, AllWatchersGetAllThatIsPublished) {
  start({});
  Watcher one(port_);
  Watcher other(port_);
  await([&] { return server_->streams() == 2; }, "two streams");
  server_->publish(shared("<a>"));
  server_->publish(shared("<b>"));
  for (Watcher* watcher : {&one, &other})
    await([&] { return watcher->read() && watcher->has("<a><b>"); }, "what was published");
  EXPECT_TRUE(one.has("Content-Type: text/event-stream\r\n"));
  EXPECT_LT(one.text().find("<hello"), one.text().find("<a>"));
  EXPECT_FALSE(server_->busy()) << "an upgrade need not wait for them";
  server_->retire();
  await([&] { return !one.read() && !other.read(); }, "the end of the streams");
}

TEST_F(AdminEvents, StreamsMayBeEndedWhileTheServerGoesOn) {
  start({});
  Watcher one(port_);
  Watcher other(port_);
  await([&] { return server_->streams() == 2; }, "two streams");
  server_->end_streams();
  EXPECT_EQ(server_->streams(), 0U);
  await([&] { return !one.read() && !other.read(); }, "the end of the streams");
  Watcher later(port_);
  await([&] { return later.read() && later.has("<hello"); }, "a new stream");
}

TEST_F(AdminEvents, WhoHasMissedSomethingGetsTheGreetingBeforeAnythingElse) {
  constexpr size_t kFrame = 32 * 1024;
  constexpr int kFrames = 400;
  start({.max_stream_backlog = 2 * kFrame});
  Watcher slow(port_);
  await([&] { return server_->streams() == 1; }, "a stream");
  int published = 0;
  const auto publish = [&] {
    const std::string head = "<" + std::to_string(published++) + ">";
    server_->publish(shared(head + std::string(kFrame - head.size(), '.')));
    event_base_loop(loop_.base(), EVLOOP_NONBLOCK);
  };
  while (published < kFrames) publish();
  EXPECT_EQ(greetings_, 1);
  await([&] { return slow.read() && greetings_ == 1 && (publish(), greetings_ == 2); }, "the second greeting");
  publish();
  const std::string last = "<" + std::to_string(published - 1) + ">";
  await([&] { return slow.read() && slow.has(last); }, "what came after it");
  const size_t again = slow.text().find("<hello 2>");
  ASSERT_NE(again, std::string::npos);
  EXPECT_LT(slow.text().size(), (kFrames / 2) * kFrame) << "what was missed was not kept";
  // Before the greeting they are complete; the gap is where it stands.
  int expected = 0;
  for (size_t at = slow.text().find('<', slow.text().find("<hello 1>") + 1); at < again;
       at = slow.text().find('<', at + 1))
    EXPECT_EQ(std::stoi(slow.text().substr(at + 1)), expected++);
  EXPECT_GT(expected, 0);
  EXPECT_LT(expected, kFrames);
}

TEST_F(AdminEvents, WhoTakesNothingForLongIsCutOff) {
  start({.stall_timeout = milliseconds(50)});
  Watcher deaf(port_);
  await([&] { return server_->streams() == 1; }, "a stream");
  await(
      [&] {
        server_->publish(shared(std::string(64 * 1024, '.')));
        return server_->streams() == 0;
      },
      "the end of the stream");
}

TEST_F(AdminEvents, ThereAreOnlySoMany) {
  start({.max_streams = 1});
  Watcher first(port_);
  await([&] { return server_->streams() == 1; }, "a stream");
  Watcher second(port_);
  await([&] { return second.read() && second.has("HTTP/1.1 503") && second.has("Retry-After: 10"); }, "a refusal");
  EXPECT_EQ(server_->streams(), 1U);
}

}  // namespace
}  // namespace restgate::master
