// Rows of the parser tests: an input, the rule that it is about, and what must come out, however the input is split.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "worker/http1/feed.h"
#include "worker/http1/reference_request.h"
#include "worker/http1/reference_response.h"

namespace restgate::http1::test {

struct Case {
  const char* rule;  ///< section of RFC 9110, 9112 or 3986, or "ours" for a choice that is explained in the code
  std::string input;
  /// A part of outcome() in summary.h; what begins with neither "failed" nor "more" must be accepted.
  std::string_view want;
};

/// Runs `parse(cuts)` for the whole input, all splits of two, and byte by byte.
template <typename Parse>
void check_all_splits(const Case& row, const std::string& expected, Parse&& parse) {
  SCOPED_TRACE(std::string(row.rule) + ": " + testing::PrintToString(row.input));
  const std::string whole = parse(std::vector<size_t>{});
  const bool accepted = row.want.rfind("failed", 0) != 0 && row.want.rfind("more", 0) != 0;
  EXPECT_EQ(accepted, whole.rfind("done", 0) == 0) << whole;
  EXPECT_NE(whole.find(row.want), std::string::npos) << whole << "\nwanted: " << row.want;
  EXPECT_EQ(expected, expected == "failed" ? whole.substr(0, 6) : whole) << "the reference parser";
  for (size_t cut = 0; cut < row.input.size(); ++cut) ASSERT_EQ(whole, parse({cut})) << "split at " << cut;
  ASSERT_EQ(whole, parse(every_byte(row.input.size()))) << "byte by byte";
}

inline void check_request(const Case& row, const Limits& limits = {}) {
  RequestParser parser(limits);
  check_all_splits(row, reference::parse_request(row.input, limits), [&](const std::vector<size_t>& cuts) {
    parser.reset();
    return feed_head(parser, row.input, cuts);
  });
}

inline void check_response(const Case& row, bool request_is_head = false, const Limits& limits = {}) {
  ResponseParser parser(limits);
  check_all_splits(row, reference::parse_response(row.input, request_is_head, limits),
                   [&](const std::vector<size_t>& cuts) {
                     parser.reset(request_is_head);
                     return feed_head(parser, row.input, cuts);
                   });
}

/// A request with these field lines (each with its CRLF) after Host.
inline std::string with_fields(const std::string& fields) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

/// The same of HTTP/1.0.
inline std::string old_with_fields(const std::string& fields) {
  return "POST / HTTP/1.0\r\nHost: a\r\n" + fields + "\r\n";
}

/// A request with this request-target.
inline std::string to_target(const std::string& target, const std::string& method = "GET") {
  return method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

/// A request with this Host line's value.
inline std::string to_host(const std::string& host) {
  return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}

}  // namespace restgate::http1::test
