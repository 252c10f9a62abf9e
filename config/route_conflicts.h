// Route conflicts: routes of one configuration that can never serve a request, though each is fine by itself.
// Pure; run by the parser, in the master.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/model.h"

namespace restgate::config {

struct RouteConflict {
  enum class Kind : uint8_t {
    Duplicate,    ///< the same pattern, up to parameter names, as an earlier route, for one method at least
    Unreachable,  ///< all requests of one method at least are always taken by a more specific or earlier pattern
  };
  Kind kind = Kind::Duplicate;
  uint32_t route = 0;   ///< index of the route that is never reached
  uint32_t other = 0;   ///< index of the one that takes its requests (one of them, if it takes several together)
  std::string method;   ///< the methods in question, as "GET, POST"
  std::string message;  ///< one clause without full stop, names the other route; the caller adds where it stands
};

/// All conflicts, by route, in file order. What is reported is certain: a regex is compared by its text, unless it
/// matches everything (`.*`, `.+`) or is a plain word; what two regexes have in common otherwise is not looked into.
/// A GET route is no conflict to a HEAD route of the same pattern: HEAD goes to the latter. Routes without a pattern
/// are passed over. The cost is near-linear in the number of routes.
[[nodiscard]] std::vector<RouteConflict> find_conflicts(const std::vector<Route>& routes);

}  // namespace restgate::config
