#include "worker/http1/line_scanner.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace restgate::http1::test {
namespace {

// Each byte value at each place of texts around the width of a vector, in memory that ends with the text.
TEST(FindControl, FindsTheFirstControlCharacterAnywhere) {
  for (size_t size = 0; size <= 50; ++size) {
    const auto text = std::make_unique<char[]>(size);
    std::fill_n(text.get(), size, 'x');
    EXPECT_EQ(find_control(text.get(), text.get() + size), text.get() + size);
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7F;
        EXPECT_EQ(find_control(text.get(), text.get() + size), text.get() + (control ? at : size)) << byte;
      }
      text[at] = 'x';
    }
  }
}

TEST(FindControl, TakesTheFirstOfSeveral) {
  const std::string text = "0123456789\r\n0123456789\r\n0123456789\r\n";
  EXPECT_EQ(find_control(text.data(), text.data() + text.size()) - text.data(), 10);
  EXPECT_EQ(find_control(text.data() + 12, text.data() + text.size()) - text.data(), 22);
}

TEST(NextLine, GoesOnWhereItStopped) {
  const std::string text = "ab\r\n\r\ncd\r";
  LineCursor cursor;
  std::string_view line;
  EXPECT_EQ(next_line(text.data(), text.data() + 1, cursor, line), LineStatus::Incomplete);
  EXPECT_EQ(cursor.scan, 1U);
  EXPECT_EQ(next_line(text.data(), text.data() + 3, cursor, line), LineStatus::Incomplete);
  EXPECT_EQ(cursor.scan, 2U);
  EXPECT_EQ(next_line(text.data(), text.data() + text.size(), cursor, line), LineStatus::Complete);
  EXPECT_EQ(line, "ab");
  cursor.line = cursor.scan;
  EXPECT_EQ(next_line(text.data(), text.data() + text.size(), cursor, line), LineStatus::Complete);
  EXPECT_EQ(line, "");
  cursor.line = cursor.scan;
  EXPECT_EQ(next_line(text.data(), text.data() + text.size(), cursor, line), LineStatus::Incomplete);
  EXPECT_EQ(cursor.line, 6U);
}

}  // namespace
}  // namespace restgate::http1::test
