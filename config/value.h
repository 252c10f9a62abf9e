// Value: one value of the file on its way into the model: read by its key's rules, or reported. Pure. Master.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "config/diagnostic.h"
#include "config/keys.h"
#include "config/text.h"
#include "config/yaml_tree.h"

namespace restgate::config {

/// Borrows everything; lives on the stack of the reader.
class Value {
 public:
  Value(const KeyInfo& key, const YamlNode& node, const KeyPath& path, DiagnosticList& diagnostics)
      : key_(key), node_(node), path_(path), diagnostics_(diagnostics) {}

  /// The value as the type of its member; nothing when it is wrong, which is reported then.
  template <typename T>
  [[nodiscard]] std::optional<T> as() const {
    if constexpr (std::same_as<T, bool>) {
      return boolean();
    } else if constexpr (std::same_as<T, std::chrono::milliseconds>) {
      return duration();
    } else if constexpr (std::same_as<T, std::string>) {
      return text();
    } else {
      static_assert(std::is_enum_v<T> || std::unsigned_integral<T>);
      const auto number = std::is_enum_v<T> ? choice() : integer();
      return number ? std::optional(static_cast<T>(*number)) : std::nullopt;
    }
  }

  [[nodiscard]] const YamlNode& node() const { return node_; }
  /// A scalar's text, any style; nothing (reported) for a list, a mapping or no value.
  [[nodiscard]] std::optional<std::string_view> scalar() const;
  /// Reports; the mark is the value's beginning, or that of the item of the list that it is.
  void error(std::string message) const { error(node_, std::move(message)); }
  void error(const YamlNode& where, std::string message) const;
  /// Reports; the mark is inside the text of `where` when that stands in the file as it is read.
  void error(const YamlNode& where, const TextError& what) const;
  [[nodiscard]] const KeyInfo& key() const { return key_; }
  /// "expected …, got …"
  void error_unexpected(const YamlNode& where) const;

 private:
  [[nodiscard]] std::optional<bool> boolean() const;
  [[nodiscard]] std::optional<uint64_t> integer() const;
  [[nodiscard]] std::optional<uint64_t> size() const;
  [[nodiscard]] std::optional<std::chrono::milliseconds> duration() const;
  [[nodiscard]] std::optional<uint64_t> choice() const;
  [[nodiscard]] std::optional<std::string> text() const;

  const KeyInfo& key_;
  const YamlNode& node_;
  const KeyPath& path_;
  DiagnosticList& diagnostics_;
};

namespace detail {
template <typename M>
struct MemberOf;
template <typename T, typename M>
struct MemberOf<M T::*> {
  using Owner = T;
  using Type = M;
};
}  // namespace detail

/// The setter of a plain member.
template <auto Member>
void store(typename detail::MemberOf<decltype(Member)>::Owner& target, const Value& value) {
  if (auto read = value.as<typename detail::MemberOf<decltype(Member)>::Type>()) target.*Member = *std::move(read);
}

/// Setters of what has a grammar of its own.
void store_url(Service& service, const Value& value);
void store_methods(Route& route, const Value& value);
void store_pattern(Route& route, const Value& value);
void store_server_name(TlsOptions& tls, const Value& value);
void store_trusted_proxies(Config& config, const Value& value);
void store_admin_socket(Config& config, const Value& value);
void store_access_log(Config& config, const Value& value);
void store_access_log_file(AccessLogOptions& options, const Value& value);
void store_access_log_format(AccessLogOptions& options, const Value& value);
void store_duration_buckets(Config& config, const Value& value);
void store_admin_address(Config& config, const Value& value);

}  // namespace restgate::config
