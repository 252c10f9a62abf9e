#include "worker/router.h"

#include <algorithm>
#include <array>
#include <cstring>

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

/// REQUIRES: as long as the literal.
template <size_t N>
bool is(std::string_view name, const char (&literal)[N]) {
  return std::memcmp(name.data(), literal, N - 1) == 0;
}

/// The place in kStandardMethods.
MethodId standard_method(std::string_view name) {
  switch (name.size()) {
    case 3:
      return is(name, "GET") ? kMethodGet : is(name, "PUT") ? kMethodPut : kOtherMethod;
    case 4:
      return is(name, "POST") ? kMethodPost : is(name, "HEAD") ? kMethodHead : kOtherMethod;
    case 5:
      return is(name, "PATCH") ? kMethodPatch : is(name, "TRACE") ? kMethodTrace : kOtherMethod;
    case 6:
      return is(name, "DELETE") ? kMethodDelete : kOtherMethod;
    case 7:
      return is(name, "OPTIONS") ? kMethodOptions : is(name, "CONNECT") ? kMethodConnect : kOtherMethod;
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

Router::Router(const config::Config& config) : impl_(std::make_unique<Impl>(config)), rules_(config.routes) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

MethodId Router::method_id(std::string_view method) const {
  if (const MethodId standard = standard_method(method); standard != kOtherMethod) return standard;
  for (size_t i = kStandardMethods.size(); i < impl_->methods.size(); ++i) {
    if (impl_->methods[i] == method) return static_cast<MethodId>(i);
  }
  return kOtherMethod;
}

void Router::fetch_ahead(const std::vector<std::string_view>& segments) const {
  impl_->trie.fetch_ahead(segments);
}

RouteMatch Router::match(MethodId method, const std::vector<std::string_view>& segments) const {
  const uint32_t route = impl_->trie.find(router::MethodSet{1} << method, segments);
  if (route != router::kNoRoute) return {RouteMatch::Kind::Found, route, {}};
  const router::MethodSet allowed = impl_->trie.allowed(segments);
  if (allowed == 0) return {};
  return {RouteMatch::Kind::MethodNotAllowed, 0, impl_->allow_value(allowed)};
}

size_t Router::memory_bytes() const {
  return sizeof(Impl) + impl_->trie.memory_bytes() + rules_.memory_bytes();
}

}  // namespace restgate::worker
