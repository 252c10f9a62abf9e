#include "config/methods.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace restgate::config {
namespace {

using testing::ElementsAre;

TEST(SplitMethods, DropsBlanksAndKeepsTheOrder) {
  EXPECT_THAT(*split_methods("GET"), ElementsAre("GET"));
  EXPECT_THAT(*split_methods("POST,GET"), ElementsAre("POST", "GET"));
  EXPECT_THAT(*split_methods(" GET ,\tOPTIONS "), ElementsAre("GET", "OPTIONS"));
  EXPECT_THAT(*split_methods("PROPFIND,X-A!"), ElementsAre("PROPFIND", "X-A!"));
}

struct Bad {
  std::string_view text;
  size_t offset;
  std::string_view part;  // of the message
};

TEST(SplitMethods, RefusesWithTheOffset) {
  const Bad rows[] = {
      {"", 0, "missing"},          {",", 0, "missing"},
      {"GET,", 4, "missing"},      {"GET, ,PUT", 4, "missing"},
      {"GET,get", 4, "'GET'"},     {"Post", 0, "'POST'"},
      {"GET,GET", 4, "twice"},     {"GET POST", 3, "'GET POST'"},
      {"GET;", 3, "not a method"}, {"GET,CONNECT", 4, "forward"},
      {"connect", 0, "forward"},   {"*", 0, "name the methods"},
      {"G\xc3\x84T", 1, "not a"},  {"ABCDEFGHIJKLMNOPQRSTUVWXYZ-ABCDEF", 0, "longer than 32"},
  };
  for (const Bad& row : rows) {
    const auto methods = split_methods(row.text);
    ASSERT_FALSE(methods.ok()) << row.text;
    EXPECT_NE(methods.error().message.find(row.part), std::string::npos) << methods.error().message;
    EXPECT_EQ(methods.error().offset, row.offset) << row.text;
  }
}

}  // namespace
}  // namespace restgate::config
