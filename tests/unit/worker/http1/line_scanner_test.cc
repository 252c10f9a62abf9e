#include "worker/http1/line_scanner.h"

#include <gtest/gtest.h>

#include <string>

namespace restgate::http1::test {
namespace {

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

TEST(NextLine, TellsOffences) {
  const auto status = [](std::string_view text) {
    LineCursor cursor;
    std::string_view line;
    return next_line(text.data(), text.data() + text.size(), cursor, line);
  };
  EXPECT_EQ(status("a\n"), LineStatus::BareLf);
  EXPECT_EQ(status("a\rb\r\n"), LineStatus::BareCr);
  EXPECT_EQ(status(std::string_view("a\0b\r\n", 5)), LineStatus::Control);
  EXPECT_EQ(status("a\x7F"), LineStatus::Control);
  EXPECT_EQ(status("a\t\r\n"), LineStatus::Complete);
}

}  // namespace
}  // namespace restgate::http1::test
