// Builds a Trie: drafts of its nodes from the routes in file order; then lays them, their edges and leaves out so that
// what is used together is side by side.
#include <algorithm>
#include <bit>
#include <cassert>
#include <map>
#include <unordered_map>
#include <utility>

#include "worker/router/literal_hash.h"
#include "worker/router/trie.h"

namespace restgate::worker::router {

class TrieBuilder {
 public:
  TrieBuilder(Trie& trie, const std::vector<std::string>& methods) : trie_(trie) {
    for (size_t i = 0; i < methods.size() && i < kMaxMethods; ++i) {
      method_ids_.emplace(methods[i], static_cast<MethodId>(i));
    }
  }

  void build(const std::vector<config::Route>& routes);

 private:
  /// A node that is not in its place yet. Its indices are of drafts.
  struct Draft {
    Node node;
    uint64_t hash = 0;  // of its path
    bool literal = false;
    uint32_t text = 0;  // in Trie::texts
    uint32_t text_size = 0;
  };
  struct PendingLeaf {
    uint32_t node;
    bool rest;
    Leaf leaf;  // with the methods as declared
  };
  struct PendingEdge {
    uint32_t node;
    RegexEdge edge;
  };

  MethodSet declared_methods(const config::Route& route) const;
  void add(const config::Route& route, uint32_t index);
  uint32_t step(uint32_t node, const config::Segment& segment, MethodSet methods);
  uint32_t literal_step(uint32_t node, const std::string& text);
  uint32_t parameter_step(uint32_t node);
  uint32_t regex_step(uint32_t node, const config::Segment& segment, MethodSet methods);
  uint32_t regex_index(const config::Segment& segment);
  uint32_t new_node(uint64_t hash);
  void lay_out_edges();
  void lay_out_leaves();
  uint32_t append_leaves(size_t begin, size_t end);
  Branches& branches_of(uint32_t node);
  void choose_places();
  void lay_out_nodes();
  void insert_literals();

  Trie& trie_;
  std::unordered_map<std::string_view, MethodId> method_ids_;
  std::unordered_map<std::string_view, uint32_t> regex_ids_;                    // by text
  std::unordered_map<uint64_t, uint32_t> regex_children_;                       // by node and regex
  std::map<std::pair<uint32_t, std::string_view>, uint32_t> literal_children_;  // by node and text
  std::vector<Draft> drafts_;
  std::vector<uint32_t> places_;  // by draft: the node's index
  uint32_t end_ = 0;              // of the places
  std::vector<PendingEdge> edges_;
  std::vector<PendingLeaf> leaves_;
};

namespace {

constexpr MethodSet bit(MethodId method) {
  return MethodSet{1} << method;
}

MethodSet with_implied_head(MethodSet methods) {
  return (methods & bit(kMethodGet)) != 0 ? methods | bit(kMethodHead) : methods;
}

}  // namespace

void TrieBuilder::build(const std::vector<config::Route>& routes) {
  new_node(kRootHash);
  for (uint32_t i = 0; i < routes.size(); ++i) add(routes[i], i);
  trie_.branches_.emplace_back();
  lay_out_leaves();
  choose_places();
  lay_out_edges();
  lay_out_nodes();
  insert_literals();
  trie_.texts_.shrink_to_fit();
}

MethodSet TrieBuilder::declared_methods(const config::Route& route) const {
  MethodSet methods = 0;
  for (const std::string& name : route.methods) {
    const auto id = method_ids_.find(name);
    assert(id != method_ids_.end());  // Config::methods holds every route's
    if (id != method_ids_.end()) methods |= bit(id->second);
  }
  return methods;
}

void TrieBuilder::add(const config::Route& route, uint32_t index) {
  const MethodSet declared = declared_methods(route);
  const MethodSet served = with_implied_head(declared);
  uint32_t node = 0;
  bool rest = false;
  drafts_[0].node.methods |= served;
  for (const config::Segment& segment : route.pattern.segments()) {
    rest = segment.kind == config::Segment::Kind::Rest;
    if (rest) break;  // the last one
    node = step(node, segment, served);
    drafts_[node].node.methods |= served;
  }
  if (declared != 0) leaves_.push_back({node, rest, {declared, index, false}});
}

uint32_t TrieBuilder::step(uint32_t node, const config::Segment& segment, MethodSet methods) {
  switch (segment.kind) {
    case config::Segment::Kind::Literal:
      return literal_step(node, segment.text);
    case config::Segment::Kind::Regex:
      return regex_step(node, segment, methods);
    case config::Segment::Kind::Parameter:
    case config::Segment::Kind::Rest:
      break;
  }
  return parameter_step(node);
}

uint32_t TrieBuilder::literal_step(uint32_t node, const std::string& text) {
  uint32_t& child = literal_children_[{node, text}];
  if (child != 0) return child;
  child = new_node(literal_hash(drafts_[node].hash, text));
  drafts_[node].node.has_literals = true;
  Draft& made = drafts_[child];
  made.literal = true;
  made.node.parent = node;
  made.text = static_cast<uint32_t>(trie_.texts_.size());
  made.text_size = static_cast<uint32_t>(text.size());
  trie_.texts_ += text;
  return child;
}

uint32_t TrieBuilder::parameter_step(uint32_t node) {
  if (drafts_[node].node.parameter == 0) {
    const uint32_t child = new_node(wildcard_hash(drafts_[node].hash, 0));
    drafts_[node].node.parameter = child;
  }
  return drafts_[node].node.parameter;
}

uint32_t TrieBuilder::regex_step(uint32_t node, const config::Segment& segment, MethodSet methods) {
  const uint32_t regex = regex_index(segment);
  uint32_t& child = regex_children_[uint64_t{node} << 32 | regex];
  if (child == 0) child = new_node(wildcard_hash(drafts_[node].hash, regex + uint64_t{1}));
  // What came this way before has its edge; these methods come here for the first time.
  const MethodSet seen = drafts_[child].node.methods;
  if ((methods & ~seen) != 0) edges_.push_back({node, {methods & ~seen, regex, child, seen == 0}});
  return child;
}

uint32_t TrieBuilder::regex_index(const config::Segment& segment) {
  const auto [entry, added] = regex_ids_.try_emplace(segment.regex_text, static_cast<uint32_t>(trie_.regexes_.size()));
  if (added) trie_.regexes_.push_back(segment.regex);
  return entry->second;
}

uint32_t TrieBuilder::new_node(uint64_t hash) {
  Draft& made = drafts_.emplace_back();
  made.hash = hash;
  return static_cast<uint32_t>(drafts_.size() - 1);
}

Branches& TrieBuilder::branches_of(uint32_t node) {
  uint32_t& index = drafts_[node].node.branches;
  if (index == 0) {
    index = static_cast<uint32_t>(trie_.branches_.size());
    trie_.branches_.emplace_back();
  }
  return trie_.branches_[index];
}

void TrieBuilder::lay_out_leaves() {
  const auto place = [](const PendingLeaf& leaf) { return uint64_t{leaf.node} << 1 | (leaf.rest ? 1 : 0); };
  std::stable_sort(leaves_.begin(), leaves_.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (size_t begin = 0, end = 0; begin < leaves_.size(); begin = end) {
    while (end < leaves_.size() && place(leaves_[end]) == place(leaves_[begin])) ++end;
    const uint32_t first = append_leaves(begin, end);
    const Leaf& leaf = trie_.leaves_[first];
    Node& node = drafts_[leaves_[begin].node].node;
    if (leaves_[begin].rest) {
      branches_of(leaves_[begin].node).rest = first;
    } else if (leaf.last && leaf.methods == node.methods) {
      node.sole = true;
      node.exact = leaf.route;
      trie_.leaves_.pop_back();
    } else {
      node.exact = first;
    }
  }
  trie_.leaves_.shrink_to_fit();
}

// The routes of one pattern, [begin, end) in file order: the first that declares a method has it; HEAD, if none
// declares it, goes with GET.
uint32_t TrieBuilder::append_leaves(size_t begin, size_t end) {
  const auto first = static_cast<uint32_t>(trie_.leaves_.size());
  MethodSet declared = 0;
  for (size_t i = begin; i < end; ++i) declared |= leaves_[i].leaf.methods;
  const bool implied_head = (declared & bit(kMethodHead)) == 0;
  MethodSet seen = 0;
  for (size_t i = begin; i < end; ++i) {
    MethodSet own = leaves_[i].leaf.methods & ~seen;
    if (implied_head) own = with_implied_head(own);
    seen |= own;
    if (own != 0) trie_.leaves_.push_back({own, leaves_[i].leaf.route, false});
  }
  trie_.leaves_.back().last = true;
  return first;
}

// A node with a child of {x} begins a pair, which that child completes; others fill the places that this leaves.
void TrieBuilder::choose_places() {
  constexpr uint32_t kNowhere = UINT32_MAX;
  places_.assign(drafts_.size(), kNowhere);
  uint32_t hole = kNowhere;
  for (size_t i = 0; i < drafts_.size(); ++i) {
    if (places_[i] != kNowhere) continue;
    const uint32_t child = drafts_[i].node.parameter;
    if (child == 0) {
      places_[i] = hole != kNowhere ? std::exchange(hole, kNowhere) : end_++;
      continue;
    }
    if (end_ % 2 != 0) hole = end_++;  // there is one at most: what ends at an odd place leaves no other behind
    places_[i] = end_++;
    places_[child] = end_++;
  }
}

void TrieBuilder::lay_out_edges() {
  std::stable_sort(edges_.begin(), edges_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  trie_.regex_edges_.reserve(edges_.size());
  for (size_t i = 0; i < edges_.size(); ++i) {
    Range& range = branches_of(edges_[i].node).regexes;
    if (i == 0 || edges_[i - 1].node != edges_[i].node) range.begin = static_cast<uint32_t>(i);
    range.end = static_cast<uint32_t>(i + 1);
    edges_[i].edge.child = places_[edges_[i].edge.child];
    trie_.regex_edges_.push_back(edges_[i].edge);
  }
  trie_.branches_.shrink_to_fit();
}

void TrieBuilder::lay_out_nodes() {
  trie_.pairs_.resize((end_ + size_t{1}) / 2);
  for (size_t i = 0; i < drafts_.size(); ++i) {
    Node& node = drafts_[i].node;
    node.parent = places_[node.parent];
    node.parameter = places_[node.parameter];
    trie_.pairs_[places_[i] / 2].nodes[places_[i] % 2] = node;
  }
}

void TrieBuilder::insert_literals() {
  const size_t size = std::bit_ceil(std::max<size_t>(2 * literal_children_.size(), 2));
  trie_.literals_.resize(size);
  trie_.literal_shift_ = static_cast<unsigned>(64 - std::countr_zero(size));
  for (size_t i = 0; i < drafts_.size(); ++i) {
    const Draft& draft = drafts_[i];
    if (!draft.literal) continue;
    size_t place = trie_.place_of(draft.hash);
    while (trie_.literals_[place].child != 0) place = (place + 1) % size;
    trie_.literals_[place] = {static_cast<uint32_t>(draft.hash), places_[i], draft.text, draft.text_size};
  }
}

Trie::Trie(const std::vector<config::Route>& routes, const std::vector<std::string>& methods) {
  TrieBuilder(*this, methods).build(routes);
}

}  // namespace restgate::worker::router
