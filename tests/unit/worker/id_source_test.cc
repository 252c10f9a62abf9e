#include "worker/id_source.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <regex>
#include <set>
#include <string>

namespace restgate::worker {
namespace {

std::string uuid(IdSource& ids, int64_t now_ms = 0) {
  std::string text(IdSource::kUuidSize, '?');
  ids.write_uuid(text.data(), now_ms);
  return text;
}

int64_t unix_ms_of(std::string id) {
  id.erase(8, 1);
  return static_cast<int64_t>(std::strtoull(id.substr(0, 12).c_str(), nullptr, 16));
}

TEST(IdSource, MakesUuidsOfVersion7) {
  IdSource ids;
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string id = uuid(ids);
    EXPECT_TRUE(std::regex_match(id, form)) << id;
    EXPECT_TRUE(seen.insert(id).second) << id << " twice";
  }
}

TEST(IdSource, TheyTellTheTime) {
  IdSource ids;
  const auto before = static_cast<int64_t>(std::time(nullptr)) * 1000;
  const int64_t first = unix_ms_of(uuid(ids, 5'000));
  EXPECT_GE(first, before);
  EXPECT_LE(first, before + 60'000);
  EXPECT_EQ(unix_ms_of(uuid(ids, 5'400)), first + 400) << "by the loop's clock";
}

TEST(IdSource, EveryBitThatIsFreeVaries) {
  IdSource ids;
  std::string varied(IdSource::kUuidSize, '.');
  const std::string first = uuid(ids);
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = uuid(ids);
    for (size_t at = 0; at < id.size(); ++at)
      if (id[at] != first[at]) varied[at] = 'v';
  }
  EXPECT_EQ(varied.substr(13), "..vvv.vvvv.vvvvvvvvvvvv");
}

TEST(IdSource, TwoOfThemMakeOthers) {
  IdSource one;
  IdSource other;
  EXPECT_NE(one.random(), other.random());
}

TEST(IdSource, TheGeneratorIsXoshiro256StarStar) {
  IdSource ids({1, 2, 3, 4});  // the numbers of its authors' reference code
  EXPECT_EQ(ids.random(), 11'520U);
  EXPECT_EQ(ids.random(), 0U);
  EXPECT_EQ(ids.random(), 1'509'978'240U);
  EXPECT_EQ(ids.random(), 1'215'971'899'390'074'240U);
}

TEST(IdSource, NoSpanIsAllZeros) {
  IdSource ids({1, 2, 3, 4});  // the second number is 0, see above
  std::string first(16, '?');
  std::string second(16, '?');
  ids.write_span_id(first.data());
  ids.write_span_id(second.data());
  EXPECT_EQ(first, "0000000000002d00");
  EXPECT_EQ(second, "000000005a007080");
}

}  // namespace
}  // namespace restgate::worker
