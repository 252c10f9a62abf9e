#include "config/duration.h"

#include <gtest/gtest.h>

#include <ostream>

namespace restgate::config {
namespace {

struct Good {
  std::string_view text;
  int64_t milliseconds;
};
std::ostream& operator<<(std::ostream& out, const Good& row) {
  return out << row.text;
}

class GoodDuration : public testing::TestWithParam<Good> {};

TEST_P(GoodDuration, IsRead) {
  const auto duration = parse_duration(GetParam().text);
  ASSERT_TRUE(duration.ok()) << duration.error().message;
  EXPECT_EQ(duration->count(), GetParam().milliseconds);
}

INSTANTIATE_TEST_SUITE_P(Rows, GoodDuration,
                         testing::Values(Good{"0", 0}, Good{"+0", 0}, Good{"0s", 0}, Good{"500ms", 500},
                                         Good{"10s", 10'000}, Good{"+5s", 5'000}, Good{"1m30s", 90'000},
                                         Good{"1.5h", 5'400'000}, Good{"1h2m3s4ms", 3'723'004}, Good{".5s", 500},
                                         Good{"5.s", 5'000}, Good{"0.1s", 100}, Good{"0.3s", 300},
                                         Good{"1.001s", 1'001}, Good{"1000us", 1}, Good{"1000\u00b5s", 1},
                                         Good{"1000\u03bcs", 1}, Good{"1000000ns", 1}, Good{"1ns", 1},
                                         Good{"1001us", 2}, Good{"3s1m", 63'000},
                                         Good{"2562047h47m16.854s", 9'223'372'036'854}));

struct Bad {
  std::string_view text;
  size_t offset;
  std::string_view part;  // of the message
};
std::ostream& operator<<(std::ostream& out, const Bad& row) {
  return out << row.text;
}

class BadDuration : public testing::TestWithParam<Bad> {};

TEST_P(BadDuration, IsRefused) {
  const auto duration = parse_duration(GetParam().text);
  ASSERT_FALSE(duration.ok()) << duration->count();
  EXPECT_NE(duration.error().message.find(GetParam().part), std::string::npos) << duration.error().message;
  EXPECT_EQ(duration.error().offset, GetParam().offset);
}

INSTANTIATE_TEST_SUITE_P(Rows, BadDuration,
                         testing::Values(Bad{"", 0, "expected a duration"}, Bad{"+", 0, "expected a duration"},
                                         Bad{"-1s", 0, "negative"}, Bad{"10", 2, "'10s' for seconds"},
                                         Bad{"1.5", 3, "unit is missing"}, Bad{"1m30", 4, "unit is missing"},
                                         Bad{"1d", 1, "1 day is 24h"}, Bad{"10 s", 2, "no blanks"},
                                         Bad{"5min", 1, "did you mean 'm'"}, Bad{"5sec", 1, "did you mean 's'"},
                                         Bad{"5MS", 1, "did you mean 'ms'"}, Bad{"5y", 1, "unknown unit 'y'"},
                                         Bad{"s", 0, "expected a duration"}, Bad{".s", 0, "expected a duration"},
                                         Bad{"1s-1ms", 1, "unknown unit"}, Bad{"1s,", 1, "unknown unit"},
                                         Bad{"9999999h", 0, "too long"}, Bad{"18446744073709551616ns", 0, "too long"},
                                         Bad{"2562047h48m", 8, "too long"}, Bad{"\xff", 0, "'\\xff'"}));

}  // namespace
}  // namespace restgate::config
