#include "worker/router/trie.h"

#include <algorithm>

#include "worker/router/literal_hash.h"

namespace restgate::worker::router {

// One match: the path and what is asked of it. Recursion is as deep as the deepest pattern at most
// (config::kMaxPatternBytes / 2).
struct Trie::Walk {
  const Trie& trie;
  const std::vector<std::string_view>& segments;
  MethodSet wanted;  // find: one method; collect: not used

  uint32_t route_of(uint32_t first) const {
    if (first == kNoRoute) return kNoRoute;
    for (const Leaf* leaf = &trie.leaves_[first];; ++leaf) {
      if ((leaf->methods & wanted) != 0) return leaf->route;
      if (leaf->last) return kNoRoute;
    }
  }

  // In order of specificity; the first route found is the one. `hash`: of the node's path.
  uint32_t find(uint32_t index, uint64_t hash, size_t depth) const {
    const Node& node = trie.node(index);
    if ((node.methods & wanted) == 0) return kNoRoute;
    if (depth == segments.size()) return node.sole ? node.exact : route_of(node.exact);
    if (node.has_literals) {
      const uint64_t step = literal_hash(hash, segments[depth]);
      const uint32_t child = trie.literal_child(index, step, segments[depth]);
      if (child != 0) {
        if (const uint32_t route = find(child, step, depth + 1); route != kNoRoute) return route;
      }
    }
    if (!segments[depth].empty()) {
      if (const uint32_t route = find_wildcard(node, hash, depth); route != kNoRoute) return route;
    }
    return route_of(trie.branches_[node.branches].rest);
  }

  uint32_t find_wildcard(const Node& node, uint64_t hash, size_t depth) const {
    const Range regexes = trie.branches_[node.branches].regexes;
    for (uint32_t i = regexes.begin; i < regexes.end; ++i) {
      const RegexEdge& edge = trie.regex_edges_[i];
      if ((edge.methods & wanted) == 0 || !trie.regex_matches(edge.regex, segments[depth])) continue;
      const uint64_t step = wildcard_hash(hash, edge.regex + uint64_t{1});
      if (const uint32_t route = find(edge.child, step, depth + 1); route != kNoRoute) return route;
    }
    return node.parameter == 0 ? kNoRoute : find(node.parameter, wildcard_hash(hash, 0), depth + 1);
  }

  MethodSet methods_of(uint32_t first) const {
    if (first == kNoRoute) return 0;
    MethodSet methods = 0;
    for (const Leaf* leaf = &trie.leaves_[first];; ++leaf) {
      methods |= leaf->methods;
      if (leaf->last) return methods;
    }
  }

  // Adds the methods of all matching patterns to `methods`; skips what could add nothing.
  void collect(uint32_t index, uint64_t hash, size_t depth, MethodSet& methods) const {
    const Node& node = trie.node(index);
    if ((node.methods & ~methods) == 0) return;
    if (depth == segments.size()) {
      methods |= node.sole ? node.methods : methods_of(node.exact);
      return;
    }
    const Branches& branches = trie.branches_[node.branches];
    methods |= methods_of(branches.rest);
    if (node.has_literals) {
      const uint64_t step = literal_hash(hash, segments[depth]);
      const uint32_t child = trie.literal_child(index, step, segments[depth]);
      if (child != 0) collect(child, step, depth + 1, methods);
    }
    if (segments[depth].empty()) return;
    for (uint32_t i = branches.regexes.begin; i < branches.regexes.end; ++i) {
      const RegexEdge& edge = trie.regex_edges_[i];
      if (!edge.first || !trie.regex_matches(edge.regex, segments[depth])) continue;
      collect(edge.child, wildcard_hash(hash, edge.regex + uint64_t{1}), depth + 1, methods);
    }
    if (node.parameter != 0) collect(node.parameter, wildcard_hash(hash, 0), depth + 1, methods);
  }
};

uint32_t Trie::find(MethodSet method, const std::vector<std::string_view>& segments) const {
  if (segments.empty()) return kNoRoute;
  return Walk{*this, segments, method}.find(0, kRootHash, 0);
}

// As if the path began with literals, as most patterns do: their slots at once, then what those lead to. No branch
// depends on what is fetched, so that the processor need not wait here.
void Trie::fetch_ahead(const std::vector<std::string_view>& segments) const {
  constexpr size_t kInTheCache = 256;  // slots
  if (literals_.size() <= kInTheCache) return;
  std::array<uint64_t, 6> hashes;
  const size_t count = std::min(segments.size(), hashes.size());
  uint64_t hash = kRootHash;
  for (size_t i = 0; i < count; ++i) {
    hash = hashes[i] = literal_hash(hash, segments[i]);
    __builtin_prefetch(&literals_[place_of(hash)]);
  }
  for (size_t i = 0; i < count; ++i) {
    const Slot& slot = literals_[place_of(hashes[i])];
    __builtin_prefetch(&node(slot.child));
    __builtin_prefetch(texts_.data() + slot.text);
  }
}

MethodSet Trie::allowed(const std::vector<std::string_view>& segments) const {
  MethodSet methods = 0;
  if (!segments.empty()) Walk{*this, segments, 0}.collect(0, kRootHash, 0, methods);
  return methods;
}

size_t Trie::memory_bytes() const {
  return pairs_.capacity() * sizeof(NodePair) + literals_.capacity() * sizeof(Slot) +
         branches_.capacity() * sizeof(Branches) + regex_edges_.capacity() * sizeof(RegexEdge) +
         leaves_.capacity() * sizeof(Leaf) + texts_.capacity() + regexes_.capacity() * sizeof(regexes_[0]);
}

uint32_t Trie::literal_child(uint32_t parent, uint64_t hash, std::string_view segment) const {
  const size_t mask = literals_.size() - 1;
  for (size_t place = place_of(hash);; place = (place + 1) & mask) {
    const Slot& slot = literals_[place];
    if (slot.child == 0) return 0;
    if (slot.tag != static_cast<uint32_t>(hash) || segment != text(slot)) continue;
    if (node(slot.child).parent == parent) return slot.child;
  }
}

bool Trie::regex_matches(uint32_t regex, std::string_view segment) const {
  return config::regex_matches(*regexes_[regex], segment);
}

}  // namespace restgate::worker::router
