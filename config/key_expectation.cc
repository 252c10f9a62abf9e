// What a value of a key looks like, in words: for diagnostics.
#include <string>

#include "config/keys.h"
#include "config/text.h"

namespace restgate::config {
namespace {

std::string duration_text(uint64_t milliseconds) {
  constexpr uint64_t kHourMs = 3'600'000;
  if (milliseconds % kHourMs == 0) return std::to_string(milliseconds / kHourMs) + "h";
  return std::to_string(milliseconds) + "ms";
}

std::string size_text(uint64_t bytes) {
  constexpr uint64_t kMiB = uint64_t{1} << 20U;
  if (bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "MiB";
  if (bytes % 1024 == 0) return std::to_string(bytes / 1024) + "KiB";
  return std::to_string(bytes);
}

}  // namespace

std::string expectation(const KeyInfo& key) {
  const std::string off = key.may_be_off ? ", or off" : "";
  const std::string range = " from " + std::to_string(key.min) + " to " + std::to_string(key.max);
  switch (key.kind) {
    case ValueKind::Name:
      return "a name";
    case ValueKind::Text:
      return "text";
    case ValueKind::File:
      return "a file name";
    case ValueKind::Host:
      return "a host name";
    case ValueKind::Integer:
      return "a whole number" + range;
    case ValueKind::IntegerOrAuto:
      return "auto or a whole number" + range;
    case ValueKind::Boolean:
      return "true or false";
    case ValueKind::BooleanOrMapping:
      return "true, false or a mapping";
    case ValueKind::Duration:
      return "a duration from " + duration_text(key.min) + " to " + duration_text(key.max) + off;
    case ValueKind::Durations:
      return "a list of durations such as [10ms, 100ms, 1s]";
    case ValueKind::Size:
      if (key.max == INT64_MAX) return "a size such as 64KiB or 10MB" + off;
      return "a size from " + size_text(key.min) + " to " + size_text(key.max) + off;
    case ValueKind::Choice:
      return join_or(key.choices);
    case ValueKind::Url:
      return "a URL such as http://accounts.internal:8080/base";
    case ValueKind::Methods:
      return "methods such as 'GET,POST'";
    case ValueKind::Pattern:
      return "a path pattern such as /account/{id}";
    case ValueKind::Address:
      return "a numeric address such as 127.0.0.1 or ::1";
    case ValueKind::AddressBlocks:
      return "a list of addresses and blocks such as 10.0.0.0/8";
    case ValueKind::Account:
      return "a name or a number";
    case ValueKind::List:
      return "a list";
    case ValueKind::Mapping:
      return "a mapping";
  }
  return "";
}

}  // namespace restgate::config
