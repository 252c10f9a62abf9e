#include "worker/router.h"

#include <algorithm>
#include <array>

#include "worker/router/trie.h"

namespace restgate::worker {

struct Router::Impl {
  explicit Impl(const config::Config& config);

  [[nodiscard]] std::string allow_value(router::MethodSet set) const;

  std::vector<std::string> methods;  // by MethodId
  std::vector<MethodId> by_name;     // all MethodIds, sorted by name
  router::Trie trie;
};

namespace {

std::vector<std::string> method_names(const config::Config& config) {
  if (!config.methods.empty()) return config.methods;
  return {kStandardMethods.begin(), kStandardMethods.end()};
}

// The standard method with the length and the first two bytes of `name`, or kOtherMethod: one comparison will tell.
MethodId standard_candidate(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name[0] == 'G' ? kMethodGet : MethodId{3};  // PUT
    case 4:
      return name[0] == 'P' ? kMethodPost : kMethodHead;
    case 5:
      return name[0] == 'P' ? MethodId{4} : kMethodTrace;  // PATCH
    case 6:
      return MethodId{5};  // DELETE
    case 7:
      return name[0] == 'O' ? kMethodOptions : kMethodConnect;
    default:
      return kOtherMethod;
  }
}

}  // namespace

Router::Impl::Impl(const config::Config& config) : methods(method_names(config)), trie(config.routes, methods) {
  for (size_t i = 0; i < methods.size(); ++i) by_name.push_back(static_cast<MethodId>(i));
  std::sort(by_name.begin(), by_name.end(), [this](MethodId a, MethodId b) { return methods[a] < methods[b]; });
}

std::string Router::Impl::allow_value(router::MethodSet set) const {
  std::string value;
  for (const MethodId id : by_name) {
    if ((set >> id & 1) == 0) continue;
    if (!value.empty()) value += ", ";
    value += methods[id];
  }
  return value;
}

Router::Router(const config::Config& config) : impl_(std::make_unique<Impl>(config)) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

MethodId Router::method_id(std::string_view method) const {
  const MethodId standard = standard_candidate(method);
  if (standard != kOtherMethod && kStandardMethods[standard] == method) return standard;
  for (size_t i = kStandardMethods.size(); i < impl_->methods.size(); ++i) {
    if (impl_->methods[i] == method) return static_cast<MethodId>(i);
  }
  return kOtherMethod;
}

RouteMatch Router::match(MethodId method, const std::vector<std::string_view>& segments) const {
  const uint32_t route = impl_->trie.find(router::MethodSet{1} << method, segments);
  if (route != router::kNoRoute) return {RouteMatch::Kind::Found, route, {}};
  const router::MethodSet allowed = impl_->trie.allowed(segments);
  if (allowed == 0) return {};
  return {RouteMatch::Kind::MethodNotAllowed, 0, impl_->allow_value(allowed)};
}

size_t Router::memory_bytes() const {
  return sizeof(Impl) + impl_->trie.memory_bytes();
}

}  // namespace restgate::worker
