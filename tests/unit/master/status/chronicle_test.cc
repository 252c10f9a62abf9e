#include "master/status/chronicle.h"

#include <gtest/gtest.h>

namespace restgate::master {
namespace {

TEST(Chronicle, KeepsTheLatest) {
  Chronicle chronicle;
  for (size_t i = 0; i < Chronicle::kKept + 5; ++i) chronicle.add(EventKind::Reload, i, "x");
  ASSERT_EQ(chronicle.events().size(), Chronicle::kKept);
  EXPECT_EQ(chronicle.events().front().generation, 5U);
  EXPECT_EQ(chronicle.events().back().number, chronicle.last());
}

TEST(Chronicle, IsBoundedAlsoAfterAHandOverOfMore) {
  std::deque<Event> handed_over;
  for (uint64_t number = 1; number <= 3 * Chronicle::kKept; ++number)
    handed_over.push_back({.number = number, .generation = number, .text = "x"});
  Chronicle chronicle;
  const uint64_t before = chronicle.last();
  chronicle.restore(std::move(handed_over));
  ASSERT_EQ(chronicle.events().size(), Chronicle::kKept);
  EXPECT_EQ(chronicle.events().back().number, 3 * Chronicle::kKept) << "the oldest went";
  chronicle.add(EventKind::Upgrade, 7, "upgraded");
  ASSERT_EQ(chronicle.events().size(), Chronicle::kKept);
  EXPECT_EQ(chronicle.events().back().generation, 7U);
  EXPECT_GT(chronicle.last(), before);
}

}  // namespace
}  // namespace restgate::master
