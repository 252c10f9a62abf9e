// Who serves which slot, who has room: read from a scoreboard that the test writes.
#include "worker/peers.h"

#include <gtest/gtest.h>

#include <memory>

namespace restgate::worker {
namespace {

constexpr int64_t kNow = 1'000'000;

class PeersTest : public testing::Test {
 protected:
  struct Row {
    uint64_t generation;
    uint32_t index;
    uint32_t count;
    uint32_t connections;
    bool accepting = true;
    int64_t age_ms = 0;
  };
  void write(std::initializer_list<Row> rows) {
    uint32_t i = 0;
    for (const Row& row : rows) {
      ScoreboardRow& to = board_->rows[i++];
      to.pid = 100 + static_cast<int32_t>(i);
      to.generation = row.generation;
      to.index = row.index;
      to.count = row.count;
      to.connections = row.connections;
      to.accepting = row.accepting ? 1 : 0;
      to.heartbeat_ms = kNow - row.age_ms;
    }
    board_->rows_used = i;
  }
  Peers of_row(uint32_t row, uint64_t generation) { return {board_.get(), row, generation}; }

  std::unique_ptr<Scoreboard> board_ = std::make_unique<Scoreboard>();
};

TEST_F(PeersTest, ASlotIsServedByItsWorkerOfAnyGenerationWhileItsHeartBeats) {
  write({{1, 0, 2, 0}, {1, 1, 2, 0}, {2, 2, 3, 0}});
  const Peers peers = of_row(0, 1);
  EXPECT_TRUE(peers.serve(1, kNow));
  EXPECT_TRUE(peers.serve(3, kNow));
  EXPECT_TRUE(peers.serve(2, kNow)) << "2 of 3, of the next generation";
  EXPECT_FALSE(peers.serve(0, kNow)) << "only by this one itself";
  EXPECT_FALSE(peers.serve(4, kNow));
  EXPECT_FALSE(peers.serve(1, kNow + Peers::kStaleMs + 1));
}

TEST_F(PeersTest, WhoDoesNotAcceptServesNothing) {
  write({{1, 0, 2, 0}, {1, 1, 2, 0, false}});
  EXPECT_FALSE(of_row(0, 1).serve(1, kNow));
}

TEST_F(PeersTest, TheSuccessorIsTheLeastLoadedOfTheNewestGeneration) {
  write({{1, 0, 2, 9}, {1, 1, 2, 0}, {2, 0, 2, 5}, {2, 1, 2, 3}});
  EXPECT_EQ(of_row(0, 1).successor(2), 1U);
  EXPECT_EQ(of_row(0, 1).successor(1), 0U) << "the other one's mailbox is not known here";
  write({{1, 0, 2, 9}, {1, 1, 2, 7}, {2, 0, 2, 5, false}, {2, 1, 2, 3, false}});
  EXPECT_EQ(of_row(0, 1).successor(2), 1U) << "a peer, if there is nobody newer";
  EXPECT_EQ(of_row(2, 2).successor(2), 1U) << "somebody older, if the new generation was given up";
  write({{1, 0, 2, 9, false}, {2, 1, 2, 3, false}});
  EXPECT_EQ(of_row(0, 1).successor(2), std::nullopt);
}

TEST_F(PeersTest, WhatWasSentCountsUntilTheNextHeartbeat) {
  write({{1, 0, 3, 9}, {2, 0, 2, 5}, {2, 1, 2, 4}});
  Peers peers = of_row(0, 1);
  EXPECT_EQ(peers.successor(3), 1U);
  peers.sent();
  peers.sent();
  EXPECT_EQ(peers.successor(3), 0U);
  board_->rows[2].beats = 1;  // it has taken them, or not yet: its row tells
  EXPECT_EQ(peers.successor(3), 1U);
}

TEST_F(PeersTest, AFreshConnectionMovesOnlyToClearlyFewer) {
  struct Case {
    uint32_t mine, theirs;
    bool moves;
  };
  for (const Case& c : {Case{0, 0, false},
                        {1, 0, true},
                        {4, 4, false},
                        {5, 4, false},
                        {7, 4, true},
                        {105, 100, false},
                        {111, 100, true}}) {
    write({{1, 0, 2, c.mine}, {1, 1, 2, c.theirs}});
    EXPECT_EQ(of_row(0, 1).lighter(c.mine, 2, kNow).has_value(), c.moves) << c.mine << " to " << c.theirs;
  }
}

TEST_F(PeersTest, AFreshConnectionNeverGoesToOneThatHangsOrIsOfAnotherGeneration) {
  write({{1, 0, 3, 50}, {1, 1, 3, 0, true, 1000}, {2, 0, 2, 0}, {1, 2, 3, 0, false}});
  EXPECT_EQ(of_row(0, 1).lighter(50, 3, kNow), std::nullopt);
}

TEST(Peers, AWorkerAloneHasNone) {
  Peers peers(nullptr, 0, 1);
  EXPECT_FALSE(peers.serve(0, kNow));
  EXPECT_EQ(peers.successor(8), std::nullopt);
  EXPECT_EQ(peers.lighter(100, 8, kNow), std::nullopt);
}

}  // namespace
}  // namespace restgate::worker
