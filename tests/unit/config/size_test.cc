#include "config/size.h"

#include <gtest/gtest.h>

#include <ostream>

namespace restgate::config {
namespace {

struct Good {
  std::string_view text;
  uint64_t bytes;
};
std::ostream& operator<<(std::ostream& out, const Good& row) {
  return out << row.text;
}

class GoodSize : public testing::TestWithParam<Good> {};

TEST_P(GoodSize, IsRead) {
  const auto size = parse_size(GetParam().text);
  ASSERT_TRUE(size.ok()) << size.error().message;
  EXPECT_EQ(*size, GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(Rows, GoodSize,
                         testing::Values(Good{"0", 0}, Good{"512", 512}, Good{"512B", 512}, Good{"1KB", 1000},
                                         Good{"1kB", 1000}, Good{"64KiB", 65536}, Good{"10MB", 10'000'000},
                                         Good{"1MiB", 1048576}, Good{"2GB", 2'000'000'000}, Good{"1GiB", 1073741824},
                                         Good{"1TB", 1'000'000'000'000}, Good{"1TiB", 1099511627776},
                                         Good{"9223372036854775807", 9223372036854775807U}));

struct Bad {
  std::string_view text;
  size_t offset;
  std::string_view part;  // of the message
};
std::ostream& operator<<(std::ostream& out, const Bad& row) {
  return out << row.text;
}

class BadSize : public testing::TestWithParam<Bad> {};

TEST_P(BadSize, IsRefused) {
  const auto size = parse_size(GetParam().text);
  ASSERT_FALSE(size.ok()) << *size;
  EXPECT_NE(size.error().message.find(GetParam().part), std::string::npos) << size.error().message;
  EXPECT_EQ(size.error().offset, GetParam().offset);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadSize,
    testing::Values(Bad{"", 0, "expected a size"}, Bad{"-1", 0, "negative"}, Bad{"+1", 0, "expected a size"},
                    Bad{"MB", 0, "expected a size"}, Bad{"1.5MB", 1, "whole number"}, Bad{"10 MB", 2, "no blanks"},
                    Bad{"64k", 2, "'KB' or 'KiB'"}, Bad{"64m", 2, "'MB' or 'MiB'"}, Bad{"64Ki", 2, "'KiB'"},
                    Bad{"64kib", 2, "'KiB'"}, Bad{"64mb", 2, "'MB'"}, Bad{"1b", 1, "'B'"},
                    Bad{"1PB", 1, "the units are"}, Bad{"9223372036854775808", 0, "too large"},
                    Bad{"18446744073709551616", 0, "too large"}, Bad{"99999999TB", 0, "too large"}));

}  // namespace
}  // namespace restgate::config
