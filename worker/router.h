// Router: method and path → route. Compiled once per generation in the master, immutable, shared copy-on-write.
//
// Specificity is compared segment by segment from the left: literal, then regex in file order, then {x}, then {x...},
// with backtracking. The cost of a match does not depend on the number of routes; it allocates nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/http_method.h"
#include "config/model.h"

namespace restgate::worker {

struct RouteMatch {
  enum class Kind : uint8_t { Found, NotFound, MethodNotAllowed };
  Kind kind = Kind::NotFound;
  uint32_t route = 0;      ///< Found: index in Config::routes
  std::string_view allow;  ///< MethodNotAllowed: the Allow field's value; lives as long as the Router
};

class Router {
 public:
  explicit Router(const config::Config& config);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  /// `method` is case-sensitive (RFC 9110 §9.1).
  [[nodiscard]] MethodId method_id(std::string_view method) const;
  /// `segments` are decoded, as http1::Path gives them. GET routes serve HEAD, unless HEAD is declared by a route that
  /// matches as specifically.
  [[nodiscard]] RouteMatch match(MethodId method, const std::vector<std::string_view>& segments) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace restgate::worker
