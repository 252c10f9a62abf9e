#include "config/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

namespace restgate::config {
namespace {

using Kind = Segment::Kind;
using testing::HasSubstr;

std::string describe(const Pattern& pattern) {
  std::string out;
  for (const Segment& segment : pattern.segments()) {
    switch (segment.kind) {
      case Kind::Literal:
        out += "'" + segment.text + "'";
        break;
      case Kind::Regex:
        out += "{" + segment.text + ":" + segment.regex_text + "}";
        break;
      case Kind::Parameter:
        out += "{" + segment.text + "}";
        break;
      case Kind::Rest:
        out += "{" + segment.text + "...}";
        break;
    }
  }
  return out;
}

TEST(Pattern, IsTakenApart) {
  const struct {
    const char* text;
    const char* segments;
  } rows[] = {
      {"/", "''"},
      {"/a", "'a'"},
      {"/a/", "'a'''"},
      {"/account/{id}", "'account'{id}"},
      {"/account/{id}/", "'account'{id}''"},
      {"/{user-id}/{_x}/{A9}", "{user-id}{_x}{A9}"},
      {"/{p...}", "{p...}"},
      {"/files/{p...}", "'files'{p...}"},
      {"/a/{n:[0-9]{3}}/b", "'a'{n:[0-9]{3}}'b'"},
      {"/{n:[^/]+}/b", "{n:[^/]+}'b'"},
      {"/{n:a/b}", "{n:a/b}"},
      {"/{n:[{]x}", "{n:[{]x}"},
      {"/{n:[]}]+}", "{n:[]}]+}"},
      {"/{n:[^]}]+}/z", "{n:[^]}]+}'z'"},
      {"/{n:[[:alpha:]}]}", "{n:[[:alpha:]}]}"},
      {"/{n:\\{\\}}", "{n:\\{\\}}"},
      {"/{n:a:b}", "{n:a:b}"},
      {"/{n:a b?#}", "{n:a b?#}"},
      {"/{n:x...}", "{n:x...}"},
      {"/a%20b", "'a b'"},
      {"/a%2Fb/c%2fd", "'a/b''c/d'"},
      {"/%7Bx%7d", "'{x}'"},
      {"/%5C%3f%23", "'\\?#'"},
      {"/100%25", "'100%'"},
      {"/...", "'...'"},
      {"/.well-known/a.b", "'.well-known''a.b'"},
      {"/..;", "'..;'"},
      {"/a:b@c!$&'()*+,;=~_-", "'a:b@c!$&'()*+,;=~_-'"},
      {"/a|b\"<>^`[]", "'a|b\"<>^`[]'"},
      {"/caf\xC3\xA9", "'caf\xC3\xA9'"},
      {"/%C3%A9", "'\xC3\xA9'"},
  };
  for (const auto& row : rows) {
    const auto pattern = Pattern::parse(row.text);
    ASSERT_TRUE(pattern.ok()) << row.text << ": " << pattern.error().message;
    EXPECT_EQ(describe(*pattern), row.segments) << row.text;
    EXPECT_EQ((*pattern).text(), row.text);
  }
}

TEST(Pattern, EachMalformedOneHasItsOwnSentence) {
  const struct {
    std::string text;
    size_t offset;
    const char* message;
  } rows[] = {
      {"", 0, "the pattern is empty"},
      {"account", 0, "must begin with '/'"},
      {"{id}/a", 0, "must begin with '/'"},
      {" /a", 0, "must begin with '/'"},
      {"/" + std::string(kMaxPatternBytes, 'a'), kMaxPatternBytes, "longer than 4096 bytes"},
      {"/a/{id", 3, "unbalanced brace: this '{' is never closed"},
      {"/a/{id/b}", 3, "unbalanced brace: this '{' is never closed"},
      {"/a/{", 3, "unbalanced brace: this '{' is never closed"},
      {"/a/{id:[0-9]{3}", 3, "unbalanced brace: this '{' is never closed"},
      {"/a/{id:{", 3, "unbalanced brace: this '{' is never closed"},
      {"/a/id}", 5, "'}' without a '{'"},
      {"/a/{id}}", 7, "'}' without a '{'"},
      {"/a/x{id}", 4, "a parameter must be a whole segment"},
      {"/a/{id}x", 7, "a parameter must be a whole segment"},
      {"/a/{id}{x}", 7, "a parameter must be a whole segment"},
      {"/a/{}", 4, "the parameter has no name"},
      {"/a/{:x}", 4, "the parameter has no name"},
      {"/a/{...}", 4, "the parameter has no name"},
      {"/a/{i d}", 5, "' ' in a parameter's name"},
      {"/a/{i.d}", 5, "'.' in a parameter's name"},
      {"/a/{i..}", 5, "'.' in a parameter's name"},
      {"/a/{{x}}", 4, "'{' in a parameter's name"},
      {"/a/{i\xC3\xA9}", 5, "0xC3 in a parameter's name"},
      {std::string("/a/{i\0}", 7), 5, "0x00 in a parameter's name"},
      {"/a/{9}", 4, "the first character must be a letter"},
      {"/a/{-x}", 4, "the first character must be a letter"},
      {"/a/{id}/b/{id}", 11, "the parameter 'id' occurs twice"},
      {"/a/{id}/b/{id:x}", 11, "the parameter 'id' occurs twice"},
      {"/a/{id}/b/{id...}", 11, "the parameter 'id' occurs twice"},
      {"/a/{p...}/b", 9, "nothing may follow {p...}"},
      {"/a/{p...}/", 9, "nothing may follow {p...}"},
      {"/a/{id:}", 7, "the regex of 'id' is empty"},
      {"/a/{id:x(}", 7, "missing )"},
      {"/a/{id:x[z-a]}", 9, "invalid character class range: z-a"},
      {"/a/{id:[a}", 7, "this '[' is never closed"},
      {"/a/{id:[[:alpha]}", 16, ""},
      {"/a/{id:(?=x)}", 7, "bad regex of 'id': invalid perl operator: (?="},
      {"/a/{id:\\1}", 7, "bad regex of 'id': invalid escape sequence: \\1"},
      {"/a/{id:a\nb}", 8, "control character in a regex"},
      {"/a/{id:" + std::string(kMaxRegexBytes + 1, 'a') + "}", 7, "longer than 1024 bytes"},
      {"/a/{id:(a|b|ab|ba){1000}.*c}", 7, "too large"},
      {"/a/{id:\\pL{1,500}}", 7, "too large"},
      {"/a/./b", 3, "dot segment \".\""},
      {"/..", 1, "dot segment \"..\""},
      {"/a/%2e%2E/b", 3, "dot segment \"%2e%2E\""},
      {"/a/..%2Fb", 3, "dot segment"},
      {"/a/b%5c.", 3, "dot segment"},
      {"//", 1, "empty segment"},
      {"/a//b", 3, "empty segment"},
      {"/a?x=1", 2, "a pattern has no query"},
      {"/a#x", 2, "a pattern has no fragment"},
      {"/a\\b", 2, "'\\' in the path is refused"},
      {"/a%", 2, "bad escape"},
      {"/a%4", 2, "bad escape"},
      {"/a%4x/b", 2, "bad escape"},
      {"/a%00", 2, "%00 is refused"},
      {"/a b", 2, "white space in a pattern"},
      {"/a ", 2, "white space in a pattern"},
      {"/a\tb", 2, "white space in a pattern"},
      {"/a\x01", 2, "control character 0x01 in a pattern"},
      {"/a\x7F", 2, "control character 0x7F in a pattern"},
      {std::string("/a\0b", 4), 2, "control character 0x00 in a pattern"},
  };
  for (const auto& row : rows) {
    const auto pattern = Pattern::parse(row.text);
    ASSERT_FALSE(pattern.ok()) << row.text;
    EXPECT_THAT(pattern.error().message, HasSubstr(row.message)) << row.text;
    if (*row.message == '\0') continue;
    EXPECT_EQ(pattern.error().offset, row.offset) << row.text;
  }
}

TEST(Pattern, RegexMatchesAWholeSegment) {
  const struct {
    const char* regex;
    std::string segment;
    bool matches;
  } rows[] = {
      {"[0-9]+", "12", true},    {"[0-9]+", "12a", false},    {"[0-9]+", "a12", false}, {"a|b", "a", true},
      {"a|b", "b", true},        {"a|bc", "bc", true},        {"a|b", "ab", false},     {"^a$", "a", true},
      {"[0-9]{3}", "123", true}, {"[0-9]{3}", "1234", false}, {"(?i)abc", "ABC", true}, {"abc", "ABC", false},
      {".*", "", false},         {"x*", "", false},           {".*", "a/b", true},      {".*", "a\nb", true},
      {".*", "\xFF", true},      {".+", "\xFF\n", true},      {"x.*", "x\n", false},    {".", "\xC3\xA9", true},
      {"[^/]+", "a/b", false},   {"\\pL+", "\xC3\xA9", true},
  };
  for (const auto& row : rows) {
    const auto pattern = Pattern::parse(std::string("/{x:") + row.regex + "}");
    ASSERT_TRUE(pattern.ok()) << row.regex;
    EXPECT_EQ((*pattern).segments()[0].matches(row.segment), row.matches) << row.regex << " on " << row.segment;
  }
}

TEST(Pattern, OneRegexHasBoundedWork) {
  const Pattern small = *Pattern::parse("/{x:[a-z]+}");
  EXPECT_TRUE(small.segments()[0].matches(std::string(64 * 1024, 'a')));
  const Pattern large = *Pattern::parse("/{x:(.*a.{40}){8}b}");
  EXPECT_FALSE(large.segments()[0].matches(std::string(32 * 1024, 'a') + "b"));
}

TEST(Pattern, EqualRegexesAreShared) {
  RegexCache cache;
  const Pattern a = *Pattern::parse("/a/{x:[0-9]+}", cache);
  const Pattern b = *Pattern::parse("/b/{y:[0-9]+}", cache);
  EXPECT_EQ(a.segments()[1].regex, b.segments()[1].regex);
}

TEST(Pattern, SameRequests) {
  const struct {
    const char* a;
    const char* b;
    bool same;
  } rows[] = {
      {"/a", "/a", true},          {"/a", "/b", false},        {"/%61", "/a", true},         {"/{x}", "/{y}", true},
      {"/{x}", "/x", false},       {"/{x...}", "/{y}", false}, {"/{x...}", "/{y...}", true}, {"/{x:a}", "/{y:a}", true},
      {"/{x:a}", "/{x:b}", false}, {"/{x:a}", "/a", false},
  };
  for (const auto& row : rows) {
    const Pattern a = *Pattern::parse(row.a);
    const Pattern b = *Pattern::parse(row.b);
    EXPECT_EQ(a.segments()[0].same_requests(b.segments()[0]), row.same) << row.a << " " << row.b;
  }
}

TEST(HasDotSegment, AlsoBesideSeparatorsThatWereEncoded) {
  for (const char* bad : {".", "..", "../", "/..", "a/../b", "..\\", "a\\..", "a/.\\b", "./a"}) {
    EXPECT_TRUE(has_dot_segment(bad)) << bad;
  }
  // Overlong UTF-8, which some decoders take for the character (RFC 3629 §10).
  for (const char* bad :
       {"\xC0\xAE", "\xC0\xAE.", "\xE0\x80\xAE", "\xF0\x80\x80\xAE\xC0\xAE", "a\xC0\xAF..", "..\xC1\x9Cx"})
    EXPECT_TRUE(has_dot_segment(bad)) << bad;
  for (const char* good :
       {"\xC0", "\xC0.", "\xAE", "\xC0\xAE\xC0", "\xC1\xAE", "\xE0\xAE\x80", "\xF0\x80\xAE", "\xC0\xAE\xC0\xAE."})
    EXPECT_FALSE(has_dot_segment(good)) << good;
  for (const char* good : {"", "...", "a.", ".a", "..a", "a..", "a/b", "//", "\\", "..;", "a/...", "%2e"}) {
    EXPECT_FALSE(has_dot_segment(good)) << good;
  }
}

}  // namespace
}  // namespace restgate::config
