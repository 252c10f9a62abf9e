// The judge against evidence that is made up: each kind of misdeed is seen, and nothing else.
#include "integration/torture/verdict.h"

#include <gtest/gtest.h>

#include <functional>

namespace restgate::itest::torture {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kWorkers = 2;

Clock::time_point at(milliseconds time) {
  return Clock::time_point(std::chrono::hours(1)) + time;
}

Mishap mishap(Kind kind, Outcome outcome, milliseconds began, milliseconds ended) {
  return {kind, outcome, at(began), at(ended), false, "made up"};
}

/// Ten GETs and a POST, all well, the gateway at rest.
Evidence blameless() {
  Evidence evidence;
  of(evidence.scores, Kind::Busy).good = 10;
  of(evidence.scores, Kind::Post).good = 1;
  evidence.clients = 3;
  evidence.posts = {{7, 1}};
  evidence.at_rest = true;
  evidence.metrics = Metrics(
      "restgate_requests_total{route=\"get\"} 10\nrestgate_requests_total{route=\"post\"} 1\n"
      "restgate_requests_in_flight 0\n");
  evidence.workers = kWorkers;
  evidence.processes = {{1, 'S'}, {2, 'S'}, {3, 'R'}};
  evidence.before = evidence.after = {10, 1 << 20};
  return evidence;
}

struct Row {
  const char* name;
  std::function<void(Evidence&)> change;
  const char* complaint;  ///< part of one; empty: there must be none
};

class Judgement : public testing::TestWithParam<Row> {};

TEST_P(Judgement, SeesWhatIsWrong) {
  Evidence evidence = blameless();
  GetParam().change(evidence);
  const Verdict verdict = judge(evidence);
  std::string all;
  for (const std::string& complaint : verdict.complaints) all += complaint + "\n";
  if (std::string_view(GetParam().complaint).empty())
    EXPECT_EQ(all, "");
  else
    EXPECT_NE(all.find(GetParam().complaint), std::string::npos) << all;
}

void add_mishap(Evidence& evidence, const Mishap& mishap) {
  of(evidence.scores, mishap.kind).mishaps.push_back(mishap);
}

void kill_between(Evidence& evidence, milliseconds began, milliseconds ended) {
  evidence.kills.push_back({at(began), at(ended)});
}

void stand_still_and_stall(Evidence& evidence, Kind kind, milliseconds began) {
  evidence.stops.push_back({at(milliseconds(0)), at(seconds(2))});
  of(evidence.scores, kind).stalls.push_back({kind, at(began), at(seconds(2))});
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"Blameless", [](Evidence&) {}, ""},
      {"Lost", [](Evidence& e) { add_mishap(e, mishap(Kind::Busy, Outcome::Reset, milliseconds(1), milliseconds(2))); },
       "lost (busy, reset)"},
      {"ExecutedByAKilledWorker",
       [](Evidence& e) {
         kill_between(e, milliseconds(5), milliseconds(6));
         add_mishap(e, mishap(Kind::Busy, Outcome::NoAnswer, milliseconds(1), milliseconds(7)));
       },
       ""},
      {"LostLongBeforeTheKill",
       [](Evidence& e) {
         kill_between(e, milliseconds(5), milliseconds(6));
         add_mishap(e, mishap(Kind::Busy, Outcome::NoAnswer, milliseconds(1), milliseconds(4)));
       },
       "lost (busy, no answer)"},
      {"RefusedThoughAnotherWorkerLives",
       [](Evidence& e) {
         kill_between(e, milliseconds(5), milliseconds(6));
         add_mishap(e, mishap(Kind::Short, Outcome::Refused, milliseconds(5), milliseconds(6)));
       },
       "lost (short, refused)"},
      {"MoreThanOneKillCanTake",
       [](Evidence& e) {
         kill_between(e, milliseconds(5), milliseconds(6));
         for (int i = 0; i < 4; ++i)
           add_mishap(e, mishap(Kind::Busy, Outcome::Reset, milliseconds(5), milliseconds(6)));
       },
       "more than there were under way"},
      {"PostTwice", [](Evidence& e) { e.posts[7] = 2; }, "came more than once"},
      {"PostAnsweredButNeverSeen", [](Evidence& e) { e.posts.clear(); }, "the origin has seen 0"},
      {"PostThatNobodySent", [](Evidence& e) { e.posts[8] = 1; }, "the origin has seen 2"},
      {"ConnectionEndedByAnAnswer", [](Evidence& e) { of(e.scores, Kind::Thinking).announced = 1; },
       "meant to be kept"},
      {"Uncounted", [](Evidence& e) { of(e.scores, Kind::Busy).good = 11; }, "the clients count 12"},
      {"CountedTwice", [](Evidence& e) { of(e.scores, Kind::Busy).good = 9; }, "the clients count 10"},
      {"CountedBeforeTheKill",
       [](Evidence& e) {
         of(e.scores, Kind::Busy).good = 11;
         kill_between(e, milliseconds(5), milliseconds(6));
       },
       ""},
      {"GaugeLeft", [](Evidence& e) { e.metrics = Metrics("restgate_tunnels 1\n"); }, "restgate_tunnels is 1"},
      {"WorkerTooMany",
       [](Evidence& e) {
         e.processes.push_back({4, 'S'});
       },
       "processes are due"},
      {"Zombie", [](Evidence& e) { e.processes.back().state = 'Z'; }, "a zombie: 3"},
      {"DescriptorLeft", [](Evidence& e) { ++e.after.descriptors; }, "descriptors of the master"},
      {"MemoryGrown", [](Evidence& e) { e.after.memory += size_t{3} << 20; }, "memory of the master"},
      {"SeenByTheWatch", [](Evidence& e) { e.complaints = {"went back"}; }, "went back"},
      {"NewConnectionStalled", [](Evidence& e) { stand_still_and_stall(e, Kind::Short, kRescue); },
       "worker that stood still"},
      {"ExecutedByAStoppedWorker", [](Evidence& e) { stand_still_and_stall(e, Kind::Short, milliseconds(0)); }, ""},
      {"KeptByAStoppedWorker", [](Evidence& e) { stand_still_and_stall(e, Kind::Busy, kRescue); }, ""},
  };
  return kRows;
}

INSTANTIATE_TEST_SUITE_P(Torture, Judgement, testing::ValuesIn(rows()), [](const auto& row) { return row.param.name; });

TEST(Judgement, CountsWhatIsLostAndWhatIsForgiven) {
  Evidence evidence = blameless();
  kill_between(evidence, milliseconds(5), milliseconds(6));
  add_mishap(evidence, mishap(Kind::Busy, Outcome::Reset, milliseconds(5), milliseconds(6)));
  add_mishap(evidence, mishap(Kind::Busy, Outcome::Timeout, milliseconds(5), milliseconds(6)));
  Mishap seen = mishap(Kind::Thinking, Outcome::NoAnswer, seconds(1), seconds(1));
  seen.seen_closed = true;
  add_mishap(evidence, seen);
  const Verdict verdict = judge(evidence);
  EXPECT_EQ(verdict.forgiven, 2U);
  EXPECT_EQ(verdict.lost, 1U);
}

}  // namespace
}  // namespace restgate::itest::torture
