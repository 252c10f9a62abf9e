#include "common/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "common/unique_fd.h"

namespace restgate {
namespace {

using std::chrono::milliseconds;

/// Two connected stream sockets.
struct Sockets {
  UniqueFd mine;
  UniqueFd peer;
};

Sockets connected() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

class Recorder final : public IoHandler {
 public:
  std::vector<IoReady> seen;
  void on_io(IoReady ready) override { seen.push_back(ready); }
};

/// Runs the loop for a moment.
void run_for_a_moment(EventLoop& loop) {
  TimerEvent end(loop, [&] { loop.stop(); });
  end.arm(milliseconds(20));
  loop.run();
}

class IoEventTest : public testing::Test {
 protected:
  /// Runs the loop for so many turns; once per test.
  void turns(int count) {
    int left = count;
    loop_.set_turn_hook([&] {
      if (--left <= 0) loop_.stop();
    });
    ticker_.arm_every(milliseconds(1));
    loop_.run();
    ticker_.cancel();
  }

  EventLoop loop_;
  TimerEvent ticker_{loop_, [] {}};
  Sockets sockets_ = connected();
  Recorder recorder_;
  IoEvent event_;
};

TEST_F(IoEventTest, ReportsAnEdgeOnce) {
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), recorder_));
  EXPECT_TRUE(event_.active());
  ASSERT_EQ(write(sockets_.peer.get(), "abc", 3), 3);
  turns(5);  // the bytes stay unread
  ASSERT_EQ(recorder_.seen.size(), 1U);
  EXPECT_TRUE(recorder_.seen[0].readable);
  EXPECT_TRUE(recorder_.seen[0].writable);
  EXPECT_FALSE(recorder_.seen[0].peer_closed);
}

// Something always happens; the hook has its turn all the same.
TEST_F(IoEventTest, ATurnThatDoesNotWaitIsOneTurn) {
  class Endless final : public IoHandler {
   public:
    Endless(int own, int peer) : own_(own), peer_(peer) {}
    int edges = 0;
    void on_io(IoReady ready) override {
      char byte = 0;
      if (!ready.readable || ++edges > 100) return;
      EXPECT_EQ(read(own_, &byte, 1), 1);
      EXPECT_EQ(write(peer_, "x", 1), 1);
    }

   private:
    int own_;
    int peer_;
  };
  Endless endless(sockets_.mine.get(), sockets_.peer.get());
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), endless));
  ASSERT_EQ(write(sockets_.peer.get(), "x", 1), 1);
  int hooks = 0;
  loop_.set_turn_hook([&] {
    if (++hooks == 3) loop_.stop();
    loop_.request_turn();
  });
  loop_.run();
  EXPECT_LE(endless.edges, 3);
  EXPECT_EQ(loop_.turn(), 3U);
}

TEST_F(IoEventTest, ReportsANewEdgeForNewBytes) {
  class Chatter final : public IoHandler {
   public:
    explicit Chatter(int peer) : peer_(peer) {}
    int edges = 0;
    void on_io(IoReady ready) override {
      if (ready.readable && ++edges < 3) {
        EXPECT_EQ(write(peer_, "x", 1), 1);
      }
    }

   private:
    int peer_;
  } chatter(sockets_.peer.get());
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), chatter));
  ASSERT_EQ(write(sockets_.peer.get(), "x", 1), 1);
  turns(10);
  EXPECT_EQ(chatter.edges, 3);
}

TEST_F(IoEventTest, TellsThatThePeerHasClosed) {
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), recorder_));
  ASSERT_EQ(shutdown(sockets_.peer.get(), SHUT_WR), 0);
  turns(5);
  ASSERT_EQ(recorder_.seen.size(), 1U);
  EXPECT_TRUE(recorder_.seen[0].peer_closed);
  EXPECT_TRUE(recorder_.seen[0].readable);
  EXPECT_TRUE(recorder_.seen[0].writable);
}

TEST_F(IoEventTest, StoppedReportsNothing) {
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), recorder_));
  event_.stop();
  EXPECT_FALSE(event_.active());
  ASSERT_EQ(write(sockets_.peer.get(), "abc", 3), 3);
  turns(3);
  EXPECT_TRUE(recorder_.seen.empty());
}

TEST_F(IoEventTest, StoppedByAnotherOneInTheSameTurnReportsNothing) {
  class Ender final : public IoHandler {
   public:
    std::unique_ptr<IoEvent>* other = nullptr;
    int reports = 0;
    void on_io(IoReady) override {
      ++reports;
      other->reset();
    }
  };
  // Whichever is reported first ends the other.
  Sockets more = connected();
  Ender enders[2];
  std::unique_ptr<IoEvent> events[2] = {std::make_unique<IoEvent>(), std::make_unique<IoEvent>()};
  const int fds[2] = {sockets_.mine.get(), more.mine.get()};
  for (int i = 0; i < 2; ++i) {
    enders[i].other = &events[1 - i];
    ASSERT_TRUE(events[i]->start(loop_, fds[i], enders[i]));
  }
  turns(3);
  EXPECT_EQ(enders[0].reports + enders[1].reports, 1);
}

TEST_F(IoEventTest, AnErrorIsToldByWhateverIsTriedNext) {
  ASSERT_EQ(write(sockets_.mine.get(), "unread", 6), 6);
  ASSERT_TRUE(event_.start(loop_, sockets_.mine.get(), recorder_));
  sockets_.peer.reset();  // a reset, for there is something that it has not read
  turns(3);
  ASSERT_EQ(recorder_.seen.size(), 1U);
  EXPECT_TRUE(recorder_.seen[0].readable);
  EXPECT_TRUE(recorder_.seen[0].writable);
}

TEST_F(IoEventTest, ReadingIsReportedAsLongAsBytesAreThere) {
  ASSERT_TRUE(event_.start_reading(loop_, sockets_.mine.get(), recorder_));
  ASSERT_EQ(write(sockets_.peer.get(), "abc", 3), 3);
  turns(5);
  EXPECT_GE(recorder_.seen.size(), 4U);
  EXPECT_FALSE(recorder_.seen[0].writable);
}

TEST_F(IoEventTest, RefusesWhatTheKernelCannotWatch) {
  EXPECT_FALSE(event_.start(loop_, 9'999, recorder_));
  EXPECT_FALSE(event_.active());
}

TEST(EventLoop, RunsTheTurnHookAfterTheCallbacks) {
  EventLoop loop;
  std::string order;
  TimerEvent timer(loop, [&] { order += 't'; });
  loop.set_turn_hook([&] {
    order += 'h';
    loop.stop();
  });
  timer.arm(milliseconds(1));
  loop.run();
  EXPECT_EQ(order, "th");
  EXPECT_TRUE(loop.stopped());
}

TEST(EventLoop, TheClockStandsStillWithinATurn) {
  EventLoop loop;
  std::vector<int64_t> readings;
  TimerEvent timer(loop, [&] {
    readings.push_back(loop.now_us());
    const auto until = std::chrono::steady_clock::now() + milliseconds(2);
    while (std::chrono::steady_clock::now() < until) {
    }
    readings.push_back(loop.now_us());
    readings.push_back(loop.refresh_clock());
    loop.stop();
  });
  timer.arm(milliseconds(1));
  loop.run();
  ASSERT_EQ(readings.size(), 3U);
  EXPECT_EQ(readings[0], readings[1]);
  EXPECT_GE(readings[2], readings[1] + 2'000);
}

TEST(TimerEvent, RepeatsUntilCancelled) {
  EventLoop loop;
  int calls = 0;
  TimerEvent* self = nullptr;
  TimerEvent a_moment_later(loop, [&] { loop.stop(); });
  TimerEvent timer(loop, [&] {
    if (++calls != 3) return;
    self->cancel();
    a_moment_later.arm(milliseconds(20));
  });
  self = &timer;
  timer.arm_every(milliseconds(1));
  loop.run();
  EXPECT_EQ(calls, 3);
}

TEST(TimerEvent, OneShotFiresOnceAndCanBeMoved) {
  EventLoop loop;
  int calls = 0;
  TimerEvent timer(loop, [&] { ++calls; });
  timer.arm(std::chrono::hours(1));
  timer.arm(milliseconds(1));
  run_for_a_moment(loop);
  EXPECT_EQ(calls, 1);
}

TEST(TimerEvent, DestroyedDoesNotFire) {
  EventLoop loop;
  bool fired = false;
  {
    TimerEvent(loop, [&] { fired = true; }).arm(milliseconds(1));
  }
  run_for_a_moment(loop);
  EXPECT_FALSE(fired);
}

TEST(SignalEvent, DeliversInTheLoop) {
  EventLoop loop;
  int calls = 0;
  SignalEvent signal(loop, SIGUSR1, [&] {
    ++calls;
    loop.stop();
  });
  raise(SIGUSR1);
  EXPECT_EQ(calls, 0);
  loop.run();
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace restgate
