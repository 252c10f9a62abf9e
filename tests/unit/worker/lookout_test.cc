#include "worker/lookout.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <utility>
#include <vector>

#include "common/platform/sockets.h"
#include "worker/connection.h"
#include "worker/context_test_base.h"

namespace restgate::worker {
namespace {

/// Has no event of its own: what it is told comes from the lookout.
class Probe final : public Connection {
 public:
  Probe(Context& context, UniqueFd fd) : Connection(context) { transport_ = Transport(std::move(fd)); }
  int told = 0;

 private:
  void on_io(IoReady ready) override {
    EXPECT_TRUE(ready.readable && ready.peer_closed);
    note(ready);
    ++told;
  }
};

class LookoutTest : public ContextTest {
 protected:
  struct Pair {
    std::unique_ptr<Probe> probe;
    UniqueFd peer;
  };

  void SetUp() override {
    listener_ = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    socklen_t length = sizeof address_;
    ASSERT_EQ(bind(listener_.get(), address, length), 0);
    ASSERT_EQ(listen(listener_.get(), 16), 0);
    ASSERT_EQ(getsockname(listener_.get(), address, &length), 0);
  }
  /// One that has read "some" and waits for more.
  Pair waiting() {
    Pair pair;
    pair.peer = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(pair.peer.get(), reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    UniqueFd accepted(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    pair.probe = std::make_unique<Probe>(context_, std::move(accepted));
    read_short(pair);
    return pair;
  }
  static void read_short(Pair& pair) {
    EXPECT_EQ(send(pair.peer.get(), "some", 4, MSG_NOSIGNAL), 4);
    EXPECT_EQ(pair.probe->fill().bytes, 4U);
    pair.probe->await_more();
  }
  static void reset(UniqueFd& peer) {
    platform::reset_on_close(peer.get());
    peer.reset();
  }

  UniqueFd listener_;
  sockaddr_in address_{};
};

TEST_F(LookoutTest, TellsOfAResetBehindAShortRead) {
  const Pair healthy = waiting();
  Pair failed = waiting();
  const Pair another = waiting();
  reset(failed.peer);
  run_until([&] { return failed.probe->told > 0; });
  EXPECT_EQ(healthy.probe->told + another.probe->told, 0);
  EXPECT_TRUE(failed.probe->readable());
  EXPECT_EQ(failed.probe->fill().kind, IoResult::Kind::Failed);
}

TEST_F(LookoutTest, AsksOnceForEachRead) {
  Pair pair = waiting();
  const auto others_turn = [this] {
    Pair other = waiting();
    reset(other.peer);
    run_until([&] { return other.probe->told > 0; });
  };
  others_turn();  // both have been asked about
  reset(pair.peer);
  others_turn();
  EXPECT_EQ(pair.probe->told, 0) << "this reset came after the read: it has an event of its own";

  Pair again = waiting();
  others_turn();
  read_short(again);
  reset(again.peer);
  run_until([&] { return again.probe->told > 0; });
}

TEST_F(LookoutTest, ForgetsThoseThatAreGone) {
  for (size_t gone = 0; gone < 3; ++gone) {
    std::vector<Pair> pairs;
    for (int i = 0; i < 3; ++i) pairs.push_back(waiting());
    for (Pair& pair : pairs) reset(pair.peer);
    pairs.erase(pairs.begin() + static_cast<ptrdiff_t>(gone));
    run_until([&] { return pairs[0].probe->told + pairs[1].probe->told == 2; });
  }
}

}  // namespace
}  // namespace restgate::worker
