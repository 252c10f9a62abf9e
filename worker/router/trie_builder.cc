// Builds a Trie from the routes in file order; then lays edges and leaves out so that each node's are side by side.
#include <algorithm>
#include <bit>
#include <cassert>
#include <unordered_map>

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
  uint32_t regex_step(uint32_t node, const config::Segment& segment, MethodSet methods);
  uint32_t regex_index(const config::Segment& segment);
  uint32_t new_node();
  void insert_literal(uint32_t parent, uint32_t child);
  void resize_literals(size_t places);
  void lay_out_edges();
  void lay_out_leaves();
  Range append_leaves(size_t begin, size_t end);

  Trie& trie_;
  std::unordered_map<std::string_view, MethodId> method_ids_;
  std::unordered_map<std::string_view, uint32_t> regex_ids_;  // by text
  std::unordered_map<uint64_t, uint32_t> regex_children_;     // by node and regex
  size_t literal_count_ = 0;
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
  resize_literals(2);
  new_node();
  for (uint32_t i = 0; i < routes.size(); ++i) add(routes[i], i);
  lay_out_edges();
  lay_out_leaves();
  trie_.nodes_.shrink_to_fit();
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
  trie_.nodes_[0].methods |= served;
  for (const config::Segment& segment : route.pattern.segments()) {
    rest = segment.kind == config::Segment::Kind::Rest;
    if (rest) break;  // the last one
    node = step(node, segment, served);
    trie_.nodes_[node].methods |= served;
  }
  leaves_.push_back({node, rest, {declared, index}});
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
  if (trie_.nodes_[node].parameter == 0) {
    const uint32_t child = new_node();
    trie_.nodes_[node].parameter = child;
  }
  return trie_.nodes_[node].parameter;
}

uint32_t TrieBuilder::literal_step(uint32_t node, const std::string& text) {
  if (const uint32_t child = trie_.literal_child(node, text); child != 0) return child;
  const uint32_t child = new_node();
  trie_.nodes_[node].has_literals = true;
  trie_.nodes_[child].text = static_cast<uint32_t>(trie_.texts_.size());
  trie_.nodes_[child].text_size = static_cast<uint32_t>(text.size());
  trie_.texts_ += text;
  if (++literal_count_ * 2 > trie_.literals_.size()) resize_literals(trie_.literals_.size() * 2);
  insert_literal(node, child);
  return child;
}

void TrieBuilder::insert_literal(uint32_t parent, uint32_t child) {
  const Node& node = trie_.nodes_[child];
  const uint64_t hash = literal_hash(parent, std::string_view(trie_.texts_).substr(node.text, node.text_size));
  const size_t mask = trie_.literals_.size() - 1;
  size_t place = hash >> trie_.literal_shift_;
  while (trie_.literals_[place].child != 0) place = (place + 1) & mask;
  trie_.literals_[place] = {parent, static_cast<uint32_t>(hash), child};
}

void TrieBuilder::resize_literals(size_t places) {
  std::vector<Slot> old(places);
  old.swap(trie_.literals_);
  trie_.literal_shift_ = static_cast<unsigned>(64 - std::countr_zero(places));
  for (const Slot& slot : old) {
    if (slot.child != 0) insert_literal(slot.parent, slot.child);
  }
}

uint32_t TrieBuilder::regex_step(uint32_t node, const config::Segment& segment, MethodSet methods) {
  const uint32_t regex = regex_index(segment);
  uint32_t& child = regex_children_[uint64_t{node} << 32 | regex];
  if (child == 0) child = new_node();
  // What came this way before has its edge; these methods come here for the first time.
  const MethodSet seen = trie_.nodes_[child].methods;
  if ((methods & ~seen) != 0) edges_.push_back({node, {methods & ~seen, regex, child, seen == 0}});
  return child;
}

uint32_t TrieBuilder::regex_index(const config::Segment& segment) {
  const auto [entry, added] = regex_ids_.try_emplace(segment.regex_text, static_cast<uint32_t>(trie_.regexes_.size()));
  if (added) trie_.regexes_.push_back(segment.regex);
  return entry->second;
}

uint32_t TrieBuilder::new_node() {
  trie_.nodes_.emplace_back();
  return static_cast<uint32_t>(trie_.nodes_.size() - 1);
}

void TrieBuilder::lay_out_edges() {
  std::stable_sort(edges_.begin(), edges_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  trie_.regex_edges_.reserve(edges_.size());
  for (size_t i = 0; i < edges_.size(); ++i) {
    Range& range = trie_.nodes_[edges_[i].node].regexes;
    if (i == 0 || edges_[i - 1].node != edges_[i].node) range.begin = static_cast<uint32_t>(i);
    range.end = static_cast<uint32_t>(i + 1);
    trie_.regex_edges_.push_back(edges_[i].edge);
  }
}

void TrieBuilder::lay_out_leaves() {
  const auto place = [](const PendingLeaf& leaf) { return uint64_t{leaf.node} << 1 | (leaf.rest ? 1 : 0); };
  std::stable_sort(leaves_.begin(), leaves_.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  trie_.leaves_.reserve(leaves_.size());
  for (size_t begin = 0, end = 0; begin < leaves_.size(); begin = end) {
    while (end < leaves_.size() && place(leaves_[end]) == place(leaves_[begin])) ++end;
    Node& node = trie_.nodes_[leaves_[begin].node];
    (leaves_[begin].rest ? node.rest : node.exact) = append_leaves(begin, end);
  }
}

// The routes of one pattern, [begin, end) in file order: the first that declares a method has it; HEAD, if none
// declares it, goes with GET.
Range TrieBuilder::append_leaves(size_t begin, size_t end) {
  const auto first = static_cast<uint32_t>(trie_.leaves_.size());
  MethodSet declared = 0;
  for (size_t i = begin; i < end; ++i) declared |= leaves_[i].leaf.methods;
  const bool implied_head = (declared & bit(kMethodHead)) == 0;
  MethodSet seen = 0;
  for (size_t i = begin; i < end; ++i) {
    MethodSet own = leaves_[i].leaf.methods & ~seen;
    if (implied_head) own = with_implied_head(own);
    seen |= own;
    if (own != 0) trie_.leaves_.push_back({own, leaves_[i].leaf.route});
  }
  return {first, static_cast<uint32_t>(trie_.leaves_.size())};
}

Trie::Trie(const std::vector<config::Route>& routes, const std::vector<std::string>& methods) {
  TrieBuilder(*this, methods).build(routes);
}

}  // namespace restgate::worker::router
