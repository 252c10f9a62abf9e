#include "master/reconcile.h"

#include <gtest/gtest.h>

#include <csignal>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;
using State = WorkerState;

/// Times of these tests count from here, in milliseconds.
TimePoint at(int64_t ms) {
  return TimePoint{} + std::chrono::hours(1000) + milliseconds(ms);
}

int64_t ms_of(TimePoint time) {
  return std::chrono::duration_cast<milliseconds>(time - at(0)).count();
}

/// A worker process; its pid tells generation and index: 102 is index 2 of generation 1.
struct W {
  WorkerView view;
  W(uint64_t generation, uint32_t index, State state, uint32_t count = 2) {
    view.pid = static_cast<pid_t>(generation * 100 + index);
    view.generation = generation;
    view.index = index;
    view.count = count;
    view.slots = count;
    view.state = state;
    view.started = at(0);
    view.heartbeat = at(0);
    if (state == State::Draining) view.drain_deadline = at(3'600'000);
  }
  W slots(uint32_t n) && { return view.slots = n, *this; }
  W started(int64_t ms) && { return view.started = view.heartbeat = at(ms), *this; }
  W heartbeat(int64_t ms) && { return view.heartbeat = at(ms), *this; }
  W drains_for(int64_t ms) && { return view.drain_limit = milliseconds(ms), *this; }
  W until(int64_t ms) && { return view.drain_deadline = at(ms), view.drain_mode = DrainMode::End, *this; }
  W killed(int signal, int64_t ms) && { return view.signal = signal, view.killed_at = at(ms), *this; }
};

std::string text(const Action& any) {
  std::ostringstream out;
  struct Writer {
    std::ostringstream& o;
    void operator()(const action::Spawn& a) const { o << "spawn " << a.generation << "/" << a.index; }
    void operator()(const action::Drain& a) const {
      o << (a.mode == DrainMode::Roll ? "drain " : "end ") << a.pid << " until " << ms_of(a.deadline);
    }
    void operator()(const action::Kill& a) const { o << "kill " << a.pid << " with " << a.signal; }
    void operator()(const action::BeginRoll&) const { o << "begin"; }
    void operator()(const action::AbortRoll& a) const { o << "abort: " << a.reason; }
    void operator()(const action::FinishRoll&) const { o << "finish"; }
    void operator()(const action::WakeAt& a) const { o << "wake " << ms_of(a.time); }
    void operator()(const action::Exit& a) const { o << "exit " << static_cast<int>(a.cause); }
  };
  std::visit(Writer{out}, any);
  return out.str();
}

/// The wish, built up in a row's own words.
struct Wish {
  Desired desired;
  explicit Wish(uint64_t generation = 1, uint32_t workers = 2) {
    desired.current = {generation, workers, workers};
    desired.watching_since = at(-100'000);
  }
  Wish rolling_from(uint64_t generation, uint32_t workers = 2) && {
    return desired.previous = GenerationPlan{generation, workers, workers}, *this;
  }
  Wish slots(uint32_t n) && { return desired.current.slots = n, *this; }
  Wish failure(std::string why) && { return desired.failure = std::move(why), *this; }
  Wish pending(int64_t since_ms) && { return desired.pending_since = at(since_ms), *this; }
  Wish shutdown(int64_t deadline_ms, int64_t drain_at_ms = -1'000) && {
    return desired.shutdown = Shutdown{at(deadline_ms), at(drain_at_ms)}, *this;
  }
  Wish not_before(std::vector<int64_t> times) && {
    for (const int64_t t : times) desired.not_before.push_back(at(t));
    return *this;
  }
  Wish alone_since(int64_t ms) && { return desired.alone_since = at(ms), *this; }
  Wish stillborn(uint32_t n) && { return desired.stillborn = n, *this; }
  Wish watching_since(int64_t ms) && { return desired.watching_since = at(ms), *this; }
};

struct Row {
  const char* name;
  Wish wish;
  std::vector<W> workers;
  int64_t now;
  std::vector<std::string> expected;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    std::vector<WorkerView> views;
    for (const W& worker : row.workers) views.push_back(worker.view);
    std::vector<std::string> actual;
    for (const Action& a : reconcile(row.wish.desired, views, at(row.now))) actual.push_back(text(a));
    EXPECT_EQ(actual, row.expected) << row.name;
  }
}

constexpr auto kStarting = State::Starting;
constexpr auto kReady = State::Ready;
constexpr auto kDraining = State::Draining;
constexpr auto kKilled = State::Killed;

TEST(Reconcile, KeepsTheNumberOfWorkers) {
  check({
      {"start: all at once", Wish(1, 3), {}, 0, {"spawn 1/0", "spawn 1/1", "spawn 1/2"}},
      {"starting ones are waited for", Wish(), {{1, 0, kStarting}, {1, 1, kStarting}}, 10, {"wake 10000"}},
      {"all is well", Wish(), {{1, 0, kReady}, {1, 1, kReady}}, 10, {"wake 5000"}},
      {"one died: respawned at once", Wish(), {{1, 1, kReady}}, 10, {"spawn 1/0"}},
      {"killed is as good as gone", Wish(), {W(1, 0, kKilled).killed(SIGABRT, 0), {1, 1, kReady}}, 10, {"spawn 1/0"}},
      {"drains by itself: replaced at once", Wish(), {{1, 0, kDraining}, {1, 1, kReady}}, 10, {"spawn 1/0"}},
      {"a draining one besides its successor",
       Wish(1, 1),
       {{1, 0, kDraining, 1}, {1, 0, kReady, 1}},
       10,
       {"wake 5000"}},
  });
}

TEST(Reconcile, BacksOff) {
  check({
      {"not before its time", Wish().not_before({150, 0}).alone_since(100), {{1, 1, kReady}}, 100, {"wake 150"}},
      {"then", Wish().not_before({150, 0}).alone_since(100), {{1, 1, kReady}}, 150, {"spawn 1/0"}},
      {"each its own", Wish(1, 3).not_before({150, 90, 200}), {{1, 1, kReady, 3}}, 150, {"spawn 1/0"}},
      {"long while another serves",
       Wish().not_before({10'000, 0}).alone_since(100),
       {W(1, 1, kReady).heartbeat(4000)},
       4000,
       {"wake 9000"}},
      {"nobody serves: the nearest comes after 1 s",
       Wish().not_before({10'000, 8'000}).alone_since(100),
       {},
       200,
       {"wake 1100"}},
      {"nobody serves: only the nearest", Wish().not_before({9'000, 8'000}).alone_since(100), {}, 1100, {"spawn 1/1"}},
      {"nobody serves, but soon", Wish().not_before({300, 8'000}).alone_since(100), {}, 200, {"wake 300"}},
  });
}

TEST(Reconcile, Rolls) {
  check({
      {"begins when asked", Wish().pending(5), {{1, 0, kReady}, {1, 1, kReady}}, 10, {"begin"}},
      {"the canary first", Wish(2).rolling_from(1), {{1, 0, kReady}, {1, 1, kReady}}, 10, {"spawn 2/0"}},
      {"it is waited for",
       Wish(2).rolling_from(1),
       {{1, 0, kReady}, {1, 1, kReady}, W(2, 0, kStarting).started(10)},
       20,
       {"wake 5000"}},
      {"and its end, when it is being killed",
       Wish(2).rolling_from(1),
       {{1, 0, kReady}, {1, 1, kReady}, W(2, 0, kKilled).killed(SIGABRT, 15)},
       20,
       {"wake 1015"}},
      {"ready: the old one of its place drains",
       Wish(2).rolling_from(1),
       {{1, 0, kReady}, {1, 1, kReady}, {2, 0, kReady}},
       30,
       {"drain 100 until 3600030"}},
      {"then the next",
       Wish(2).rolling_from(1),
       {{1, 0, kDraining}, {1, 1, kReady}, {2, 0, kReady}},
       30,
       {"spawn 2/1"}},
      {"one by one",
       Wish(2, 3).rolling_from(1, 3),
       {{1, 0, kDraining, 3}, {1, 1, kReady, 3}, {1, 2, kReady, 3}, {2, 0, kReady, 3}, {2, 1, kStarting, 3}},
       30,
       {"wake 5000"}},
      {"the last drains",
       Wish(2).rolling_from(1),
       {{1, 1, kReady}, {2, 0, kReady}, {2, 1, kReady}},
       40,
       {"drain 101 until 3600040"}},
      {"done while the old still drain",
       Wish(2).rolling_from(1),
       {{1, 0, kDraining}, {1, 1, kDraining}, {2, 0, kReady}, {2, 1, kReady}},
       40,
       {"finish"}},
      {"after it, drains are only watched",
       Wish(2),
       {{1, 0, kDraining}, {2, 0, kReady}, {2, 1, kReady}},
       50,
       {"wake 5000"}},
      {"a newer wish waits for the end of a roll",
       Wish(2).rolling_from(1).pending(20),
       {{1, 0, kReady}, {1, 1, kReady}, W(2, 0, kStarting).started(10)},
       30,
       {"wake 5000"}},
      {"and then has its turn",
       Wish(2).pending(20),
       {{1, 0, kDraining}, {2, 0, kReady}, {2, 1, kReady}},
       50,
       {"begin"}},
      {"a new worker was lost: first the old generation serves its slot",
       Wish(2).rolling_from(1).not_before({0, 0}),
       {{1, 1, kDraining}, {2, 1, kReady}},
       50,
       {"spawn 1/0"}},
      {"then the new one is had again",
       Wish(2).rolling_from(1).not_before({0, 0}),
       {{1, 0, kStarting}, {1, 1, kDraining}, {2, 1, kReady}},
       50,
       {"spawn 2/0"}},
  });
}

TEST(Reconcile, KeepsTheOldGenerationWhole) {
  check({
      {"an old worker dies before the canary is ready",
       Wish(2).rolling_from(1),
       {{1, 1, kReady}, {2, 0, kStarting}},
       20,
       {"spawn 1/0"}},
      {"an old worker dies whose place is taken",
       Wish(2).rolling_from(1),
       {{1, 1, kReady}, {2, 0, kReady}},
       20,
       {"spawn 2/1"}},
      {"a respawned old one that is late drains",
       Wish(2).rolling_from(1),
       {{1, 0, kStarting}, {1, 1, kReady}, {2, 0, kReady}},
       20,
       {"drain 100 until 3600020"}},
      {"the old one's back-off holds in a roll",
       Wish(2).rolling_from(1).not_before({500}),
       {{1, 1, kReady}, W(2, 1, kReady)},
       20,
       {"drain 101 until 3600020"}},
  });
}

TEST(Reconcile, Resizes) {
  check({
      // Two slots, two workers, growing to four: nobody drains before its slot is served.
      {"growth: the first replaces the first",
       Wish(2, 4).rolling_from(1, 2),
       {{1, 0, kReady}, {1, 1, kReady}, {2, 0, kReady, 4}},
       10,
       {"drain 100 until 3600010"}},
      {"growth: beyond the old ones",
       Wish(2, 4).rolling_from(1, 2),
       {{2, 0, kReady, 4}, {2, 1, kReady, 4}},
       10,
       {"spawn 2/2"}},
      // Four slots are left from a larger generation: old worker 0 serves 0 and 2.
      {"growth in place: old 0 waits for new 2",
       Wish(2, 4).rolling_from(1, 2),
       {W(1, 0, kReady).slots(4), W(1, 1, kReady).slots(4), {2, 0, kReady, 4}},
       10,
       {"spawn 2/1"}},
      {"growth in place: new 2 is ready",
       Wish(2, 4).rolling_from(1, 2),
       {W(1, 0, kReady).slots(4), W(1, 1, kReady).slots(4), {2, 0, kReady, 4}, {2, 1, kReady, 4}, {2, 2, kReady, 4}},
       10,
       {"drain 100 until 3600010"}},
      {"shrink: new 0 of 2 takes the slots of 0 and 2",
       Wish(2, 2).slots(4).rolling_from(1, 4),
       {{1, 0, kReady, 4}, {1, 1, kReady, 4}, {1, 2, kReady, 4}, {1, 3, kReady, 4}, W(2, 0, kReady).slots(4)},
       10,
       {"drain 100 until 3600010", "drain 102 until 3600010"}},
      {"shrink: then the rest",
       Wish(2, 2).slots(4).rolling_from(1, 4),
       {{1, 1, kReady, 4}, {1, 3, kReady, 4}, W(2, 0, kReady).slots(4), W(2, 1, kReady).slots(4)},
       10,
       {"drain 101 until 3600010", "drain 103 until 3600010"}},
      {"shrink to one",
       Wish(2, 1).slots(3).rolling_from(1, 3),
       {{1, 0, kReady, 3}, {1, 1, kReady, 3}, {1, 2, kReady, 3}, W(2, 0, kReady, 1).slots(3)},
       10,
       {"drain 100 until 3600010", "drain 101 until 3600010", "drain 102 until 3600010"}},
      {"abandoned growth: slot 2 listens already, new 2 stays until old 0 serves it again",
       Wish(1, 2).slots(4),
       {W(1, 0, kStarting).slots(4), W(1, 1, kReady).slots(4), W(2, 0, kReady, 4), W(2, 1, kReady, 4),
        W(2, 2, kReady, 4)},
       10,
       {"drain 201 until 3600010"}},
      {"abandoned growth: old 0 is back",
       Wish(1, 2).slots(4),
       {W(1, 0, kReady).slots(4), W(1, 1, kReady).slots(4), W(2, 0, kReady, 4), W(2, 2, kReady, 4)},
       10,
       {"drain 200 until 3600010", "drain 202 until 3600010"}},
  });
}

TEST(Reconcile, AbandonsABadRoll) {
  check({
      {"the new one died",
       Wish(2).rolling_from(1).failure("worker 0 died"),
       {{1, 0, kReady}, {1, 1, kReady}},
       20,
       {"abort: worker 0 died"}},
      {"the new one is not ready in time",
       Wish(2).rolling_from(1),
       {W(1, 0, kReady).heartbeat(10'000), W(1, 1, kReady).heartbeat(10'000), {2, 0, kStarting}},
       10'000,
       {"kill 200 with 6", "abort: worker 0 of the new generation was not ready within 10 s"}},
      {"the new one hangs",
       Wish(2).rolling_from(1),
       {W(1, 1, kReady).heartbeat(5'000), {2, 0, kReady}, W(2, 1, kStarting).started(5'000)},
       5'000,
       {"kill 200 with 6", "abort: worker 0 of the new generation hung for 5 s"}},
      {"two reasons are one abort",
       Wish(2).rolling_from(1),
       {W(1, 0, kReady).heartbeat(9'999), {2, 0, kReady}, {2, 1, kStarting}},
       10'000,
       {"kill 200 with 6", "abort: worker 0 of the new generation hung for 5 s", "kill 201 with 6"}},
      {"an old one that hangs is no fault of the new",
       Wish(2).rolling_from(1),
       {{1, 0, kReady}, W(1, 1, kReady).heartbeat(5'000), W(2, 0, kStarting).started(4'000)},
       5'000,
       {"kill 100 with 6"}},
      {"afterwards: the drained old worker is had again",
       Wish(1),
       {{1, 0, kDraining}, {1, 1, kReady}, {2, 0, kReady}},
       30,
       {"spawn 1/0"}},
      {"the discarded one serves until then",
       Wish(1),
       {W(1, 0, kStarting).started(30), {1, 1, kReady}, {2, 0, kReady}},
       40,
       {"wake 5000"}},
      {"and then drains", Wish(1), {{1, 0, kReady}, {1, 1, kReady}, {2, 0, kReady}}, 50, {"drain 200 until 3600050"}},
      {"a discarded one that was starting goes at once",
       Wish(1),
       {{1, 0, kReady}, {2, 1, kStarting}},
       50,
       {"drain 201 until 3600050"}},
      {"a discarded one that was killed is only waited for",
       Wish(1),
       {{1, 0, kReady}, {1, 1, kReady}, W(2, 0, kKilled).killed(SIGKILL, 0)},
       50,
       {"wake 5000"}},
  });
}

TEST(Reconcile, EndsWhatHangs) {
  check({
      {"a heartbeat in time", Wish(1, 1), {W(1, 0, kReady, 1).heartbeat(1'000)}, 5'999, {"wake 6000"}},
      {"a heartbeat that is late", Wish(1, 1), {W(1, 0, kReady, 1).heartbeat(1'000)}, 6'000, {"kill 100 with 6"}},
      {"a draining one too",
       Wish(1, 1),
       {W(1, 0, kDraining, 1).heartbeat(1'000), W(1, 0, kReady, 1).heartbeat(5'999)},
       6'000,
       {"kill 100 with 6"}},
      {"deaf to SIGABRT: not yet",
       Wish(1, 1),
       {W(1, 0, kKilled, 1).killed(SIGABRT, 6'000), W(1, 0, kReady, 1).heartbeat(6'500)},
       6'999,
       {"wake 7000"}},
      {"deaf to SIGABRT",
       Wish(1, 1),
       {W(1, 0, kKilled, 1).killed(SIGABRT, 6'000), W(1, 0, kReady, 1).heartbeat(6'500)},
       7'000,
       {"kill 100 with 9"}},
      {"once killed, nothing more",
       Wish(1, 1),
       {W(1, 0, kKilled, 1).killed(SIGKILL, 6'000), W(1, 0, kReady, 1).heartbeat(60'000)},
       60'000,
       {"wake 65000"}},
      {"never ready", Wish(1, 1), {W(1, 0, kStarting, 1)}, 10'000, {"kill 100 with 6"}},
      {"the master itself was stopped: everybody gets time",
       Wish(1, 1).watching_since(60'000),
       {W(1, 0, kReady, 1).heartbeat(1'000)},
       60'000,
       {"wake 65000"}},
      {"but not for ever",
       Wish(1, 1).watching_since(60'000),
       {W(1, 0, kReady, 1).heartbeat(1'000)},
       65'000,
       {"kill 100 with 6"}},
      {"the same for a start", Wish(1, 1).watching_since(60'000), {W(1, 0, kStarting, 1)}, 60'000, {"wake 70000"}},
  });
}

TEST(Reconcile, BoundsDrains) {
  check({
      {"each worker by its own generation's measure",
       Wish(2, 1),
       {W(1, 0, kReady, 1).drains_for(7'000), W(0, 0, kReady, 1).drains_for(9'000), {2, 0, kReady, 1}},
       10,
       {"drain 100 until 7010", "drain 0 until 9010"}},
      {"a drain's deadline: the worker keeps it itself",
       Wish(2, 1),
       {W(1, 0, kDraining, 1).until(3'000).heartbeat(3'000), W(2, 0, kReady, 1).heartbeat(3'000)},
       3'000,
       {"wake 3500"}},
      {"and if it does not",
       Wish(2, 1),
       {W(1, 0, kDraining, 1).until(3'000).heartbeat(3'000), W(2, 0, kReady, 1).heartbeat(3'000)},
       3'500,
       {"kill 100 with 9"}},
      {"an hour is enough for an old generation: it is told to end",
       Wish(2, 1),
       {W(1, 0, kDraining, 1).heartbeat(3'600'000), W(2, 0, kReady, 1).heartbeat(3'600'000)},
       3'600'000,
       {"end 100 until 3601000"}},
      {"two generations drain: the third roll waits",
       Wish(3, 1).pending(1'000),
       {W(1, 0, kDraining, 1), W(2, 0, kDraining, 1), W(3, 0, kReady, 1)},
       1'000,
       {"wake 5000"}},
      {"one of them is gone", Wish(3, 1).pending(1'000), {W(2, 0, kDraining, 1), W(3, 0, kReady, 1)}, 1'500, {"begin"}},
      {"what is killed does not count",
       Wish(3, 1).pending(1'000),
       {W(1, 0, kKilled, 1).killed(SIGKILL, 900), W(2, 0, kDraining, 1), W(3, 0, kReady, 1)},
       1'500,
       {"begin"}},
      {"patience ends: the oldest is cut short",
       Wish(3, 1).pending(1'000),
       {W(1, 0, kDraining, 1).heartbeat(30'000), W(2, 0, kDraining, 1).heartbeat(30'000),
        W(3, 0, kReady, 1).heartbeat(30'000)},
       31'000,
       {"end 100 until 32000"}},
      {"once",
       Wish(3, 1).pending(1'000),
       {W(1, 0, kDraining, 1).heartbeat(31'000).until(32'000), W(2, 0, kDraining, 1).heartbeat(31'000),
        W(3, 0, kReady, 1).heartbeat(31'000)},
       31'100,
       {"wake 32500"}},
  });
}

TEST(Reconcile, ShutsDown) {
  const auto forced = "exit " + std::to_string(static_cast<int>(action::ExitCause::Forced));
  const auto drained = "exit " + std::to_string(static_cast<int>(action::ExitCause::Drained));
  check({
      {"everybody drains, who starts too",
       Wish().shutdown(15'000),
       {{1, 0, kReady}, {1, 1, kStarting}},
       0,
       {"end 100 until 15000", "end 101 until 15000"}},
      {"who drains already gets the nearer deadline",
       Wish(2, 1).shutdown(15'000),
       {W(1, 0, kDraining, 1), W(2, 0, kDraining, 1).until(14'000)},
       0,
       {"end 100 until 15000"}},
      {"who drains for a roll is told that the end has come",
       Wish(2, 1).shutdown(15'000),
       {W(1, 0, kDraining, 1)},
       1'000,
       {"end 100 until 15000"}},
      {"is waited for", Wish(1, 1).shutdown(15'000), {W(1, 0, kDraining, 1).until(15'000)}, 0, {"wake 5000"}},
      {"nothing is respawned", Wish().shutdown(15'000), {W(1, 0, kDraining).until(15'000)}, 0, {"wake 5000"}},
      {"nothing rolls",
       Wish(2, 1).rolling_from(1, 1).pending(0).failure("x").shutdown(15'000),
       {W(1, 0, kDraining, 1).until(15'000), W(2, 0, kDraining, 1).until(15'000)},
       0,
       {"wake 5000"}},
      {"all gone", Wish().shutdown(15'000), {}, 14'999, {drained}},
      {"all gone, but late", Wish().shutdown(15'000), {}, 15'000, {forced}},
      {"at the deadline the worker ends itself",
       Wish(1, 1).shutdown(15'000),
       {W(1, 0, kDraining, 1).until(15'000).heartbeat(15'000)},
       15'000,
       {"wake 15500"}},
      {"or is ended",
       Wish(1, 1).shutdown(15'000),
       {W(1, 0, kDraining, 1).until(15'000).heartbeat(15'000)},
       15'500,
       {"kill 100 with 9"}},
      {"a second signal: the deadline is now",
       Wish(1, 1).shutdown(2'000),
       {W(1, 0, kDraining, 1).until(15'000).heartbeat(1'999)},
       2'000,
       {"end 100 until 2000"}},
      {"a killed one is waited for",
       Wish(1, 1).shutdown(2'000),
       {W(1, 0, kKilled, 1).killed(SIGKILL, 2'000)},
       2'000,
       {}},
      {"a hung one is ended before the deadline",
       Wish(1, 1).shutdown(15'000),
       {W(1, 0, kDraining, 1).until(15'000)},
       5'000,
       {"kill 100 with 6"}},
  });
}

TEST(Reconcile, ServesOnUntilTheDrainBegins) {
  check({
      {"nobody drains yet", Wish().shutdown(15'000, 3'000), {{1, 0, kReady}, {1, 1, kReady}}, 10, {"wake 3000"}},
      {"who dies is replaced", Wish().shutdown(15'000, 3'000), {{1, 0, kReady}}, 10, {"spawn 1/1"}},
      {"a roll goes on",
       Wish(2, 1).rolling_from(1, 1).shutdown(15'000, 3'000),
       {{1, 0, kReady, 1}, {2, 0, kReady, 1}},
       10,
       {"drain 100 until 3600010"}},
      {"none begins", Wish().pending(0).shutdown(15'000, 3'000), {{1, 0, kReady}, {1, 1, kReady}}, 10, {"wake 3000"}},
      {"then",
       Wish().shutdown(15'000, 3'000),
       {{1, 0, kReady}, {1, 1, kReady}},
       3'000,
       {"end 100 until 15000", "end 101 until 15000"}},
  });
}

TEST(Reconcile, GivesUpWhenNobodyEverServed) {
  const auto never = "exit " + std::to_string(static_cast<int>(action::ExitCause::NeverServed));
  check({
      {"not yet", Wish(1, 1).stillborn(4), {}, 0, {"spawn 1/0"}},
      {"ends what there is", Wish().stillborn(5), {{1, 0, kStarting}}, 0, {"kill 100 with 9"}},
      {"waits for it", Wish().stillborn(5), {W(1, 0, kKilled).killed(SIGKILL, 0)}, 0, {}},
      {"exits", Wish().stillborn(5), {}, 0, {never}},
  });
}

}  // namespace
}  // namespace restgate::master
