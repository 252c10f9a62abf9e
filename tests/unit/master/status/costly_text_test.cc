#include "master/status/costly_text.h"

#include <gtest/gtest.h>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;

/// The number of the text; each takes `takes` on a clock of its own.
class CostlyTextTest : public ::testing::Test {
 protected:
  std::string get(uint64_t state = 0) {
    return *text.get(state, [this] {
      now += takes;
      return std::make_shared<const std::string>(std::to_string(++written));
    });
  }

  CostlyText::Clock::time_point now{};
  CostlyText::Clock::duration takes{};
  int written = 0;
  CostlyText text{[this] { return now; }};
};

TEST_F(CostlyTextTest, ACheapOneIsAlwaysNew) {
  takes = CostlyText::kCheap;
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(get(), "2");
}

TEST_F(CostlyTextTest, AnExpensiveOneTakesATenthOfTheTimeAtMost) {
  takes = milliseconds(10);
  EXPECT_EQ(get(), "1");
  EXPECT_EQ(get(), "1");
  now += CostlyText::kRest * takes - milliseconds(1);
  EXPECT_EQ(get(), "1");
  now += milliseconds(1);
  EXPECT_EQ(get(), "2");
}

TEST_F(CostlyTextTest, IsNotGivenAgainInAnotherStateNorOnceDropped) {
  takes = milliseconds(10);
  EXPECT_EQ(get(1), "1");
  EXPECT_EQ(get(2), "2");
  EXPECT_EQ(get(2), "2");
  text.drop();
  EXPECT_EQ(get(2), "3");
}

}  // namespace
}  // namespace restgate::master
