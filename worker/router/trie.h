// Trie: the routes of a generation as a tree of path segments, in flat arrays. Owned by the Router; built in the
// master, then read by the workers, copy-on-write.
//
// Invariants: node 0 is the root and nobody's child, so that 0 as a child means "none". Every other node has exactly
// one parent: a match visits a node at most once. So its cost is bounded by the nodes that the path can reach: with w
// wildcard edges (regex or {x}) at most on a node, min(number of nodes, (1 + w)^depth), whatever the path. Only as many
// routes as that can make it happen; with w = 1 on the way it is one node a segment.
// Literal edges are in one open-addressed table: a step costs the same with one route and with 50,000. With thousands
// of routes what a match touches is not in the cache, so that it counts how often it waits for memory: an edge's place
// follows from the path alone (literal_hash.h), so that those of several steps can be fetched at once (fetch_ahead),
// with the nodes and texts that they lead to; two nodes share a cache line, and that of {x} is in its parent's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace restgate::worker::router {

/// A set of MethodIds: bit i is method i.
using MethodSet = uint64_t;

inline constexpr uint32_t kNoRoute = UINT32_MAX;

/// Which entries of one of the trie's arrays belong to a node.
struct Range {
  uint32_t begin = 0;
  uint32_t end = 0;
};

struct Node {
  MethodSet methods = 0;      ///< of all routes at or below this node, with the HEAD of GET routes
  uint32_t parent = 0;        ///< whose literal it is
  bool has_literals = false;  ///< some child is in the literal table
  bool sole = false;          ///< `exact` is no place but the route, and serves all of `methods`
  uint32_t parameter = 0;     ///< child of {x}, the next node; 0: none
  uint32_t exact = kNoRoute;  ///< routes that end here: the first of Trie::leaves
  uint32_t branches = 0;      ///< the rest of it, in Trie::branches, whose first is empty
};
static_assert(sizeof(Node) == 32);

/// What few nodes have.
struct Branches {
  Range regexes;             ///< in Trie::regex_edges, in the order to try them
  uint32_t rest = kNoRoute;  ///< routes whose {x...} begins here: the first of Trie::leaves
};

/// The edge of a {x:regex}. A child can be reached by several, for different methods: each method has its routes'
/// regexes in file order, as if the routes of other methods were not there.
struct RegexEdge {
  MethodSet methods = 0;
  uint32_t regex = 0;  ///< in Trie::regexes
  uint32_t child = 0;
  bool first = false;  ///< the first edge to this child
};

/// A route at a node, with the methods that it serves there. The sets of one node's leaves are disjoint.
struct Leaf {
  MethodSet methods = 0;
  uint32_t route = 0;
  bool last = false;  ///< of this node's
};

/// An entry of the literal table; child 0: free.
struct Slot {
  uint32_t tag = 0;  ///< bits of the hash that do not choose the place
  uint32_t child = 0;
  uint32_t text = 0;  ///< where the literal begins in Trie::texts
  uint32_t text_size = 0;
};

class Trie {
 public:
  explicit Trie(const std::vector<config::Route>& routes, const std::vector<std::string>& methods);

  /// Has the processor fetch what find() will need of these segments. To be called some work before it.
  void fetch_ahead(const std::vector<std::string_view>& segments) const;
  /// The route of the most specific pattern that matches `segments` and serves `method` (one bit), or kNoRoute.
  [[nodiscard]] uint32_t find(MethodSet method, const std::vector<std::string_view>& segments) const;
  /// The methods of all patterns that match `segments`.
  [[nodiscard]] MethodSet allowed(const std::vector<std::string_view>& segments) const;
  /// Heap memory of the arrays, in bytes; without the compiled regexes.
  [[nodiscard]] size_t memory_bytes() const;

 private:
  friend class TrieBuilder;
  struct Walk;

  /// A line of the cache.
  struct alignas(64) NodePair {
    std::array<Node, 2> nodes;
  };

  [[nodiscard]] const Node& node(uint32_t index) const { return pairs_[index / 2].nodes[index % 2]; }
  [[nodiscard]] std::string_view text(const Slot& slot) const { return {texts_.data() + slot.text, slot.text_size}; }
  [[nodiscard]] size_t place_of(uint64_t hash) const { return hash >> literal_shift_; }
  [[nodiscard]] uint32_t literal_child(uint32_t parent, uint64_t hash, std::string_view segment) const;
  [[nodiscard]] bool regex_matches(uint32_t regex, std::string_view segment) const;

  std::vector<NodePair> pairs_;  ///< the nodes by index; some place may be empty
  std::vector<Slot> literals_;   ///< size: a power of two, at most half full
  unsigned literal_shift_ = 0;   ///< 64 - log2 of that size
  std::vector<Branches> branches_;
  std::vector<RegexEdge> regex_edges_;
  std::vector<Leaf> leaves_;
  std::string texts_;
  std::vector<std::shared_ptr<const re2::RE2>> regexes_;
};

}  // namespace restgate::worker::router
