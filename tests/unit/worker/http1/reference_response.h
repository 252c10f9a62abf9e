// The reference for ResponseParser.
#pragma once

#include <limits>
#include <string>

#include "worker/http1/reference_parser.h"

namespace restgate::http1::reference {

inline std::string keep_alive_timeout(const std::vector<std::string>& values) {
  if (values.empty()) return "";
  uint64_t timeout = 0;
  for (const std::string& parameter : elements(values.back())) {
    const size_t equal = parameter.find('=');
    if (equal == std::string::npos || lower(trim(parameter.substr(0, equal))) != "timeout") continue;
    if (!number(trim(parameter.substr(equal + 1)), 10, timeout)) timeout = 0;
  }
  timeout = std::min<uint64_t>(timeout, std::numeric_limits<uint32_t>::max());
  return timeout == 0 ? "" : " timeout=" + std::to_string(timeout);
}

inline std::string response_head(const std::string& input, bool request_is_head, const Limits& limits) {
  require(input.empty() || input[0] == 'H');
  const Lines lines = read_lines(input, 0, limits.max_head_bytes, limits);
  if (lines.verdict == Lines::Verdict::More) return "more";
  const auto parts = split(lines.first, " ");
  require(parts.size() >= 2 && (parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0"));
  const bool old = parts[0] == "HTTP/1.0";
  uint64_t status = 0;
  require(parts[1].size() == 3 && number(parts[1], 10, status) && status >= 100 && status <= 599);
  const bool no_body = request_is_head || status < 200 || status == 204 || status == 304;
  const Framing framing = framing_of(lines, old, no_body, true);
  require(nominations(lines) <= 256);
  if (lines.consumed == 0) return "more";

  const auto lengths = lines.values("content-length");
  const bool empty = lines.values("transfer-encoding").empty() && (lengths.empty() || only(lengths[0], "0"));
  const bool surplus_coding = !empty && (status < 200 || status == 204);
  std::string text = "done " + std::to_string(lines.consumed) + ": " + parts[1] + " reason=";
  if (parts.size() > 2) text += lines.first.substr(13);
  text += (old ? " 1.0 " : " 1.1 ") + framing.text;
  if (persistent(lines, old) && !framing.until_close && !surplus_coding) text += " keep";
  text += keep_alive_timeout(lines.values("keep-alive"));
  if (lines.options("connection").count("upgrade") == 1) text += " upgrade=" + first_non_empty(lines.values("upgrade"));
  return text + fields_text(lines, kHopByHop);
}

/// What ResponseParser has to say of `input`.
inline std::string parse_response(const std::string& input, bool request_is_head, const Limits& limits) {
  try {
    return response_head(input, request_is_head, limits);
  } catch (const Refused&) {
    return "failed";
  }
}

}  // namespace restgate::http1::reference
