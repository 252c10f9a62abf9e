// Router: method and path → route. Compiled once per generation in the master, immutable, shared copy-on-write.
//
// Specificity is compared segment by segment from the left: literal, then regex in file order, then {x}, then {x...},
// with backtracking. Each method is routed as if the routes of the other methods were not there: with "GET /a/{x}" and
// "POST /a/b" a GET of /a/b is served by /a/{x}. The cost of a match does not depend on the number of routes; it
// allocates nothing (but the Allow value of a 405).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/http_method.h"
#include "config/model.h"
#include "worker/router/rule_table.h"

namespace restgate::worker {

struct RouteMatch {
  enum class Kind : uint8_t { Found, NotFound, MethodNotAllowed };
  Kind kind = Kind::NotFound;
  uint32_t route = 0;  ///< Found: index in Config::routes
  /// MethodNotAllowed: the Allow field's value (RFC 9110 §10.2.1): the methods of all patterns that match, sorted.
  std::string allow;
};

class Router {
 public:
  explicit Router(const config::Config& config);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  /// `method` is case-sensitive (RFC 9110 §9.1). kOtherMethod for one that no route declares and that is not standard.
  [[nodiscard]] MethodId method_id(std::string_view method) const;
  /// Has the processor fetch what match() will need. To be called some work before it: it need not wait then.
  void fetch_ahead(const std::vector<std::string_view>& segments) const;
  /// `segments` are decoded, as http1::Path gives them. GET routes serve HEAD, unless HEAD is declared by a route that
  /// matches as specifically. OPTIONS, like any other, is served only where a route declares it. Of two routes with the
  /// same pattern and method the first serves. No segments, as for the target "*", match nothing.
  [[nodiscard]] RouteMatch match(MethodId method, const std::vector<std::string_view>& segments) const;
  /// REQUIRES of both: a route that was found, here or by the router of the same configuration.
  [[nodiscard]] const RouteRules& rules(uint32_t route) const { return rules_.rules(route); }
  [[nodiscard]] std::string_view name(uint32_t route) const { return rules_.name(route); }
  /// Likewise: for name().
  void fetch_name(uint32_t route) const { rules_.fetch_name(route); }
  /// Heap memory in bytes, without the compiled regexes, which are the patterns'.
  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  router::RuleTable rules_;
};

}  // namespace restgate::worker
