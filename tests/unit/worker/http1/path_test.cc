#include "worker/http1/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "worker/http1/reference_path.h"

namespace restgate::http1 {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using Verdict = Path::Verdict;

TEST(Path, SegmentsAreDecoded) {
  const struct {
    const char* raw;
    std::vector<std::string> segments;
  } rows[] = {
      {"/", {""}},
      {"/a", {"a"}},
      {"/a/", {"a", ""}},
      {"/a/b/c", {"a", "b", "c"}},
      {"/a%20b", {"a b"}},
      {"/%61%62/c", {"ab", "c"}},
      {"/a%2Fb/c%2fd", {"a/b", "c/d"}},  // stays inside its segment (RFC 3986 §2.2)
      {"/a%5Cb", {"a\\b"}},
      {"/https%3A%2F%2Fhost%2F", {"https://host/"}},
      {"/%25", {"%"}},
      {"/%252e%252e", {"%2e%2e"}},  // decoded once
      {"/...", {"..."}},
      {"/.a/a./..a", {".a", "a.", "..a"}},
      {"/..;/x", {"..;", "x"}},
      {"/a;b=c", {"a;b=c"}},
      {"/%0D%0A", {"\r\n"}},
      {"/%FF%C3%A9", {"\xFF\xC3\xA9"}},
      {"/%7F%01", {"\x7F\x01"}},
      {"/%23%3F", {"#?"}},
      {"/a:b@c!$&'()*+,;=~_-.", {"a:b@c!$&'()*+,;=~_-."}},
      {"/\"<>^`{|}[]", {"\"<>^`{|}[]"}},
      {"/caf\xC3\xA9/%C3%A9\xE9", {"caf\xC3\xA9", "\xC3\xA9\xE9"}},
      {"/%C0%AE%C0", {"\xC0\xAE\xC0"}},  // the beginning of nothing
      {"/%C0/%AE", {"\xC0", "\xAE"}},
      {"/%E2%80%AE%E1%80%AE", {"\xE2\x80\xAE\xE1\x80\xAE"}},
  };
  Path path;  // the same one for all: nothing of an earlier path may stay
  for (const auto& row : rows) {
    EXPECT_EQ(path.assign(row.raw), Verdict::Ok) << row.raw;
    EXPECT_THAT(path.segments(), ElementsAreArray(row.segments)) << row.raw;
  }
}

TEST(Path, WhatABackendCouldReadInAnotherWayIsRefused) {
  const struct {
    std::string raw;
    Verdict verdict;
  } rows[] = {
      {"/.", Verdict::DotSegment},
      {"/..", Verdict::DotSegment},
      {"/a/./b", Verdict::DotSegment},
      {"/a/../b", Verdict::DotSegment},
      {"/a/..", Verdict::DotSegment},
      {"/%2e", Verdict::DotSegment},
      {"/%2E%2e/x", Verdict::DotSegment},
      {"/.%2E/x", Verdict::DotSegment},
      {"/%2e.", Verdict::DotSegment},
      {"/..%2Fetc", Verdict::DotSegment},
      {"/a%2f..", Verdict::DotSegment},
      {"/a%2F%2e%2e%2Fb", Verdict::DotSegment},
      {"/..%5Cetc", Verdict::DotSegment},
      {"/a%5c.%5cb", Verdict::DotSegment},
      {"//", Verdict::EmptySegment},
      {"//a", Verdict::EmptySegment},
      {"/a//", Verdict::EmptySegment},
      {"/a//b", Verdict::EmptySegment},
      {"/%", Verdict::BadEscape},
      {"/%4", Verdict::BadEscape},
      {"/a%4/b", Verdict::BadEscape},
      {"/%/2F", Verdict::BadEscape},
      {"/%zz", Verdict::BadEscape},
      {"/%4g", Verdict::BadEscape},
      {"/%u002e", Verdict::BadEscape},
      {"/%00", Verdict::BadEscape},
      {"/a%00b", Verdict::BadEscape},
      {"/a\\b", Verdict::BadCharacter},
      {"/\\..\\b", Verdict::BadCharacter},
      {"/a#b", Verdict::BadCharacter},
      {"/a?b", Verdict::BadCharacter},
      {"/a b", Verdict::BadCharacter},
      {"/a\tb", Verdict::BadCharacter},
      {"/a\nb", Verdict::BadCharacter},
      {"/a\x7F", Verdict::BadCharacter},
      {"/%C0%AE", Verdict::DotSegment},
      {"/%c0%ae%C0%AE/x", Verdict::DotSegment},
      {"/.%C0%AE", Verdict::DotSegment},
      {"/%E0%80%AE.", Verdict::DotSegment},
      {"/%F0%80%80%AE", Verdict::DotSegment},
      {"/..%C0%AFetc", Verdict::DotSegment},
      {"/..%C1%9Cetc", Verdict::DotSegment},
      {"/\xC0\xAE\xC0\xAE", Verdict::DotSegment},
      {std::string("/a\0b", 4), Verdict::BadCharacter},
      {"", Verdict::BadCharacter},
      {"*", Verdict::BadCharacter},
      {"a/b", Verdict::BadCharacter},
  };
  Path path;
  for (const auto& row : rows) {
    ASSERT_EQ(path.assign("/something/before"), Verdict::Ok);
    EXPECT_EQ(path.assign(row.raw), row.verdict) << row.raw;
    EXPECT_THAT(path.segments(), IsEmpty()) << row.raw;
  }
}

TEST(Path, LongPathsLeaveNothingBehind) {
  Path path;
  std::string raw;
  for (int i = 0; i < 5000; ++i) raw += "/%61";
  ASSERT_EQ(path.assign(raw), Verdict::Ok);
  EXPECT_EQ(path.segments().size(), 5000U);
  EXPECT_EQ(path.segments().back(), "a");
  path.clear();
  EXPECT_EQ(path.segments().capacity(), 0U);
  ASSERT_EQ(path.assign(raw), Verdict::Ok);
  ASSERT_EQ(path.assign("/b%20c/d"), Verdict::Ok);
  EXPECT_THAT(path.segments(), ElementsAre("b c", "d"));
  EXPECT_LE(path.segments().capacity(), 16U);
}

TEST(Path, AgreesWithTheReference) {
  static constexpr std::string_view kPieces[] = {
      "/",    "/", "a",  ".",   "..",  "%2e", "%2F", "%5c", "%00", "%41",  "%4",   "%",      "\\",        ";",     "#",
      "\x80", "b", "cd", "%0A", "%20", "%ff", "~",   "?",   "%2E", "\xC0", "\xAE", "%C0%AE", "%e0%80%af", "%C1%9C"};
  std::mt19937 random(20240611);
  Path path;
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string raw = "/";
    for (unsigned n = random() % 8; n > 0; --n) raw += kPieces[random() % std::size(kPieces)];
    const auto expected = reference::decode_path(raw);
    const bool ok = path.assign(raw) == Verdict::Ok;
    ASSERT_EQ(ok, expected.has_value()) << raw;
    if (!ok) continue;
    ++accepted;
    ASSERT_THAT(path.segments(), ElementsAreArray(*expected)) << raw;
  }
  EXPECT_GT(accepted, 20'000);
}

}  // namespace
}  // namespace restgate::http1
