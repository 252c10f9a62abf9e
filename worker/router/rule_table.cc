#include "worker/router/rule_table.h"

#include <map>
#include <tuple>

namespace restgate::worker::router {
namespace {

struct Order {
  static auto key(const RouteRules& rules) {
    return std::tie(rules.service, rules.response_header_timeout, rules.read_timeout, rules.write_timeout,
                    rules.max_body_size);
  }
  bool operator()(const RouteRules& a, const RouteRules& b) const { return key(a) < key(b); }
};

}  // namespace

RuleTable::RuleTable(const std::vector<config::Route>& routes) : name_ends_{0} {
  std::map<RouteRules, uint32_t, Order> known;
  rules_of_.reserve(routes.size());
  name_ends_.reserve(routes.size() + 1);
  for (const config::Route& route : routes) {
    const RouteRules rules{route.service, route.response_header_timeout, route.read_timeout, route.write_timeout,
                           route.max_body_size};
    const auto [entry, added] = known.try_emplace(rules, static_cast<uint32_t>(rules_.size()));
    if (added) rules_.push_back(rules);
    rules_of_.push_back(entry->second);
    names_ += route.name;
    name_ends_.push_back(static_cast<uint32_t>(names_.size()));
  }
}

size_t RuleTable::memory_bytes() const {
  return rules_.capacity() * sizeof(RouteRules) + rules_of_.capacity() * sizeof(uint32_t) +
         name_ends_.capacity() * sizeof(uint32_t) + names_.capacity();
}

}  // namespace restgate::worker::router
