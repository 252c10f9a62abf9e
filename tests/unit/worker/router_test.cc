#include "worker/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "common/http_method.h"
#include "config/pattern.h"
#include "config/route_conflicts.h"
#include "worker/http1/path.h"
#include "worker/random_routes.h"
#include "worker/reference_router.h"

namespace restgate::worker {
namespace {

using Kind = RouteMatch::Kind;

struct Line {
  std::vector<std::string> methods;
  std::string pattern;
};

config::Config make_config(std::vector<config::Route> routes) {
  config::Config config;
  config.methods.assign(kStandardMethods.begin(), kStandardMethods.end());
  config.routes = std::move(routes);
  for (const config::Route& route : config.routes) {
    for (const std::string& method : route.methods) {
      if (std::find(config.methods.begin(), config.methods.end(), method) == config.methods.end()) {
        config.methods.push_back(method);
      }
    }
  }
  return config;
}

config::Config make_config(const std::vector<Line>& lines) {
  std::vector<config::Route> routes;
  for (const Line& line : lines) {
    auto pattern = config::Pattern::parse(line.pattern);
    EXPECT_TRUE(pattern.ok()) << line.pattern;
    config::Route route;
    route.methods = line.methods;
    route.pattern = *pattern;
    routes.push_back(std::move(route));
  }
  return make_config(std::move(routes));
}

// "2": route 2; "404"; "405 GET, HEAD".
std::string show(const RouteMatch& match) {
  switch (match.kind) {
    case Kind::Found:
      return std::to_string(match.route);
    case Kind::NotFound:
      return "404";
    case Kind::MethodNotAllowed:
      return "405 " + match.allow;
  }
  return {};
}

std::string route_of(const Router& router, std::string_view method, std::string_view raw_path) {
  http1::Path path;
  EXPECT_EQ(path.assign(raw_path), http1::Path::Verdict::Ok) << raw_path;
  return show(router.match(router.method_id(method), path.segments()));
}

struct Request {
  std::string_view method;
  std::string_view path;
  std::string expected;
};

void expect_routes(const std::vector<Line>& lines, const std::vector<Request>& requests) {
  const Router router(make_config(lines));
  for (const Request& request : requests) {
    EXPECT_EQ(route_of(router, request.method, request.path), request.expected)
        << request.method << " " << request.path;
  }
}

TEST(Router, MethodIds) {
  const Router router(make_config({{{"GET", "PURGE", "M-SEARCH"}, "/"}}));
  for (size_t id = 0; id < kStandardMethods.size(); ++id) EXPECT_EQ(router.method_id(kStandardMethods[id]), id);
  EXPECT_EQ(router.method_id("PURGE"), 9);
  EXPECT_EQ(router.method_id("M-SEARCH"), 10);
  for (const char* other : {"", "get", "Get", "GE", "GETS", "HEAX", "POSX", "PUX", "TRACX", "PATCX", "DELETX",
                            "OPTIONX", "CONNECX", "purge", "LINK"}) {
    EXPECT_EQ(router.method_id(other), kOtherMethod) << other;
  }
}

TEST(Router, NoRoutes) {
  expect_routes({}, {{"GET", "/", "404"}, {"OPTIONS", "/a/b", "404"}});
  const Router router(make_config({{{"GET"}, "/{x...}"}}));
  EXPECT_EQ(show(router.match(kMethodOptions, {})), "404");  // no segments, as for "*"
}

TEST(Router, LiteralsAndTrailingSlash) {
  expect_routes({{{"GET"}, "/"}, {{"GET"}, "/a"}, {{"GET"}, "/a/"}, {{"GET"}, "/a%2Fb"}, {{"GET"}, "/a/b"}},
                {{"GET", "/", "0"},
                 {"GET", "/a", "1"},
                 {"GET", "/%61", "1"},
                 {"GET", "/A", "404"},
                 {"GET", "/a/", "2"},
                 {"GET", "/a%2fb", "3"},
                 {"GET", "/a/b", "4"},
                 {"GET", "/a/b/", "404"},
                 {"GET", "/a/b/c", "404"}});
}

TEST(Router, MostSpecificWinsWhateverTheOrder) {
  expect_routes({{{"GET"}, "/{p...}"},
                 {{"GET"}, "/a/{x}"},
                 {{"GET"}, "/a/{x:[0-9]+}"},
                 {{"GET"}, "/a/{x:[0-9a-f]+}"},
                 {{"GET"}, "/a/12"},
                 {{"GET"}, "/a/{p...}"}},
                {{"GET", "/a/12", "4"},
                 {"GET", "/a/13", "2"},
                 {"GET", "/a/1f", "3"},
                 {"GET", "/a/xyz", "1"},
                 {"GET", "/a/12/b", "5"},
                 {"GET", "/a/", "5"},
                 {"GET", "/a", "0"},
                 {"GET", "/", "0"},
                 {"GET", "/b/c/d/", "0"}});
}

TEST(Router, EmptyLastSegmentIsNoParameter) {
  expect_routes({{{"GET"}, "/a/{x}"}, {{"GET"}, "/b/{x:.*}"}, {{"GET"}, "/c/{x...}"}}, {{"GET", "/a/", "404"},
                                                                                        {"GET", "/b/", "404"},
                                                                                        {"GET", "/c/", "2"},
                                                                                        {"GET", "/c", "404"},
                                                                                        {"GET", "/c/a/b/", "2"}});
}

TEST(Router, Backtracks) {
  expect_routes({{{"GET"}, "/a/b/c"}, {{"GET"}, "/a/{x}/d"}, {{"GET"}, "/{y:[ab]}/b/e"}, {{"GET"}, "/{p...}"}},
                {{"GET", "/a/b/c", "0"},
                 {"GET", "/a/b/d", "1"},
                 {"GET", "/a/b/e", "2"},
                 {"GET", "/b/b/e", "2"},
                 {"GET", "/a/b/f", "3"},
                 {"GET", "/c/b/e", "3"}});
}

TEST(Router, RegexesAreTriedInFileOrderOfTheMethod) {
  expect_routes({{{"GET"}, "/{x:a|b}/{y}"}, {{"GET"}, "/{x:.*}/lit"}, {{"GET"}, "/{z:a|b}/lit"}},
                {{"GET", "/a/lit", "2"}, {"GET", "/c/lit", "1"}, {"GET", "/b/x", "0"}});
  // The order of another method's routes does not count.
  expect_routes({{{"POST"}, "/{x:[ab]}"}, {{"GET"}, "/{x:a|b}"}, {{"GET"}, "/{x:[ab]}/"}, {{"GET"}, "/{y:[ab]}"}},
                {{"GET", "/a", "1"}, {"POST", "/a", "0"}, {"GET", "/a/", "2"}, {"PUT", "/a", "405 GET, HEAD, POST"}});
}

TEST(Router, MethodsAreIndependent) {
  expect_routes({{{"GET"}, "/a/{x}"}, {{"POST"}, "/a/b"}, {{"PURGE", "DELETE"}, "/{y}/b"}},
                {{"GET", "/a/b", "0"},
                 {"POST", "/a/b", "1"},
                 {"PURGE", "/a/b", "2"},
                 {"PUT", "/a/b", "405 DELETE, GET, HEAD, POST, PURGE"},
                 {"LINK", "/a/b", "405 DELETE, GET, HEAD, POST, PURGE"},
                 {"POST", "/a/c", "405 GET, HEAD"},
                 {"OPTIONS", "/a/c", "405 GET, HEAD"},
                 {"GET", "/c/b", "405 DELETE, PURGE"},
                 {"get", "/a/b", "405 DELETE, GET, HEAD, POST, PURGE"},
                 {"GET", "/c/c", "404"}});
}

TEST(Router, HeadIsServedByGet) {
  expect_routes({{{"GET"}, "/a"}, {{"HEAD"}, "/a"}, {{"HEAD"}, "/{x}"}, {{"GET"}, "/b"}, {{"POST"}, "/c/d"}},
                {{"HEAD", "/a", "1"},
                 {"GET", "/a", "0"},
                 {"HEAD", "/b", "3"},
                 {"HEAD", "/c", "2"},
                 {"GET", "/c", "405 HEAD"},
                 {"HEAD", "/c/d", "405 POST"}});
}

TEST(Router, OfTwoRoutesWithOnePatternTheFirstServes) {
  expect_routes({{{"GET"}, "/a/{x}"}, {{"GET", "POST"}, "/a/{y}"}}, {{"GET", "/a/b", "0"}, {"POST", "/a/b", "1"}});
}

TEST(Router, CanBeMoved) {
  Router first(make_config({{{"GET"}, "/a"}}));
  Router second(config::Config{});
  second = std::move(first);
  EXPECT_EQ(route_of(second, "GET", "/a"), "0");
}

TEST(Router, AgreesWithTheReference) {
  static constexpr std::string_view kMethods[] = {"GET", "POST", "HEAD", "OPTIONS", "PURGE", "LINK"};
  test::RandomRoutes random(7);
  unsigned counts[3] = {};
  for (int set = 0; set < 5'000; ++set) {
    const config::Config config = make_config(random.routes(set % 10 == 0 ? 60 : 12));
    const Router router(config);
    const auto conflicts = config::find_conflicts(config.routes);
    for (int i = 0; i < 50; ++i) {
      const auto path = random.path();
      const std::string_view method = kMethods[random.choose(6)];
      const RouteMatch expected = reference::match(config.routes, method, path);
      const RouteMatch got = router.match(router.method_id(method), path);
      ASSERT_EQ(show(got), show(expected)) << "set " << set << ", " << method << " " << testing::PrintToString(path);
      ++counts[static_cast<size_t>(got.kind)];
      for (const config::RouteConflict& conflict : conflicts) {  // what is said never to be reached is not
        if (got.kind != Kind::Found || got.route != conflict.route) continue;
        EXPECT_EQ((", " + conflict.method + ",").find(", " + std::string(method) + ","), std::string::npos)
            << "set " << set << ": " << conflict.message << "; " << testing::PrintToString(path);
      }
    }
  }
  for (const unsigned count : counts) EXPECT_GT(count, 25'000U);  // found, not found, not allowed: all are met
}

// So many that what a match will need is fetched ahead: all kinds of routes among thousands of others.
TEST(Router, AgreesWithTheReferenceAmongThousands) {
  config::RegexCache regexes;
  std::vector<config::Route> others;
  for (int i = 0; i < 2'000; ++i) {
    const std::string text = i % 3 == 0 ? "/a/b" + std::to_string(i) : "/{p}/c" + std::to_string(i % 100);
    config::Route& other = others.emplace_back();
    other.methods = {"GET"};
    other.pattern = *config::Pattern::parse(text, regexes);
  }
  test::RandomRoutes random(8);
  for (int set = 0; set < 10; ++set) {
    std::vector<config::Route> routes = random.routes(60);
    routes.insert(routes.begin() + static_cast<ptrdiff_t>(routes.size() / 2), others.begin(), others.end());
    const config::Config config = make_config(std::move(routes));
    const Router router(config);
    for (int i = 0; i < 50; ++i) {
      auto path = random.path();
      if (i % 2 == 0) path.emplace_back("c7");
      EXPECT_EQ(show(router.match(kMethodGet, path)), show(reference::match(config.routes, "GET", path)))
          << testing::PrintToString(path);
    }
  }
}

// All patterns of a literal or a parameter in each of 12 places, so that the trie has every way a path could go. A path
// that fails at its end makes a match see each node once, 2^13 of them, and no more, although the patterns are as many.
// A chain of patterns with a parameter each that fail at their ends must cost the sum of their lengths only.
TEST(Router, BacktrackingIsBoundedByTheTrie) {
  constexpr unsigned kDepth = 12;
  std::vector<Line> lines;
  for (unsigned bits = 0; bits < 1U << kDepth; ++bits) {
    std::string pattern;
    for (unsigned i = 0; i < kDepth; ++i) pattern += (bits >> i & 1) != 0 ? "/a" : "/{p" + std::to_string(i) + "}";
    lines.push_back({{"GET"}, pattern + "/end"});
  }
  for (unsigned length = 1; length < 200; ++length) {
    std::string pattern = "/x";
    for (unsigned i = 0; i < length; ++i) pattern += i % 2 == 0 ? "/{p" + std::to_string(i) + "}" : "/a";
    lines.push_back({{"GET"}, pattern + "/end"});
  }
  const Router router(make_config(lines));
  std::string hostile;
  for (unsigned i = 0; i < kDepth; ++i) hostile += "/a";
  std::string deep = "/x";
  for (unsigned i = 0; i < 200; ++i) deep += "/a";
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(route_of(router, "GET", hostile + "/other"), "404");
    ASSERT_EQ(route_of(router, "GET", deep), "404");
  }
  EXPECT_EQ(route_of(router, "POST", hostile + "/end"), "405 GET, HEAD");
  // 100 × about 2^14 nodes: some milliseconds. Generous, for sanitizers; exponential cost would be past all bounds.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace restgate::worker
