#include "config/route_conflicts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "config/pattern.h"

namespace restgate::config {
namespace {

// "GET,POST /a/{x}"
std::vector<Route> make_routes(const std::vector<std::string>& lines) {
  RegexCache regexes;
  std::vector<Route> routes;
  for (const std::string& line : lines) {
    const size_t space = line.find(' ');
    Route route;
    route.name = "r" + std::to_string(routes.size());
    for (size_t begin = 0; begin < space;) {
      const size_t end = std::min(line.find(',', begin), space);
      route.methods.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    auto pattern = Pattern::parse(line.substr(space + 1), regexes);
    EXPECT_TRUE(pattern.ok()) << line << ": " << pattern.error().message;
    route.pattern = *pattern;
    routes.push_back(std::move(route));
  }
  return routes;
}

// "2=0 GET": route 2 duplicates route 0; "2<0 GET": is never reached because of it.
std::string show(const std::vector<RouteConflict>& conflicts) {
  std::string out;
  for (const RouteConflict& conflict : conflicts) {
    if (!out.empty()) out += "; ";
    out += std::to_string(conflict.route) + (conflict.kind == RouteConflict::Kind::Duplicate ? "=" : "<") +
           std::to_string(conflict.other) + " " + conflict.method;
  }
  return out;
}

struct Row {
  std::vector<std::string> lines;
  std::string conflicts;
};

void expect_conflicts(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    EXPECT_EQ(show(find_conflicts(make_routes(row.lines))), row.conflicts) << testing::PrintToString(row.lines);
  }
}

TEST(RouteConflicts, Duplicates) {
  expect_conflicts({
      {{}, ""},
      {{"GET /a"}, ""},
      {{"GET /a", "GET /b"}, ""},
      {{"GET /a", "GET /a/"}, ""},
      {{"GET /a", "POST /a"}, ""},
      {{"GET /a", "GET /a"}, "1=0 GET"},
      {{"GET /a", "GET /%61"}, "1=0 GET"},
      {{"GET /a/{x}/b", "GET /a/{y}/b"}, "1=0 GET"},
      {{"GET /a/{x}/b", "GET /a/{x}/c"}, ""},
      {{"GET,OPTIONS /{x}", "OPTIONS,POST,GET /{y}"}, "1=0 GET, OPTIONS"},
      {{"GET /{x:[0-9]+}", "GET /{y:[0-9]+}"}, "1=0 GET"},
      {{"GET /{x:[0-9]+}", "GET /{y:[0-8]+}"}, ""},
      {{"GET /{x...}", "GET /{y...}"}, "1=0 GET"},
      {{"GET /a", "GET /a", "GET /a"}, "1=0 GET; 2=0 GET"},
      {{"GET /a", "POST /a", "GET,POST /a"}, "2=0 GET; 2=1 POST"},
      {{"GET /a", "HEAD /a"}, ""},
      {{"HEAD /a", "GET /a"}, ""},
      {{"GET,HEAD /a", "HEAD /a"}, "1=0 HEAD"},
      {{"GET /a", "HEAD /a", "HEAD /a", "GET /a"}, "2=1 HEAD; 3=0 GET"},
  });
}

TEST(RouteConflicts, OverlappingIsNoConflict) {
  expect_conflicts({
      {{"GET /a", "GET /{x}", "GET /{x:[a-z]+}", "GET /{x...}"}, ""},
      {{"GET /{x}/b", "GET /a/{x}", "GET /{x}/{y}", "GET /a/b"}, ""},
      {{"GET /{x:[a-z]+}", "GET /{x:[0-9a-z]+}"}, ""},
      {{"GET /{x:[0-9]+}", "GET /{x:.*}"}, ""},
      {{"GET /{x}", "GET /{x:.*}/b"}, ""},
      {{"GET /a/{p...}", "GET /{p...}", "GET /a/b"}, ""},
      {{"GET /{x:.*}/b", "GET /{x}/c"}, ""},
      {{"GET /{x:.*}/a", "GET /{x}/{y}"}, ""},
      {{"GET /{x:.*}", "GET /{p...}"}, ""},
      {{"GET /{x:.*}", "GET /"}, ""},
      {{"GET /{x:.*}", "GET /a"}, ""},
      {{"GET /{x:.*}", "POST /{x}"}, ""},
      {{"GET /{x:[^/]+}", "GET /{x}"}, ""},  // "a%2Fb" goes to the second
  });
}

TEST(RouteConflicts, Unreachable) {
  expect_conflicts({
      {{"GET /{x:.*}", "GET /{x}"}, "1<0 GET"},
      {{"GET /{x}", "GET /{x:.+}"}, "0<1 GET"},
      {{"GET /{x:.*}", "GET /{x:[0-9]+}"}, "1<0 GET"},
      {{"GET /{x:.*}", "GET /{x:.+}"}, "1<0 GET"},
      {{"GET /{x:[a-z]+}", "GET /{x:abc}"}, "1<0 GET"},
      {{"GET /{x:[a-z]+}", "GET /{x:ABC}"}, ""},
      {{"GET /{x:abc}", "GET /{x:[a-z]+}"}, ""},
      {{"GET /{x:a}", "GET /a"}, "0<1 GET"},
      {{"GET /a/{x:.*}/c", "GET /a/{x}/c"}, "1<0 GET"},
      {{"GET /a/{x:.*}/{y}", "GET /a/{x}/c"}, "1<0 GET"},
      {{"GET /a/{x:.*}/{y:[a-z]+}", "GET /a/{x}/c"}, "1<0 GET"},
      {{"GET /a/{x:.*}/{y:[0-9]+}", "GET /a/{x}/c"}, ""},
      {{"GET /a/{x:.*}/{y...}", "GET /a/{x}/c", "GET /a/{x}/c/d", "GET /a/{x}/", "GET /a/{x}"},
       "1<0 GET; 2<0 GET; 3<0 GET"},
      {{"GET /a/{x:.*}/{y...}", "GET /a/{x}/{z...}"}, "1<0 GET"},
      {{"GET /{x:.*}/{y:[0-9]+}", "GET /{x}/{y:[0-9]+}"}, "1<0 GET"},
      {{"GET /{x:.*}", "GET,POST /{y}"}, "1<0 GET"},
      {{"GET,POST /{x:.*}", "GET,POST /{y}"}, "1<0 GET, POST"},
      {{"GET /a/", "GET /a/{x}", "GET /a/{x}/{r...}", "GET /a/{r...}"}, "3<2 GET"},
      {{"GET /a/", "GET /a/{x}", "GET /a/{r...}"}, ""},
      {{"GET /a/{x}", "GET /a/{x}/{r...}", "GET /a/{r...}"}, ""},
  });
}

// As for the router, each method is on its own; HEAD requests go to the GET routes that are more specific.
TEST(RouteConflicts, MethodsAreIndependent) {
  expect_conflicts({
      {{"POST /{x:.*}", "GET /{x}"}, ""},
      {{"POST /{x:[a-z]+}", "GET /{x:.*}", "GET,POST /{x:[a-z]+}/b"}, ""},
      {{"GET /{x:.*}", "HEAD /{x}"}, "1<0 HEAD"},
      {{"HEAD /{x:.*}", "GET /{x}"}, ""},
      {{"GET /{x:[a-z]+}", "HEAD /{x}"}, ""},
  });
}

TEST(RouteConflicts, MessageNamesBoth) {
  const auto duplicate = find_conflicts(make_routes({"GET /a/{x}", "GET /a/{y}"}));
  ASSERT_EQ(duplicate.size(), 1U);
  EXPECT_EQ(duplicate[0].message, "GET /a/{y} matches the same requests as the route 'r0', /a/{x}");
  const auto unreachable = find_conflicts(make_routes({"GET /{x:.*}", "GET /{y}"}));
  ASSERT_EQ(unreachable.size(), 1U);
  EXPECT_EQ(unreachable[0].message,
            "GET /{y} can never be reached: all its requests are taken before by the route 'r0', /{x:.*}");
}

TEST(RouteConflicts, RoutesWithoutAPatternArePassedOver) {
  std::vector<Route> routes = make_routes({"GET /a", "GET /a"});
  routes[0].pattern = Pattern();
  EXPECT_EQ(show(find_conflicts(routes)), "");
}

TEST(RouteConflicts, ManyRoutes) {
  std::vector<std::string> lines;
  for (int i = 0; i < 5'000; ++i) {
    const std::string n = std::to_string(i);
    lines.push_back("GET,OPTIONS /api/v1/service" + n + "/{id:[0-9]+}");
    lines.push_back("GET /words/{w:word" + n + "}");
    lines.push_back("GET /{tenant:t" + n + ".*}/things/{x}");
    lines.push_back("GET /{tenant}/things" + n);
  }
  const std::vector<Route> routes = make_routes(lines);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(find_conflicts(routes).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));  // quadratic would be minutes
}

}  // namespace
}  // namespace restgate::config
