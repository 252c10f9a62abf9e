#include "master/metrics_text.h"

#include <event2/event.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

/// Renders the number of the text; each takes a given time on a clock of its own, or until it is let go.
class MetricsTextTest : public ::testing::Test {
 protected:
  MetricsText::Render gather() {
    gathered_in = std::this_thread::get_id();
    return [this, number = ++gathered] {
      rendered_in = std::this_thread::get_id();
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      std::unique_lock lock(mutex);
      let_go.wait(lock, [this] { return !held; });
      now = now.load() + takes;
      return std::to_string(number);
    };
  }
  void ask() {
    ++expected;
    text.ask([this](const MetricsText::Text& got) { texts.push_back(*got); });
  }
  void await() {
    while (texts.size() < expected) event_base_loop(loop.base(), EVLOOP_ONCE);
  }
  void hold(bool hold_on) {
    const std::scoped_lock lock(mutex);
    held = hold_on;
    let_go.notify_all();
  }

  EventLoop loop;
  std::mutex mutex;
  std::condition_variable let_go;
  bool held = false;
  std::atomic<MetricsText::Clock::duration> now{};
  MetricsText::Clock::duration takes{};
  int gathered = 0;
  size_t expected = 0;
  std::vector<std::string> texts;
  std::thread::id gathered_in;
  std::thread::id rendered_in;
  sigset_t blocked{};  // there
  MetricsText text{loop, [this] { return gather(); }, [this] { return MetricsText::Clock::time_point(now.load()); }};
};

TEST_F(MetricsTextTest, IsRenderedInAnotherThread) {
  ask();
  EXPECT_TRUE(texts.empty()) << "never from within the call";
  await();
  EXPECT_THAT(texts, ElementsAre("1"));
  EXPECT_EQ(gathered_in, std::this_thread::get_id());
  EXPECT_NE(rendered_in, std::this_thread::get_id());
}

TEST_F(MetricsTextTest, TheThreadLeavesSignalsToTheLoopButNotItsOwnFaults) {
  ask();
  await();
  for (const int signo : {SIGTERM, SIGHUP, SIGCHLD, SIGUSR2}) EXPECT_EQ(sigismember(&blocked, signo), 1) << signo;
  for (const int signo : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
    EXPECT_EQ(sigismember(&blocked, signo), 0) << signo;
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0) << "for the time of its start alone";
}

TEST_F(MetricsTextTest, WhoAsksMeanwhileGetsTheNextOne) {
  hold(true);
  ask();
  ask();
  ask();
  EXPECT_EQ(gathered, 1) << "what is gathered was so before the second one asked";
  hold(false);
  await();
  EXPECT_THAT(texts, ElementsAre("1", "2", "2"));
}

TEST_F(MetricsTextTest, ACheapOneIsAlwaysNew) {
  takes = MetricsText::kCheap;
  for (int i = 0; i < 3; ++i) {
    ask();
    await();
  }
  EXPECT_THAT(texts, ElementsAre("1", "2", "3"));
}

TEST_F(MetricsTextTest, AnExpensiveOneTakesAFifthOfTheTimeAtMost) {
  takes = milliseconds(100);
  for (const milliseconds later : {milliseconds(0), milliseconds(0), milliseconds(399), milliseconds(1)}) {
    now = now.load() + later;
    ask();
    EXPECT_LT(texts.size(), expected) << "never from within the call";
    await();
  }
  EXPECT_THAT(texts, ElementsAre("1", "1", "1", "2"));
}

TEST_F(MetricsTextTest, WhoHasGoneIsNotCalled) {
  const auto never = [](const MetricsText::Text&) { ADD_FAILURE(); };
  hold(true);
  const uint64_t first = text.ask(never);
  const uint64_t second = text.ask(never);
  ask();
  text.abandon(first);
  text.abandon(second);
  hold(false);
  await();
  EXPECT_THAT(texts, ElementsAre("2"));
  text.abandon(first);
}

TEST_F(MetricsTextTest, EndsWithItsThread) {
  hold(true);
  text.ask([](const MetricsText::Text&) { ADD_FAILURE() << "the loop does not turn any more"; });
  hold(false);
}

}  // namespace
}  // namespace restgate::master
