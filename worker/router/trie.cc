#include "worker/router/trie.h"

#include "worker/router/literal_hash.h"

namespace restgate::worker::router {

// One match: the path and what is asked of it. Recursion is as deep as the deepest pattern at most
// (config::kMaxPatternBytes / 2).
struct Trie::Walk {
  const Trie& trie;
  const std::vector<std::string_view>& segments;
  MethodSet wanted;  // find: one method; collect: not used

  uint32_t route_of(Range range) const {
    for (uint32_t i = range.begin; i < range.end; ++i) {
      if ((trie.leaves_[i].methods & wanted) != 0) return trie.leaves_[i].route;
    }
    return kNoRoute;
  }

  // In order of specificity; the first route found is the one.
  uint32_t find(uint32_t index, size_t depth) const {
    const Node& node = trie.nodes_[index];
    if ((node.methods & wanted) == 0) return kNoRoute;
    if (depth == segments.size()) return route_of(node.exact);
    if (node.has_literals) {
      const uint32_t child = trie.literal_child(index, segments[depth]);
      if (child != 0) {
        if (const uint32_t route = find(child, depth + 1); route != kNoRoute) return route;
      }
    }
    if (!segments[depth].empty()) {
      if (const uint32_t route = find_wildcard(node, depth); route != kNoRoute) return route;
    }
    return route_of(node.rest);
  }

  uint32_t find_wildcard(const Node& node, size_t depth) const {
    for (uint32_t i = node.regexes.begin; i < node.regexes.end; ++i) {
      const RegexEdge& edge = trie.regex_edges_[i];
      if ((edge.methods & wanted) == 0 || !trie.regex_matches(edge.regex, segments[depth])) continue;
      if (const uint32_t route = find(edge.child, depth + 1); route != kNoRoute) return route;
    }
    return node.parameter == 0 ? kNoRoute : find(node.parameter, depth + 1);
  }

  MethodSet methods_of(Range range) const {
    MethodSet methods = 0;
    for (uint32_t i = range.begin; i < range.end; ++i) methods |= trie.leaves_[i].methods;
    return methods;
  }

  // Adds the methods of all matching patterns to `methods`; skips what could add nothing.
  void collect(uint32_t index, size_t depth, MethodSet& methods) const {
    const Node& node = trie.nodes_[index];
    if ((node.methods & ~methods) == 0) return;
    if (depth == segments.size()) {
      methods |= methods_of(node.exact);
      return;
    }
    methods |= methods_of(node.rest);
    if (const uint32_t child = trie.literal_child(index, segments[depth]); child != 0)
      collect(child, depth + 1, methods);
    if (segments[depth].empty()) return;
    for (uint32_t i = node.regexes.begin; i < node.regexes.end; ++i) {
      const RegexEdge& edge = trie.regex_edges_[i];
      if (edge.first && trie.regex_matches(edge.regex, segments[depth])) collect(edge.child, depth + 1, methods);
    }
    if (node.parameter != 0) collect(node.parameter, depth + 1, methods);
  }
};

uint32_t Trie::find(MethodSet method, const std::vector<std::string_view>& segments) const {
  if (segments.empty()) return kNoRoute;
  return Walk{*this, segments, method}.find(0, 0);
}

MethodSet Trie::allowed(const std::vector<std::string_view>& segments) const {
  MethodSet methods = 0;
  if (!segments.empty()) Walk{*this, segments, 0}.collect(0, 0, methods);
  return methods;
}

size_t Trie::memory_bytes() const {
  return nodes_.capacity() * sizeof(Node) + literals_.capacity() * sizeof(Slot) +
         regex_edges_.capacity() * sizeof(RegexEdge) + leaves_.capacity() * sizeof(Leaf) + texts_.capacity() +
         regexes_.capacity() * sizeof(regexes_[0]);
}

uint32_t Trie::literal_child(uint32_t parent, std::string_view segment) const {
  const uint64_t hash = literal_hash(parent, segment);
  const size_t mask = literals_.size() - 1;
  for (size_t place = hash >> literal_shift_;; place = (place + 1) & mask) {
    const Slot& slot = literals_[place];
    if (slot.child == 0) return 0;
    if (slot.tag != static_cast<uint32_t>(hash) || slot.parent != parent) continue;
    const Node& child = nodes_[slot.child];
    if (segment == std::string_view(texts_).substr(child.text, child.text_size)) return slot.child;
  }
}

bool Trie::regex_matches(uint32_t regex, std::string_view segment) const {
  return config::regex_matches(*regexes_[regex], segment);
}

}  // namespace restgate::worker::router
