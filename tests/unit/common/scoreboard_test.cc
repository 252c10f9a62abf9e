#include "common/scoreboard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace restgate {
namespace {

TEST(Scoreboard, IsSharedWithForkedProcesses) {
  const ScoreboardMemory memory = ScoreboardMemory::create();
  Scoreboard* board = memory.get();
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
  EXPECT_EQ(reinterpret_cast<uintptr_t>(ScoreboardMemory::create().get()->rows.data()) % 128, 0U);
}

TEST(Scoreboard, AnotherProgramGoesOnWithIt) {
  const ScoreboardMemory first = ScoreboardMemory::create();
  first.get()->rows[3].pid.store(77);
  const auto second = ScoreboardMemory::attach(UniqueFd(dup(first.fd())));
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_NE(second->get(), first.get());
  EXPECT_EQ(second->get()->rows[3].pid.load(), 77);
  second->get()->rows[4].pid.store(78);
  EXPECT_EQ(first.get()->rows[4].pid.load(), 78);
}

TEST(Scoreboard, RefusesWhatIsNone) {
  EXPECT_FALSE(ScoreboardMemory::attach(UniqueFd()).ok());
  EXPECT_FALSE(ScoreboardMemory::attach(UniqueFd(open("/dev/null", O_RDWR))).ok());
  auto blank = platform::create_memfd("blank", sizeof(Scoreboard));
  ASSERT_TRUE(blank.ok());
  EXPECT_FALSE(ScoreboardMemory::attach(std::move(blank).value()).ok());
  const ScoreboardMemory other = ScoreboardMemory::create();
  other.get()->version = Scoreboard::kVersion + 1;
  EXPECT_FALSE(ScoreboardMemory::attach(UniqueFd(dup(other.fd()))).ok());
}

}  // namespace
}  // namespace restgate
