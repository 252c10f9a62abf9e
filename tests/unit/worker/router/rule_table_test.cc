#include "worker/router/rule_table.h"

#include <gtest/gtest.h>

namespace restgate::worker::router {
namespace {

using std::chrono::milliseconds;

config::Route route(std::string name, uint32_t service, milliseconds read_timeout = milliseconds(0)) {
  config::Route made;
  made.name = std::move(name);
  made.service = service;
  made.response_header_timeout = milliseconds(1);
  made.read_timeout = read_timeout;
  made.write_timeout = milliseconds(3);
  made.max_body_size = 4;
  return made;
}

TEST(RuleTable, EachRouteHasItsNameAndRules) {
  const RuleTable table({route("a", 7, milliseconds(2)), route("", 7), route("a longer name than others", 8)});
  EXPECT_EQ(table.rules(0), (RouteRules{7, milliseconds(1), milliseconds(2), milliseconds(3), 4}));
  EXPECT_EQ(table.rules(1), (RouteRules{7, milliseconds(1), milliseconds(0), milliseconds(3), 4}));
  EXPECT_EQ(table.rules(2).service, 8U);
  EXPECT_EQ(table.name(0), "a");
  EXPECT_EQ(table.name(1), "");
  EXPECT_EQ(table.name(2), "a longer name than others");
}

TEST(RuleTable, EqualRulesAreThereOnce) {
  const RuleTable table({route("a", 1), route("b", 2), route("c", 1)});
  EXPECT_EQ(&table.rules(0), &table.rules(2));
  EXPECT_NE(&table.rules(0), &table.rules(1));
}

}  // namespace
}  // namespace restgate::worker::router
