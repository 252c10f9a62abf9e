// Rows of the error tables: a broken text and, to the letter, what is said of it.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "config/parser.h"

namespace restgate::config {

struct ErrorRow {
  const char* name;
  std::string_view text;
  std::string_view expected;
};

inline std::ostream& operator<<(std::ostream& out, const ErrorRow& row) {
  return out << row.name;
}

inline std::string row_name(const testing::TestParamInfo<ErrorRow>& info) {
  return info.param.name;
}

inline std::string diagnose(std::string_view text) {
  const LoadResult result = parse(text, "gate.yaml");
  return result ? "accepted" : to_string(result.error());
}

/// Lines of the top level, with a service below that makes the whole complete.
inline std::string with_services(std::string_view top) {
  return std::string(top) +
         "\nobserved_services:\n  - name: a\n    service_url: http://a\n    routes:\n"
         "      - {name: r, methods: GET, pattern: /}\n";
}

/// Lines of a service's keys (indented by 4), with its name above and a route below.
inline std::string with_routes(std::string_view keys) {
  return "observed_services:\n  - name: a\n" + std::string(keys) +
         "\n    routes:\n      - {name: r, methods: GET, pattern: /}\n";
}

/// Lines of a route's keys (not indented), in a service that is complete.
inline std::string as_route(std::string_view keys) {
  std::string text = "observed_services:\n  - name: a\n    service_url: http://a\n    routes:\n      - ";
  for (const char c : keys) {
    text += c;
    if (c == '\n') text += "        ";
  }
  return text + "\n";
}

}  // namespace restgate::config
