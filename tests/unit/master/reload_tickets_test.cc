#include "master/reload_tickets.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace restgate::master {
namespace {

/// A ticket machine with listeners that write down what they hear.
class ReloadTicketsTest : public testing::Test {
 protected:
  ReloadTickets::Id ask(const std::string& name) {
    return tickets_.open([this, name](const Verdict& verdict) { heard_ += name + " " + text(verdict) + "; "; });
  }
  /// What has been heard since the last time.
  std::string heard() {
    tickets_.tell();
    return std::exchange(heard_, "");
  }
  static std::string text(const Verdict& verdict) {
    switch (verdict.kind) {
      case Verdict::Kind::Finished:
        return "finished " + std::to_string(verdict.generation) + " with " + std::to_string(verdict.workers);
      case Verdict::Kind::Refused:
        return "refused: " + verdict.diagnostics.at(0).message;
      case Verdict::Kind::Aborted:
        return "aborted: " + verdict.reason;
    }
    return "";
  }
  static Verdict wrong(const std::string& message) {
    std::vector<config::Diagnostic> diagnostics(1);
    diagnostics[0].message = message;
    return Verdict::refused(std::move(diagnostics));
  }

  ReloadTickets tickets_;
  std::string heard_;
};

TEST_F(ReloadTicketsTest, OneRequestOneVerdict) {
  const auto id = ask("a");
  EXPECT_NE(id, 0U);
  tickets_.waits(id);
  tickets_.roll_begun();
  EXPECT_EQ(heard(), "");
  tickets_.roll_ended(Verdict::finished(2, 4));
  EXPECT_EQ(heard(), "a finished 2 with 4; ");
  tickets_.roll_ended(Verdict::finished(3, 4));
  tickets_.close(Verdict::aborted("stopping"));
  EXPECT_EQ(heard(), "") << "once";
}

TEST_F(ReloadTicketsTest, ABadFileConcernsNobodyElse) {
  const auto good = ask("good");
  tickets_.waits(good);
  const auto bad = ask("bad");
  tickets_.refused(bad, wrong("no such key"));
  EXPECT_EQ(heard(), "bad refused: no such key; ");
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(2, 1));
  EXPECT_EQ(heard(), "good finished 2 with 1; ");
}

TEST_F(ReloadTicketsTest, WhatWaitsTogetherIsSettledTogether) {
  for (const char* name : {"a", "b", "c"}) tickets_.waits(ask(name));
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(2, 1));
  EXPECT_EQ(heard(), "a finished 2 with 1; b finished 2 with 1; c finished 2 with 1; ");
}

TEST_F(ReloadTicketsTest, WhatComesDuringARollBelongsToTheNext) {
  tickets_.waits(ask("a"));
  tickets_.roll_begun();
  tickets_.waits(ask("b"));
  tickets_.roll_ended(Verdict::aborted("the canary died"));
  EXPECT_EQ(heard(), "a aborted: the canary died; ");
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(3, 1));
  EXPECT_EQ(heard(), "b finished 3 with 1; ");
}

TEST_F(ReloadTicketsTest, ARollThatCannotBeginIsForThoseThatWait) {
  tickets_.waits(ask("a"));
  const auto unread = ask("b");
  tickets_.roll_impossible(Verdict::aborted("port 80 is in use"));
  EXPECT_EQ(heard(), "a aborted: port 80 is in use; ");
  tickets_.waits(unread);
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(2, 1));
  EXPECT_EQ(heard(), "b finished 2 with 1; ");
}

TEST_F(ReloadTicketsTest, TheEndIsForAll) {
  tickets_.waits(ask("rolling"));
  tickets_.roll_begun();
  tickets_.waits(ask("waiting"));
  ask("asked");
  tickets_.close(Verdict::aborted("stopping"));
  EXPECT_EQ(heard(), "rolling aborted: stopping; waiting aborted: stopping; asked aborted: stopping; ");
}

TEST_F(ReloadTicketsTest, WhoHasGoneIsNotTold) {
  const auto before = ask("before");
  const auto after = ask("after");
  tickets_.abandon(before);
  tickets_.waits(before);
  tickets_.waits(after);
  tickets_.waits(tickets_.open({}));
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(2, 1));
  tickets_.abandon(after);
  tickets_.abandon(99);
  EXPECT_EQ(heard(), "");
}

TEST_F(ReloadTicketsTest, AListenerMayAskAgainAndSendOthersAway) {
  ReloadTickets::Id second = 0;
  ReloadTickets::Id third = 0;
  const auto first = tickets_.open([&](const Verdict&) {
    tickets_.abandon(second);
    third = ask("third");
  });
  second = ask("second");
  tickets_.waits(first);
  tickets_.waits(second);
  tickets_.roll_begun();
  tickets_.roll_ended(Verdict::finished(2, 1));
  EXPECT_EQ(heard(), "");
  tickets_.refused(third, wrong("x"));
  EXPECT_EQ(heard(), "third refused: x; ");
}

}  // namespace
}  // namespace restgate::master
