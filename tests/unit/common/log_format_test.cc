#include "common/log_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace restgate {
namespace {

std::string json(std::string_view value) {
  std::string text;
  append_json_string(text, value);
  return text;
}

std::string text(std::string_view value) {
  std::string out;
  append_text_value(out, value);
  return out;
}

std::string message(std::string_view value) {
  std::string out;
  append_text_message(out, value);
  return out;
}

std::string time_stamp(int64_t realtime_us) {
  std::string out;
  append_rfc3339(out, realtime_us);
  return out;
}

struct EscapeCase {
  std::string_view value;
  std::string_view as_json;
  std::string_view as_text;
};

class Escape : public testing::TestWithParam<EscapeCase> {};

TEST_P(Escape, GivesTheExpectedForm) {
  EXPECT_EQ(json(GetParam().value), GetParam().as_json);
  EXPECT_EQ(text(GetParam().value), GetParam().as_text);
}

using namespace std::string_view_literals;

INSTANTIATE_TEST_SUITE_P(
    Values, Escape,
    testing::Values(
        EscapeCase{"plain", R"("plain")", "plain"}, EscapeCase{"", R"("")", R"("")"},
        EscapeCase{"exactly8", R"("exactly8")", "exactly8"},
        EscapeCase{"/a/b?c&d%20", R"("/a/b?c&d%20")", "/a/b?c&d%20"},
        EscapeCase{"two words", R"("two words")", R"("two words")"}, EscapeCase{"a=b", R"("a=b")", R"("a=b")"},
        EscapeCase{"say \"hi\"", R"("say \"hi\"")", R"("say \"hi\"")"},
        EscapeCase{"back\\slash", R"("back\\slash")", R"("back\\slash")"},
        EscapeCase{"l1\nlevel=error", R"("l1\nlevel=error")", R"("l1\nlevel=error")"},
        EscapeCase{"\r\t", R"("\r\t")", R"("\r\t")"}, EscapeCase{"\0"sv, R"("\u0000")", R"("\x00")"},
        EscapeCase{"\x1b[2J", R"("\u001b[2J")", R"("\x1b[2J")"}, EscapeCase{"\x7f", R"("\u007f")", R"("\x7f")"},
        EscapeCase{"in the middle of\x01 a long value", R"("in the middle of\u0001 a long value")",
                   R"("in the middle of\x01 a long value")"},
        EscapeCase{"grüße→😀", R"("grüße→😀")", "grüße→😀"}, EscapeCase{"ä b", R"("ä b")", R"("ä b")"},
        // C1 controls, line separators and changes of direction are obeyed by terminals.
        EscapeCase{"\xc2\x9b", R"("\u009b")", R"("\xc2\x9b")"},
        EscapeCase{"\u2028", R"("\u2028")", R"("\xe2\x80\xa8")"},
        EscapeCase{"\u202e", R"("\u202e")", R"("\xe2\x80\xae")"},
        EscapeCase{"\ufeff", R"("\ufeff")", R"("\xef\xbb\xbf")"},
        // Not UTF-8: a lone continuation, an overlong '/', a surrogate, beyond U+10FFFF, cut short.
        EscapeCase{"\x80", R"("\ufffd")", R"("\x80")"}, EscapeCase{"\xc0\xaf", R"("\ufffd\ufffd")", R"("\xc0\xaf")"},
        EscapeCase{"\xe0\x80\xaf", R"("\ufffd\ufffd\ufffd")", R"("\xe0\x80\xaf")"},
        EscapeCase{"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")", R"("\xed\xa0\x80")"},
        EscapeCase{"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")", R"("\xf4\x90\x80\x80")"},
        EscapeCase{"a\xc3", R"("a\ufffd")", R"("a\xc3")"}, EscapeCase{"\xff ok", R"("\ufffd ok")", R"("\xff ok")"}));

// One bad byte in every position of every length: the fast path must miss none.
TEST(Escape, FindsAnUncleanByteAnywhere) {
  for (const char bad : {'\n', '"', '\\', '\x7f', '\x80', '\xff', '\0', '\x1f'}) {
    for (size_t length = 1; length <= 40; ++length) {
      for (size_t at = 0; at < length; ++at) {
        std::string value(length, 'a');
        value[at] = bad;
        EXPECT_EQ(json(value).find(bad == '"' || bad == '\\' ? std::string("\\") + bad : "\\"), at + 1);
        EXPECT_EQ(text(value)[at + 1], '\\');
        EXPECT_EQ(message(value)[at], '\\');
      }
    }
  }
}

TEST(Escape, RandomBytesStayOneValidLine) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): repeatable on purpose
  for (int i = 0; i < 5'000; ++i) {
    std::string value(random() % 64, '\0');
    for (char& c : value) c = static_cast<char>(random() % 4 == 0 ? random() % 256 : 'a' + random() % 26);
    const auto parsed = nlohmann::json::parse(json(value), nullptr, false);
    ASSERT_TRUE(parsed.is_string()) << json(value);
    for (const std::string& written : {json(value), text(value), message(value)})
      for (const char c : written) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

TEST(Escape, AMessageHasNoQuotesOfItsOwn) {
  EXPECT_EQ(message("two words, \"quoted\"\n"), R"(two words, \"quoted\"\n)");
  EXPECT_EQ(message(""), "");
}

TEST(Escape, AppendsToWhatIsThere) {
  std::string out = "x=";
  append_json_string(out, "y\n");
  append_text_value(out, "z");
  EXPECT_EQ(out, R"(x="y\n"z)");
}

TEST(Rfc3339, KnownMoments) {
  EXPECT_EQ(time_stamp(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(time_stamp(1), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(time_stamp(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(time_stamp(951'782'400'000'000), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(time_stamp(1'767'323'045'678'901), "2026-01-02T03:04:05.678901Z");
  EXPECT_EQ(time_stamp(4'102'444'799'999'999), "2099-12-31T23:59:59.999999Z");
}

TEST(Rfc3339, AgreesWithTheCLibraryOnEveryDayOfFourCenturies) {
  for (int64_t day = -30'000; day < 120'000; ++day) {
    const time_t seconds = day * 86'400 + 45'296;
    tm parts{};
    gmtime_r(&seconds, &parts);
    char expected[40];
    strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.000000Z", &parts);
    ASSERT_EQ(time_stamp(seconds * 1'000'000), expected);
  }
}

namespace records {

using log::Field;
using log::Record;

std::string line(LogFormat format, const Record& record) {
  std::string out;
  log::append_record(out, format, record);
  return out;
}

TEST(AppendRecord, Text) {
  const Field fields[] = {{"port", 7000}, {"file", "a b.yaml"}, {"ok", true}};
  EXPECT_EQ(line(LogFormat::Text, {1'767'323'045'678'901, "info", "it started", fields, 42, 0}),
            "2026-01-02T03:04:05.678901Z INFO  it started port=7000 file=\"a b.yaml\" ok=true pid=42\n");
  EXPECT_EQ(line(LogFormat::Text, {0, "error", "forged\nline", {}, 1, 3}),
            "1970-01-01T00:00:00.000000Z ERROR forged\\nline dropped_records=3 pid=1\n");
}

TEST(AppendRecord, Json) {
  const Field fields[] = {{"port", 7000}, {"file", "a\"b"}, {"ok", false}, {"share", -0.5}};
  EXPECT_EQ(line(LogFormat::Json, {1'767'323'045'678'901, "warn", "it \"started\"", fields, 42, 2}),
            R"({"time":"2026-01-02T03:04:05.678901Z","level":"warn","msg":"it \"started\"","port":7000,"file":"a\"b",)"
            R"("ok":false,"share":-0.500000,"dropped_records":2,"pid":42})"
            "\n");
}

TEST(AppendRecord, JsonQuotesNumbersThatJsonDoesNotKnow) {
  const Field fields[] = {{"a", std::numeric_limits<double>::infinity()},
                          {"b", -std::numeric_limits<double>::infinity()},
                          {"c", std::numeric_limits<double>::quiet_NaN()}};
  const auto parsed = nlohmann::json::parse(line(LogFormat::Json, {0, "info", "m", fields, 1, 0}));
  EXPECT_EQ(parsed["a"], "inf");
  EXPECT_EQ(parsed["b"], "-inf");
  EXPECT_TRUE(parsed["c"].is_string());
}

}  // namespace records
}  // namespace
}  // namespace restgate
