#include "worker/http1/byte_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace restgate::http1::test {
namespace {

template <typename Set>
class FindFirst : public testing::Test {};

struct Control : ControlBytes {
  static constexpr char kOther = 'x';
  static bool expected(unsigned c) { return (c < 0x20 && c != '\t') || c == 0x7F; }
};
struct Target : TargetEnds {
  static constexpr char kOther = 'x';
  static bool expected(unsigned c) { return c <= 0x20 || c == 0x7F || c == '#'; }
};
struct Path : PathEnds {
  static constexpr char kOther = 'x';
  static bool expected(unsigned c) { return Target::expected(c) || c == '?'; }
};
struct Letters : NoLetters {
  static constexpr char kOther = '-';
  static bool expected(unsigned c) { return !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-'); }
};
using Sets = testing::Types<Control, Target, Path, Letters>;
TYPED_TEST_SUITE(FindFirst, Sets);

// Each byte value at each place of texts around the width of a block, in memory that ends with the text, and begins
// with it or a few bytes before it, which are all in the set.
TYPED_TEST(FindFirst, FindsEachByteAnywhere) {
  for (const size_t before : {0, 1, 20}) {
    for (size_t size = 0; size <= 50; ++size) {
      const auto text = std::make_unique<char[]>(before + size);
      const char* const floor = text.get();
      char* const begin = text.get() + before;
      std::fill_n(text.get(), before, '\0');
      std::fill_n(begin, size, TypeParam::kOther);
      EXPECT_EQ(find_first<TypeParam>(floor, begin, begin + size), begin + size);
      for (size_t at = 0; at < size; ++at) {
        for (unsigned byte = 0; byte < 256; ++byte) {
          begin[at] = static_cast<char>(byte);
          const bool found = TypeParam::expected(byte);
          ASSERT_EQ(find_first<TypeParam>(floor, begin, begin + size), begin + (found ? at : size)) << byte;
          ASSERT_EQ(TypeParam::has(begin[at]), found) << byte;
        }
        begin[at] = TypeParam::kOther;
      }
    }
  }
}

TEST(FindFirstOfSeveral, IsTaken) {
  const std::string text = "0123456789\r\n0123456789\r\n0123456789\r\n";
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  EXPECT_EQ(find_first<ControlBytes>(begin, begin, end) - begin, 10);
  EXPECT_EQ(find_first<ControlBytes>(begin, begin + 12, end) - begin, 22);
  EXPECT_EQ(find_first<ControlBytes>(begin, begin + 24, end) - begin, 34);
}

}  // namespace
}  // namespace restgate::http1::test
