#include "worker/backend_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "worker/context_test_base.h"
#include "worker/dns_server.h"
#include "worker/tls_support.h"

namespace restgate::worker {
namespace {

using std::chrono::milliseconds;
using Want = BackendPool::Want;

struct User final : BackendUser {
  void on_backend_ready() override { ready = true; }
  void on_backend_unavailable(Reason why) override { reason = why; }
  void on_backend_io() override {}
  [[nodiscard]] bool answered() const { return ready || reason != Reason::None; }

  BackendConnection* connection = nullptr;
  bool ready = false;
  Reason reason = Reason::None;
};

/// A pool for a service "backend.test", of which DNS says the addresses; what listens there is the test's.
class BackendPoolTest : public ContextTest {
 protected:
  BackendPoolTest() {
    log::configure(LogLevel::Error, LogFormat::Text);
    service_.name = "backend";
    service_.url.host = "backend.test";
    service_.url.port = 0;
    config_.connect_timeout = milliseconds(800);
  }
  ~BackendPoolTest() override {
    if (pool_) pool_->close_idle();
    users_.clear();
    graveyard_.clear();
    pool_.reset();
    log::configure(LogLevel::Info, LogFormat::Text);
  }

  [[nodiscard]] ResolverSettings resolver_settings() const {
    ResolverSettings settings;
    settings.resolv_conf = dir_.file("resolv.conf");
    settings.hosts = dir_.file("hosts");
    settings.nameservers = "127.0.0.1:" + std::to_string(dns_.port());
    std::ofstream(settings.resolv_conf) << "options ndots:1\n";
    return settings;
  }
  /// Listens there, on the service's port.
  void listen(const std::string& address, int backlog = 16) {
    auto listener = platform::listen_tcp(address, service_.url.port, {.backlog = backlog});
    ASSERT_TRUE(listener.ok()) << listener.error().message;
    service_.url.port = platform::local_port(listener->get());
    listeners_[address] = std::move(listener).value();
  }
  /// Neither takes nor refuses: its queue is full.
  void listen_and_hang(const std::string& address) {
    listen(address, 0);
    const auto target = *Address::parse(address, service_.url.port);
    auto filler = platform::connect_tcp(target.get(), target.length());
    ASSERT_TRUE(filler.ok());
    fillers_.push_back(std::move(filler).value());
  }
  /// The addresses of the name from now on.
  void name_has(const std::vector<std::string>& addresses) {
    dns_.zones["backend.test"] = {.addresses = addresses, .ttl_s = 1};
  }
  void start() { pool_ = std::make_unique<BackendPool>(context_, resolver_, service_, 0, nullptr); }

  User& acquire(Want want = Want::Any) {
    users_.push_back(std::make_unique<User>());
    User& user = *users_.back();
    const BackendPool::Lease lease = pool_->acquire(user, want);
    user.connection = lease.connection;
    user.reason = lease.reason;
    if (lease.connection != nullptr && lease.connection->ready()) user.ready = true;
    return user;
  }
  User& connected() {
    User& user = acquire();
    run_until([&] { return user.answered(); });
    EXPECT_TRUE(user.ready);
    return user;
  }
  static std::string peer_of(const User& user) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto& address = reinterpret_cast<sockaddr&>(storage);
    if (getpeername(user.connection->transport().fd(), &address, &length) != 0) return "nobody";
    platform::AddressText text{};
    return {text.data(), platform::format_address(address, text)};
  }
  uint64_t counted(stats::ServiceCounter counter) const { return block_->snapshot().services.at(0)[counter]; }
  int64_t idle() const { return block_->snapshot().services.at(0)[stats::ServiceGauge::ConnectionsIdle]; }

  test::TempDir dir_;
  test::DnsServer dns_{loop_};
  Resolver resolver_{loop_, resolver_settings()};
  config::Service service_;
  std::map<std::string, UniqueFd> listeners_;
  std::vector<UniqueFd> fillers_;
  std::vector<std::unique_ptr<User>> users_;
  std::unique_ptr<BackendPool> pool_;
};

// Each connection tries the address after its own, whatever turns others have taken meanwhile.
TEST_F(BackendPoolTest, AnAddressThatHangsCostsItsShareOfTheTimeOnly) {
  listen("127.0.0.1");
  listen_and_hang("127.0.0.2");
  name_has({"127.0.0.1", "127.0.0.2"});
  start();
  for (int i = 0; i < 4; ++i) acquire();
  run_until(
      [&] { return std::all_of(users_.begin(), users_.end(), [](const auto& user) { return user->answered(); }); });
  for (const auto& user : users_) {
    EXPECT_TRUE(user->ready);
    EXPECT_EQ(peer_of(*user), "127.0.0.1");
  }
  EXPECT_EQ(counted(stats::ServiceCounter::Connects), 6U);
  EXPECT_EQ(counted(stats::ServiceCounter::ConnectFailures), 2U);
}

TEST_F(BackendPoolTest, AllThatHangAreATimeout) {
  config_.connect_timeout = milliseconds(100);
  listen_and_hang("127.0.0.1");
  name_has({"127.0.0.1"});
  start();
  const User& user = acquire();
  run_until([&] { return user.answered(); });
  EXPECT_EQ(user.reason, Reason::BackendConnectTimeout);
}

TEST_F(BackendPoolTest, EveryAddressIsTriedOnce) {
  listen("127.0.0.1");
  listeners_.clear();  // the port is free: connections are refused
  for (const auto& addresses : {std::vector<std::string>{"127.0.0.1"}, {"127.0.0.1", "127.0.0.2", "127.0.0.3"}}) {
    const uint64_t before = counted(stats::ServiceCounter::Connects);
    name_has(addresses);
    start();
    const User& user = acquire();
    run_until([&] { return user.answered(); });
    EXPECT_EQ(user.reason, Reason::BackendConnectRefused);
    EXPECT_EQ(counted(stats::ServiceCounter::Connects) - before, addresses.size());
  }
}

TEST_F(BackendPoolTest, RoundRobinOverAllAddresses) {
  std::map<std::string, int> connections;
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) listen(address);
  name_has({"127.0.0.1", "127.0.0.2", "127.0.0.3"});
  start();
  for (int i = 0; i < 6; ++i) ++connections[peer_of(connected())];
  EXPECT_EQ(connections, (std::map<std::string, int>{{"127.0.0.1", 2}, {"127.0.0.2", 2}, {"127.0.0.3", 2}}));
}

TEST_F(BackendPoolTest, AnAddressThatTheNameHasLostGetsNothingMore) {
  listen("127.0.0.1");
  listen("127.0.0.2");
  name_has({"127.0.0.1"});
  start();
  User& rests = connected();
  const User& works = connected();
  pool_->release(*rests.connection, true, 0);
  EXPECT_EQ(idle(), 1);
  name_has({"127.0.0.2"});
  run_until([&] { return idle() == 0; });  // though nobody connects anew: a use of the name is what counts
  EXPECT_EQ(peer_of(works), "127.0.0.1");  // it may finish
  pool_->release(*works.connection, true, 0);
  EXPECT_EQ(idle(), 0);
  EXPECT_EQ(peer_of(connected()), "127.0.0.2");
}

TEST_F(BackendPoolTest, ReuseKeepsTheNameFresh) {
  listen("127.0.0.1");
  listen("127.0.0.2");
  name_has({"127.0.0.1"});
  start();
  User* user = &connected();
  const size_t asked = dns_.asked("backend.test/4");
  // Nothing but the same connection is used, beyond the TTL.
  run_until([&] {
    pool_->release(*user->connection, true, 0);
    user = &acquire();
    return dns_.asked("backend.test/4") > asked + 1;
  });
  EXPECT_EQ(counted(stats::ServiceCounter::Connects), 1U);
  name_has({"127.0.0.2", "127.0.0.1"});  // still one of them
  run_until([&] { return dns_.asked("backend.test/4") > asked + 2; });
  pool_->release(*user->connection, true, 0);
  EXPECT_EQ(idle(), 1);
}

TEST_F(BackendPoolTest, ANameWithoutAddressesIsAReasonAndCounted) {
  start();
  const User& user = acquire();
  run_until([&] { return user.answered(); });
  EXPECT_EQ(user.reason, Reason::BackendUnresolved);
  EXPECT_EQ(counted(stats::ServiceCounter::ResolveFailures), 1U);
  EXPECT_EQ(counted(stats::ServiceCounter::Connects), 0U);
}

// The end is in the kernel, and the loop has not told of it yet.
TEST_F(BackendPoolTest, ASoundConnectionIsLookedAtFirst) {
  listen("127.0.0.1");
  name_has({"127.0.0.1"});
  start();
  for (const bool closed : {false, true}) {
    SCOPED_TRACE(closed);
    const User& user = connected();
    const auto peer = platform::accept_tcp(listeners_["127.0.0.1"].get());
    pool_->release(*user.connection, true, 0);
    EXPECT_EQ(idle(), 1);
    if (closed) shutdown(peer.fd.get(), SHUT_WR);
    User& careful = acquire(Want::Sound);
    EXPECT_EQ(careful.ready, !closed);
    run_until([&] { return careful.answered(); });
    EXPECT_TRUE(careful.ready);
    pool_->release(*careful.connection, false, 0);
  }
  EXPECT_EQ(counted(stats::ServiceCounter::Reuses), 1U);
}

/// Comes before the connection in a turn of the loop in which both have something.
struct First final : IoHandler {
  void on_io(IoReady /*ready*/) override { act(); }
  std::function<void()> act;
};

// The edge of bytes that are read already comes when the connection is lent again: what there is by then was asked for.
TEST_F(BackendPoolTest, AnAnswerBehindAnOldEdgeIsTheAnswer) {
  listen("127.0.0.1");
  name_has({"127.0.0.1"});
  start();
  const User& user = connected();
  const auto peer = platform::accept_tcp(listeners_["127.0.0.1"].get());
  pool_->release(*user.connection, true, 0);
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
  const UniqueFd reading(ends[0]);
  const UniqueFd writing(ends[1]);
  First first;
  first.act = [&] {
    char byte = 0;
    ASSERT_EQ(recv(user.connection->transport().fd(), &byte, 1, 0), 1);
    ASSERT_EQ(acquire(Want::Sound).connection, user.connection);
    ASSERT_EQ(send(peer.fd.get(), "b", 1, 0), 1);
    loop_.stop();
  };
  IoEvent event;
  ASSERT_TRUE(event.start_reading(loop_, reading.get(), first));
  ASSERT_EQ(write(writing.get(), "x", 1), 1);
  ASSERT_EQ(send(peer.fd.get(), "a", 1, 0), 1);
  loop_.run();
  ASSERT_EQ(users_.size(), 2U);
  EXPECT_FALSE(user.connection->spoke_unasked());
  pool_->release(*user.connection, false, 0);
}

}  // namespace
}  // namespace restgate::worker
