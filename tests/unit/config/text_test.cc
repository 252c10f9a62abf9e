#include "config/text.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace restgate::config {
namespace {

TEST(DecodeUtf8, TakesWhatIsValid) {
  const std::string text = "a\u00e9\u20ac\U0001f600";
  size_t at = 0;
  for (const uint32_t expected : {0x61U, 0xe9U, 0x20acU, 0x1f600U}) {
    const CodePoint point = decode_utf8(text, at);
    EXPECT_TRUE(point.valid);
    EXPECT_EQ(point.value, expected);
    at += point.length;
  }
  EXPECT_EQ(at, text.size());
  EXPECT_EQ(count_code_points(text), 4U);
}

TEST(DecodeUtf8, RefusesByteByByte) {  // RFC 3629 §3
  for (const std::string_view bad : {"\x80", "\xc0\xaf", "\xc1\x80", "\xc3", "\xc3(", "\xe0\x80\xaf", "\xed\xa0\x80",
                                     "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    const CodePoint point = decode_utf8(bad, 0);
    EXPECT_FALSE(point.valid) << visible(bad, 20);
    EXPECT_EQ(point.length, 1);
  }
}

TEST(Visible, EscapesWhatCouldDeceive) {
  EXPECT_EQ(visible("plain caf\u00e9", 60), "plain caf\u00e9");
  EXPECT_EQ(visible("a\nb\r\tc", 60), "a\\nb\\r\\tc");
  EXPECT_EQ(visible("\x1b[31m\x7f", 60), "\\x1b[31m\\x7f");
  EXPECT_EQ(visible("\u0085\u009b", 60), "\\x85\\x9b");
  EXPECT_EQ(visible("a\u202eb\u2066\ufeff\u200b", 60), "a\\u202eb\\u2066\\ufeff\\u200b");
  EXPECT_EQ(visible("\xff\xc3", 60), "\\xff\\xc3");
  EXPECT_EQ(visible("abcdef", 3), "abc...");
  EXPECT_EQ(config::quoted(std::string(61, 'x')), "'" + std::string(60, 'x') + "...'");
}

TEST(ParseDecimal, TakesDigitsOnly) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const std::string_view bad : {"", "-1", "+1", " 1", "1 ", "0x1", "1e3", "18446744073709551616"})
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
}

TEST(EditDistance, CountsASwapAsOne) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("patern", "pattern"), 1U);
  EXPECT_EQ(edit_distance("prot", "port"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Nearest, FindsWhatWasMeant) {
  constexpr std::array<std::string_view, 5> kWords = {"port", "read_timeout", "read_header_timeout", "warn", "error"};
  EXPECT_EQ(nearest("prot", kWords), "port");
  EXPECT_EQ(nearest("readTimeout", kWords), "read_timeout");
  EXPECT_EQ(nearest("READ-HEADER-TIMEOUT", kWords), "read_header_timeout");
  EXPECT_EQ(nearest("warning", kWords), "warn");
  EXPECT_EQ(nearest("err", kWords), "error");
  EXPECT_EQ(nearest("", kWords), std::nullopt);
  EXPECT_EQ(nearest("host", kWords), std::nullopt);
  EXPECT_EQ(nearest(std::string(1000, 'p'), kWords), std::nullopt);
}

TEST(JoinOr, ReadsAsASentence) {
  constexpr std::array<std::string_view, 3> kWords = {"a", "b", "c"};
  EXPECT_EQ(join_or(kWords), "a, b or c");
  EXPECT_EQ(join_or(std::span(kWords).first(1)), "a");
}

}  // namespace
}  // namespace restgate::config
