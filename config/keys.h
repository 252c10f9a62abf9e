// The keys of the configuration: one table per level, from which come the reading of values, unknown-key messages, the
// reference table of the README and the JSON schema. Immutable. Master.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace restgate::config {

class Value;

enum class ValueKind : uint8_t {
  Name,  ///< of a service or a route
  Text,
  File,
  Host,
  Integer,
  IntegerOrAuto,
  Boolean,
  BooleanOrMapping,  ///< a switch, or the level below
  Duration,
  Durations,  ///< ascending list
  Size,
  Choice,
  Url,
  Methods,
  Pattern,
  Address,        ///< numeric, of either family
  AddressBlocks,  ///< list of addresses and CIDR blocks
  Account,        ///< user or group: name or number
  List,           ///< of mappings: the level below
  Mapping,        ///< the level below
};

/// Everything there is to say about a key.
struct KeyInfo {
  std::string_view name = {};
  ValueKind kind = ValueKind::Text;
  std::string_view default_text = {};  ///< as one would write it; "": see default_note
  std::string_view default_note = {};  ///< in words, when there is no fixed default
  bool required = false;
  bool may_be_off = false;  ///< Duration, Size: "off" and 0 are allowed
  /// Integer: value; Duration: milliseconds; Durations: microseconds of each; Size: bytes; Name, Text, File: bytes of
  /// text
  uint64_t min = 0;
  uint64_t max = 0;                                ///< likewise
  std::span<const std::string_view> choices = {};  ///< Choice: in the order of the enum
  std::string_view doc = {};
};

/// A key of the level that makes a T. `store` puts the value where it belongs or reports what is wrong with it; null
/// where the level below is read by itself (List, Mapping).
template <typename T>
struct Key {
  KeyInfo info;
  void (*store)(T& target, const Value& value) = nullptr;
};

[[nodiscard]] std::span<const Key<Config>> config_keys();
[[nodiscard]] std::span<const Key<AccessLogOptions>> access_log_keys();
[[nodiscard]] std::span<const Key<Service>> service_keys();
[[nodiscard]] std::span<const Key<TlsOptions>> tls_keys();
[[nodiscard]] std::span<const Key<Route>> route_keys();

/// One level of keys without its types: for messages and for what is generated.
struct KeyLevel {
  std::string_view path;   ///< "" or "observed_services[]", …
  std::string_view title;  ///< "the top level", "a service", …
  std::vector<KeyInfo> keys;
};
/// All levels: the top one, access_log, services, tls, routes.
[[nodiscard]] std::vector<KeyLevel> key_levels();

/// What a value of this key looks like: "a whole number from 0 to 65535".
[[nodiscard]] std::string expectation(const KeyInfo& key);

}  // namespace restgate::config
