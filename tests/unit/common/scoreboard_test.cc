#include "common/scoreboard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace restgate {
namespace {

TEST(Scoreboard, IsSharedWithForkedProcesses) {
  Scoreboard* board = Scoreboard::create();
  for (const ScoreboardRow& row : board->rows) EXPECT_EQ(row.pid.load(), 0);
  const pid_t child = fork();
  if (child == 0) {
    board->rows[kScoreboardRows - 1].heartbeat_ms.store(1'234);
    board->rows[0].connections.store(5);
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(board->rows[kScoreboardRows - 1].heartbeat_ms.load(), 1'234);
  EXPECT_EQ(board->rows[0].connections.load(), 5U);
}

TEST(Scoreboard, RowsShareNoCacheLine) {
  static_assert(sizeof(ScoreboardRow) % 128 == 0 && alignof(ScoreboardRow) == 128);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(Scoreboard::create()) % 128, 0U);
}

}  // namespace
}  // namespace restgate
