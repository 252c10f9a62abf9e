#include "config/diagnostic.h"

#include <gtest/gtest.h>

#include <string>

namespace restgate::config {
namespace {

std::string show(std::string_view text, SourceMark mark) {
  SourceText source(text);
  DiagnosticList list("f", source);
  list.add(mark, "a.b", "is wrong");
  return to_string(list.take());
}

TEST(Diagnostic, ShowsTheLineAndACaret) {
  EXPECT_EQ(show("x: 1\ny: 2\n", {2, 4}), "f:2:4: a.b: is wrong\n  y: 2\n     ^");
  EXPECT_EQ(show("x: 1", {1, 5}), "f:1:5: a.b: is wrong\n  x: 1\n      ^");
}

TEST(Diagnostic, ColumnsAreCodePoints) {
  EXPECT_EQ(show("\u00e9\u20ac: \U0001f600 x", {1, 7}),
            "f:1:7: a.b: is wrong\n  \u00e9\u20ac: \U0001f600 x\n        ^");
}

TEST(Diagnostic, EscapesKeepTheCaretInPlace) {
  EXPECT_EQ(show("\ta: \x01 x", {1, 7}), "f:1:7: a.b: is wrong\n  \\ta: \\x01 x\n            ^");
}

TEST(Diagnostic, LineEndsOfEveryKind) {
  EXPECT_EQ(show("a\r\nb\rc\nd", {2, 1}), "f:2:1: a.b: is wrong\n  b\n  ^");
  EXPECT_EQ(show("a\r\nb\rc\nd", {3, 1}), "f:3:1: a.b: is wrong\n  c\n  ^");
  EXPECT_EQ(show("a\r\nb\rc\nd", {4, 1}), "f:4:1: a.b: is wrong\n  d\n  ^");
}

TEST(Diagnostic, CutsLongLinesAroundTheCaret) {
  const std::string line = std::string(500, 'a') + "X" + std::string(500, 'b');
  EXPECT_EQ(show(line, {1, 501}), "f:1:501: a.b: is wrong\n  ..." + std::string(60, 'a') + "X" + std::string(60, 'b') +
                                      "...\n  " + std::string(63, ' ') + "^");
  EXPECT_EQ(show(line, {1, 1}), "f:1:1: a.b: is wrong\n  " + std::string(120, 'a') + "...\n  ^");
}

TEST(Diagnostic, CutsBetweenCharacters) {
  std::string line;
  for (int i = 0; i < 200; ++i) line += "\u20ac";
  const std::string shown = show(line, {1, 150});
  EXPECT_EQ(shown.find("\\x"), std::string::npos) << shown;
}

TEST(Diagnostic, WithoutALineItIsAboutTheFile) {
  EXPECT_EQ(show("x", {0, 0}), "f: a.b: is wrong");
  EXPECT_EQ(show("x\n\ny", {2, 1}), "f:2:1: a.b: is wrong");  // nothing to see on an empty line
}

TEST(DiagnosticList, SortsByPlaceAndKeepsTheOrderOfEquals) {
  SourceText source("a\nb\n");
  DiagnosticList list("f", source);
  list.add({2, 1}, "", "third");
  list.add({1, 1}, "", "first");
  list.add({1, 1}, "", "second");
  const auto all = list.take();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].message, "first");
  EXPECT_EQ(all[1].message, "second");
  EXPECT_EQ(all[2].message, "third");
  EXPECT_TRUE(list.empty());
}

TEST(DiagnosticList, IsBounded) {
  SourceText source("a");
  DiagnosticList list("f", source);
  for (size_t i = 0; i < DiagnosticList::kMost + 5; ++i) list.add({1, 1}, "", "x");
  const auto all = list.take();
  ASSERT_EQ(all.size(), DiagnosticList::kMost + 1);
  EXPECT_EQ(to_string(all.back()), "f: and 5 more");
}

TEST(KeyPath, IsWrittenAsInAnIndex) {
  const KeyPath top;
  const KeyPath services{.parent = &top, .key = "observed_services"};
  const KeyPath service{.parent = &services, .key = {}, .index = 1};
  const KeyPath routes{.parent = &service, .key = "routes"};
  const KeyPath route{.parent = &routes, .key = {}, .index = 0};
  const KeyPath pattern{.parent = &route, .key = "pattern"};
  EXPECT_EQ(pattern.str(), "observed_services[1].routes[0].pattern");
  EXPECT_EQ(top.str(), "");
}

TEST(SourceText, MarksAndOffsetsAgree) {
  SourceText source("ab\r\n\u00e9x\n\nend");
  EXPECT_EQ(source.line_count(), 4U);
  EXPECT_EQ(source.line(2), "\u00e9x");
  EXPECT_EQ(source.line(3), "");
  EXPECT_EQ(source.line(9), "");
  for (const size_t offset : {0U, 1U, 4U, 6U, 8U, 9U, 12U}) EXPECT_EQ(source.offset_of(source.mark_of(offset)), offset);
  EXPECT_EQ(source.offset_of({2, 99}), 7U);  // not beyond its line
  EXPECT_EQ(source.offset_of({2, 1}), 4U);   // and back again
}

}  // namespace
}  // namespace restgate::config
