// Patterns, Path and Router against their references. The input is text, so that seeds can be read and written:
//
//   GET,POST /a/{x}          any number of routes; a pattern that is refused leaves its line out
//   DELETE /a/{x:[0-9]+}
//   GET /a/12                the last line: a request
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http_method.h"
#include "config/pattern.h"
#include "config/route_conflicts.h"
#include "worker/http1/path.h"
#include "worker/http1/reference_path.h"
#include "worker/reference_router.h"
#include "worker/router.h"

namespace {

using restgate::config::Config;
using restgate::config::Pattern;
using restgate::config::Route;
using restgate::config::RouteConflict;
using restgate::http1::Path;
using restgate::worker::RouteMatch;
using restgate::worker::Router;

constexpr size_t kMaxRoutes = 32;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "differs: %s\n", what);
  std::abort();
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    pieces.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return pieces;
}

void add_route(Config& config, std::string_view line) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view text = line.substr(space + 1);
  const auto pattern = Pattern::parse(text);
  if (!pattern.ok()) {
    require(pattern.error().offset <= text.size() && !pattern.error().message.empty(), "place of the error");
    return;
  }
  Route route;
  route.pattern = *pattern;
  for (const std::string_view method : split(line.substr(0, space), ',')) {
    const bool known = std::find(config.methods.begin(), config.methods.end(), method) != config.methods.end();
    if (!known && config.methods.size() >= restgate::kMaxMethods) continue;
    if (!known) config.methods.emplace_back(method);
    if (!restgate::worker::reference::declares(route, method)) route.methods.emplace_back(method);
  }
  if (!route.methods.empty()) config.routes.push_back(std::move(route));
}

// A route that is said never to be reached for a method must not have been.
void check_conflicts(const Config& config, std::string_view method, const RouteMatch& match) {
  for (const RouteConflict& conflict : find_conflicts(config.routes)) {
    require(!conflict.message.empty() && conflict.route != conflict.other, "a conflict's routes");
    if (match.kind != RouteMatch::Kind::Found || conflict.route != match.route) continue;
    for (std::string_view name : split(conflict.method, ',')) {
      if (name.starts_with(' ')) name.remove_prefix(1);
      require(name != method, "a route in conflict serves");
    }
  }
}

void check_request(const Config& config, std::string_view line) {
  const size_t space = std::min(line.find(' '), line.size());
  const std::string_view method = line.substr(0, space);
  const std::string_view raw = space < line.size() ? line.substr(space + 1) : std::string_view();
  Path path;
  const bool ok = path.assign(raw) == Path::Verdict::Ok;
  const auto expected_path = restgate::http1::reference::decode_path(raw);
  require(ok == expected_path.has_value(), "the path's verdict");
  require(ok || path.segments().empty(), "segments of a refused path");
  if (!ok) return;
  require(std::equal(path.segments().begin(), path.segments().end(), expected_path->begin(), expected_path->end()),
          "the path's segments");

  const Router router(config);
  const RouteMatch got = router.match(router.method_id(method), path.segments());
  const RouteMatch expected = restgate::worker::reference::match(config.routes, method, path.segments());
  require(got.kind == expected.kind, "kind of match");
  require(got.route == expected.route, "route");
  require(got.allow == expected.allow, "Allow");
  check_conflicts(config, method, got);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> lines = split(input, '\n');
  Config config;
  config.methods.assign(restgate::kStandardMethods.begin(), restgate::kStandardMethods.end());
  for (size_t i = 0; i + 1 < lines.size() && i < kMaxRoutes; ++i) add_route(config, lines[i]);
  check_request(config, lines.back());
  return 0;
}
