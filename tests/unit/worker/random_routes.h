// Random routes and paths over a small alphabet, so that they meet. For property tests.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "config/pattern.h"

namespace restgate::worker::test {

class RandomRoutes {
 public:
  explicit RandomRoutes(uint32_t seed) : random_(seed) {}

  unsigned choose(unsigned count) { return static_cast<unsigned>(random_() % count); }

  std::string pattern() {
    std::string text;
    const unsigned count = 1 + choose(4);
    for (unsigned i = 0; i < count; ++i) text += "/" + segment(i);
    const unsigned last = choose(8);
    if (last == 0) text += "/";
    if (last == 1) text += "/{rest...}";
    return choose(30) == 0 ? "/" : text;
  }

  std::vector<config::Route> routes(unsigned max_count) {
    static constexpr std::string_view kMethods[] = {"GET", "POST", "HEAD", "OPTIONS", "PURGE"};
    std::vector<config::Route> routes(1 + choose(max_count));
    for (size_t i = 0; i < routes.size(); ++i) {
      routes[i].name = "r" + std::to_string(i);
      routes[i].pattern = *config::Pattern::parse(pattern(), regexes_);
      const unsigned bits = choose(3) == 0 ? 1 : 1 + choose(31);
      for (unsigned m = 0; m < 5; ++m) {
        if ((bits >> m & 1) != 0) routes[i].methods.emplace_back(kMethods[m]);
      }
    }
    return routes;
  }

  std::vector<std::string_view> path() {
    static constexpr std::string_view kSegments[] = {"a", "b", "a", "b", "aa", "ab", "c", "a/b", "\xFF"};
    std::vector<std::string_view> segments(1 + choose(5));
    for (std::string_view& segment : segments) segment = kSegments[choose(choose(3) == 0 ? 9 : 4)];
    if (choose(5) == 0) segments.back() = "";
    return segments;
  }

 private:
  std::string segment(unsigned place) {
    static constexpr std::string_view kLiterals[] = {"a", "b", "aa", "c"};
    static constexpr std::string_view kRegexes[] = {"a|b", "[ab]+", ".*", "a", ".+", "b|aa", "[^b]", "a.*"};
    const std::string name(1, static_cast<char>('p' + place));
    const unsigned kind = choose(8);
    if (kind < 3) return std::string(kLiterals[choose(4)]);
    if (kind < 6) return "{" + name + ":" + std::string(kRegexes[choose(8)]) + "}";
    return "{" + name + "}";
  }

  std::mt19937 random_;
  config::RegexCache regexes_;
};

}  // namespace restgate::worker::test
