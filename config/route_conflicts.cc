#include "config/route_conflicts.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "config/text.h"

namespace restgate::config {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
// Past these the search gives up a possible finding rather than time.
constexpr size_t kMaxFrontier = 64;
constexpr size_t kMaxSiblings = 64;

// A regex of letters, digits, '_' and '-' alone matches its own text and nothing else.
bool is_plain_word(std::string_view regex) {
  return std::all_of(regex.begin(), regex.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

// What a segment matches, if that is one text: a literal's, or a plain word's.
const std::string* only_text(const Segment& segment) {
  if (segment.kind == Segment::Kind::Literal) return &segment.text;
  return segment.kind == Segment::Kind::Regex && is_plain_word(segment.regex_text) ? &segment.regex_text : nullptr;
}

// A route at the end of a pattern.
struct Leaf {
  uint32_t route = kNone;
  bool declared = false;  // false: serves HEAD only because it serves GET
};

struct RegexEdge {
  const Segment* segment;
  uint32_t child;
};

struct Node {
  uint32_t parameter = 0;  // children; 0: none, as the root is no child
  uint32_t rank = 0;       // place in the parent's regexes
  std::vector<RegexEdge> regexes;
  std::vector<uint32_t> everything;  // children by a regex that matches everything
  Leaf exact;
  Leaf rest;
};

// The nodes that take all requests of a pattern's first segments, and come before it.
using Frontier = std::vector<uint32_t>;

// The patterns of one method's routes as a tree of segments.
class MethodTree {
 public:
  MethodTree() : nodes_(1) {}

  // Returns the earlier route that declares the same, or kNone.
  uint32_t add(const Pattern& pattern, Leaf leaf);
  // The route that takes all requests of `pattern`, which was added as `route`, or kNone.
  uint32_t taken_by(const Pattern& pattern, uint32_t route) const;

 private:
  struct Edge {
    uint32_t parent;
    bool regex;
    std::string_view text;
    bool operator==(const Edge&) const = default;
  };
  struct EdgeHash {
    size_t operator()(const Edge& edge) const {
      return std::hash<std::string_view>{}(edge.text) ^
             (edge.parent * 2 + (edge.regex ? 1U : 0U)) * 0x9E3779B97F4A7C15U;
    }
  };

  uint32_t child(Edge edge) const {
    const auto found = edges_.find(edge);
    return found == edges_.end() ? 0 : found->second;
  }
  uint32_t own_child(uint32_t node, const Segment& segment) const;
  uint32_t step(uint32_t node, const Segment& segment);
  void take_text(uint32_t node, std::string_view text, uint32_t max_rank, Frontier& next) const;
  void take_all(uint32_t node, const Segment& segment, Frontier& next) const;
  void take_before(uint32_t node, const Segment& segment, Frontier& next) const;
  uint32_t rest_taken(const Frontier& frontier, uint32_t self) const;
  uint32_t any_rest(const Frontier& frontier, uint32_t self) const;
  uint32_t any_exact(const Frontier& frontier) const;

  std::vector<Node> nodes_;
  std::unordered_map<Edge, uint32_t, EdgeHash> edges_;  // literals and regexes
};

void push(Frontier& frontier, uint32_t node) {
  if (node != 0 && frontier.size() < kMaxFrontier) frontier.push_back(node);
}

uint32_t MethodTree::own_child(uint32_t node, const Segment& segment) const {
  switch (segment.kind) {
    case Segment::Kind::Literal:
      return child({node, false, segment.text});
    case Segment::Kind::Regex:
      return child({node, true, segment.regex_text});
    case Segment::Kind::Parameter:
      return nodes_[node].parameter;
    case Segment::Kind::Rest:
      break;
  }
  return 0;
}

uint32_t MethodTree::step(uint32_t node, const Segment& segment) {
  if (const uint32_t known = own_child(node, segment); known != 0) return known;
  const auto fresh = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  Node& parent = nodes_[node];
  if (segment.kind == Segment::Kind::Parameter) {
    parent.parameter = fresh;
    return fresh;
  }
  const bool regex = segment.kind == Segment::Kind::Regex;
  edges_.emplace(Edge{node, regex, regex ? segment.regex_text : segment.text}, fresh);
  if (regex) {
    nodes_[fresh].rank = static_cast<uint32_t>(parent.regexes.size());
    parent.regexes.push_back({&segment, fresh});
    if (segment.matches_everything()) parent.everything.push_back(fresh);
  }
  return fresh;
}

uint32_t MethodTree::add(const Pattern& pattern, Leaf leaf) {
  uint32_t node = 0;
  for (const Segment& segment : pattern.segments()) {
    if (segment.kind != Segment::Kind::Rest) node = step(node, segment);
  }
  const bool rest = pattern.segments().back().kind == Segment::Kind::Rest;
  Leaf& place = rest ? nodes_[node].rest : nodes_[node].exact;
  if (place.declared && leaf.declared) return place.route;
  if (place.route == kNone || leaf.declared) place = leaf;
  return kNone;
}

// Adds the children that `text` is taken to: by the literal, by regexes of a rank below `max_rank`.
void MethodTree::take_text(uint32_t node, std::string_view text, uint32_t max_rank, Frontier& next) const {
  push(next, child({node, false, text}));
  const std::vector<RegexEdge>& regexes = nodes_[node].regexes;
  const size_t count = std::min({regexes.size(), kMaxSiblings, size_t{max_rank}});
  for (size_t i = 0; i < count; ++i) {
    if (regexes[i].segment->matches(text)) push(next, regexes[i].child);
  }
}

// Adds the children by whose edge all that `segment` matches is matched.
void MethodTree::take_all(uint32_t node, const Segment& segment, Frontier& next) const {
  if (const std::string* text = only_text(segment)) {
    take_text(node, *text, kNone, next);
    if (text->empty()) return;  // a trailing slash: no parameter takes it
  } else {
    for (const uint32_t everything : nodes_[node].everything) push(next, everything);
    if (segment.kind == Segment::Kind::Regex && !segment.matches_everything()) {
      push(next, child({node, true, segment.regex_text}));
    }
  }
  push(next, nodes_[node].parameter);
}

// The same for those that are tried before the edge of `segment` itself.
void MethodTree::take_before(uint32_t node, const Segment& segment, Frontier& next) const {
  if (segment.kind == Segment::Kind::Literal || segment.kind == Segment::Kind::Rest) return;
  const bool regex = segment.kind == Segment::Kind::Regex;
  const uint32_t rank = regex ? nodes_[own_child(node, segment)].rank : kNone;
  if (const std::string* text = only_text(segment)) return take_text(node, *text, rank, next);
  for (const uint32_t everything : nodes_[node].everything) {
    if (nodes_[everything].rank < rank) push(next, everything);
  }
}

uint32_t MethodTree::any_rest(const Frontier& frontier, uint32_t self) const {
  for (const uint32_t node : frontier) {
    const uint32_t route = nodes_[node].rest.route;
    if (route != kNone && route != self) return route;
  }
  return kNone;
}

uint32_t MethodTree::any_exact(const Frontier& frontier) const {
  for (const uint32_t node : frontier) {
    if (nodes_[node].exact.route != kNone) return nodes_[node].exact.route;
  }
  return kNone;
}

// Whether whatever may follow is taken: by a {x...}; or a trailing slash, one segment, and more of them, each by a
// route.
uint32_t MethodTree::rest_taken(const Frontier& frontier, uint32_t self) const {
  if (frontier.empty()) return kNone;
  if (const uint32_t route = any_rest(frontier, self); route != kNone) return route;
  Frontier slash;
  Frontier next;
  for (const uint32_t node : frontier) {
    push(slash, child({node, false, ""}));
    for (const uint32_t everything : nodes_[node].everything) push(next, everything);
    push(next, nodes_[node].parameter);
  }
  if (any_exact(slash) == kNone || any_exact(next) == kNone) return kNone;
  return rest_taken(next, self);
}

uint32_t MethodTree::taken_by(const Pattern& pattern, uint32_t route) const {
  uint32_t own = 0;
  Frontier before;
  for (const Segment& segment : pattern.segments()) {
    if (const uint32_t other = any_rest(before, route); other != kNone) return other;
    if (segment.kind == Segment::Kind::Rest) {
      before.push_back(own);
      return rest_taken(before, route);
    }
    Frontier next;
    for (const uint32_t node : before) take_all(node, segment, next);
    take_before(own, segment, next);
    own = own_child(own, segment);
    before = std::move(next);
  }
  return any_exact(before);
}

// The routes that serve a method, in file order.
struct MethodRoutes {
  std::string name;
  std::vector<Leaf> leaves;
};

// A method's finding, before those of several methods are joined.
struct Finding {
  uint32_t route;
  RouteConflict::Kind kind;
  uint32_t other;
  std::string method;
};

std::vector<MethodRoutes> by_method(const std::vector<Route>& routes) {
  std::vector<MethodRoutes> methods;
  std::unordered_map<std::string_view, size_t> index;
  for (const Route& route : routes) {
    for (const std::string& name : route.methods) {
      if (index.try_emplace(name, methods.size()).second) methods.push_back({name, {}});
    }
  }
  const auto head = index.find("HEAD");  // of no interest unless declared
  for (uint32_t i = 0; i < routes.size(); ++i) {
    if (routes[i].pattern.segments().empty()) continue;
    bool declares_head = false;
    bool declares_get = false;
    for (const std::string& name : routes[i].methods) {
      methods[index[name]].leaves.push_back({i, true});
      declares_head |= name == "HEAD";
      declares_get |= name == "GET";
    }
    if (head != index.end() && declares_get && !declares_head) methods[head->second].leaves.push_back({i, false});
  }
  return methods;
}

void find_in_method(const MethodRoutes& method, const std::vector<Route>& routes, std::vector<Finding>& findings) {
  MethodTree tree;
  std::vector<uint32_t> unique;
  for (const Leaf leaf : method.leaves) {
    const uint32_t other = tree.add(routes[leaf.route].pattern, leaf);
    if (other != kNone) {
      findings.push_back({leaf.route, RouteConflict::Kind::Duplicate, other, method.name});
    } else if (leaf.declared) {
      unique.push_back(leaf.route);
    }
  }
  for (const uint32_t route : unique) {
    const uint32_t other = tree.taken_by(routes[route].pattern, route);
    if (other != kNone) findings.push_back({route, RouteConflict::Kind::Unreachable, other, method.name});
  }
}

std::string message_of(const RouteConflict& conflict, const std::vector<Route>& routes) {
  const Route& route = routes[conflict.route];
  const Route& other = routes[conflict.other];
  const std::string other_name = "the route " + quoted(other.name) + ", " + other.pattern.text();
  const std::string subject = conflict.method + " " + route.pattern.text();
  switch (conflict.kind) {
    case RouteConflict::Kind::Duplicate:
      return subject + " matches the same requests as " + other_name;
    case RouteConflict::Kind::Unreachable:
      return subject + " can never be reached: all its requests are taken before by " + other_name;
  }
  return {};
}

}  // namespace

std::vector<RouteConflict> find_conflicts(const std::vector<Route>& routes) {
  std::vector<Finding> findings;
  for (const MethodRoutes& method : by_method(routes)) find_in_method(method, routes, findings);
  const auto key = [](const Finding& finding) { return std::tie(finding.route, finding.kind, finding.other); };
  std::stable_sort(findings.begin(), findings.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  std::vector<RouteConflict> conflicts;
  for (size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    if (i > 0 && key(finding) == key(findings[i - 1])) {
      conflicts.back().method += ", " + finding.method;
    } else {
      conflicts.push_back({finding.kind, finding.route, finding.other, finding.method, {}});
    }
  }
  for (RouteConflict& conflict : conflicts) conflict.message = message_of(conflict, routes);
  return conflicts;
}

}  // namespace restgate::config
