// The slow and obvious router: tries every route and sorts those that match by the rule of specificity. For the Router,
// and for what is said of conflicts, to be compared with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "worker/router.h"

namespace restgate::worker::reference {

using config::Route;
using config::Segment;
using Segments = std::vector<std::string_view>;

inline bool declares(const Route& route, std::string_view method) {
  return std::find(route.methods.begin(), route.methods.end(), method) != route.methods.end();
}

inline bool serves(const Route& route, std::string_view method) {
  return declares(route, method) || (method == "HEAD" && declares(route, "GET"));
}

inline bool matches(const Route& route, const Segments& path) {
  const std::vector<Segment>& segments = route.pattern.segments();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (i == path.size()) return false;
    if (segments[i].kind == Segment::Kind::Rest) return true;
    if (!segments[i].matches(path[i])) return false;
  }
  return segments.size() == path.size();
}

/// Where the regex at segment `i` of `route` first occurs after the same segments, among the routes for `method`.
inline size_t first_place(const std::vector<Route>& routes, std::string_view method, const Route& route, size_t i) {
  const auto same = [&](const Route& other) {
    const std::vector<Segment>& a = route.pattern.segments();
    const std::vector<Segment>& b = other.pattern.segments();
    if (!serves(other, method) || b.size() <= i) return false;
    return std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(i + 1), b.begin(),
                      [](const Segment& x, const Segment& y) { return x.same_requests(y); });
  };
  return static_cast<size_t>(std::find_if(routes.begin(), routes.end(), same) - routes.begin());
}

/// Whether `a` comes before `b`, both matching the same path.
inline bool precedes(const std::vector<Route>& routes, std::string_view method, const Route& a, const Route& b) {
  const std::vector<Segment>& x = a.pattern.segments();
  const std::vector<Segment>& y = b.pattern.segments();
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (x[i].same_requests(y[i])) continue;
    if (x[i].kind != y[i].kind) return x[i].kind < y[i].kind;
    return first_place(routes, method, a, i) < first_place(routes, method, b, i);
  }
  if (declares(a, method) != declares(b, method)) return declares(a, method);
  return &a < &b;
}

inline RouteMatch match(const std::vector<Route>& routes, std::string_view method, const Segments& path) {
  const Route* best = nullptr;
  std::set<std::string> allowed;
  for (const Route& route : routes) {
    if (!matches(route, path)) continue;
    allowed.insert(route.methods.begin(), route.methods.end());
    if (declares(route, "GET")) allowed.insert("HEAD");
    if (serves(route, method) && (best == nullptr || precedes(routes, method, route, *best))) best = &route;
  }
  if (best != nullptr) return {RouteMatch::Kind::Found, static_cast<uint32_t>(best - routes.data()), {}};
  if (allowed.empty()) return {};
  RouteMatch result{RouteMatch::Kind::MethodNotAllowed, 0, {}};
  for (const std::string& name : allowed) result.allow += (result.allow.empty() ? "" : ", ") + name;
  return result;
}

}  // namespace restgate::worker::reference
