// RuleTable: what an exchange needs of its route. Most routes have the same timeouts and limits: those lie here once,
// so that with thousands of routes a request finds them in the cache. Owned by the Router; immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace restgate::worker {

/// Of config::Route, where each is explained.
struct RouteRules {
  uint32_t service = 0;
  std::chrono::milliseconds response_header_timeout{0};
  std::chrono::milliseconds read_timeout{0};
  std::chrono::milliseconds write_timeout{0};
  uint64_t max_body_size = 0;

  bool operator==(const RouteRules&) const = default;
};

namespace router {

class RuleTable {
 public:
  explicit RuleTable(const std::vector<config::Route>& routes);

  /// REQUIRES of both: a route of the configuration.
  [[nodiscard]] const RouteRules& rules(uint32_t route) const { return rules_[rules_of_[route]]; }
  [[nodiscard]] std::string_view name(uint32_t route) const {
    return {names_.data() + name_ends_[route], name_ends_[route + size_t{1}] - name_ends_[route]};
  }
  void fetch_name(uint32_t route) const { __builtin_prefetch(names_.data() + name_ends_[route]); }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  std::vector<RouteRules> rules_;
  std::vector<uint32_t> rules_of_;   ///< by route
  std::vector<uint32_t> name_ends_;  ///< of the route before it
  std::string names_;
};

}  // namespace router
}  // namespace restgate::worker
