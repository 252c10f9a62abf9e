// The reference for RequestParser.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "worker/http1/reference_parser.h"

namespace restgate::http1::reference {

struct Target {
  std::string path;
  std::string query;  // with its '?'
  std::string authority;
};

inline Target read_target(const std::string& method, const std::string& target) {
  require(method != "CONNECT" && !target.empty());
  for (const char c : target) require((c < 0 || c > 32) && c != 127 && c != '#');
  if (target == "*") {
    require(method == "OPTIONS");
    return {"*", "", ""};
  }
  Target result;
  std::string rest = target;
  if (target[0] != '/') {
    const size_t scheme = lower(target).rfind("http://", 0) == 0 ? 7 : 8;
    require(scheme == 7 || lower(target).rfind("https://", 0) == 0);
    rest = target.substr(scheme);
    const size_t end = std::min(rest.find_first_of("/?"), rest.size());
    result.authority = rest.substr(0, end);
    require(valid_authority(result.authority));
    rest = rest.substr(end);
    if (rest.empty() && method == "OPTIONS") rest = "*";
    if (rest.empty() || rest[0] == '?') rest = "/" + rest;
  }
  const size_t question = std::min(rest.find('?'), rest.size());
  result.path = rest.substr(0, question);
  result.query = rest.substr(question);
  return result;
}

inline std::string request_head(const std::string& input, const Limits& limits) {
  size_t start = 0;
  while (start < 8 && input.compare(start, 2, "\r\n") == 0) start += 2;
  const std::string rest =
      input.substr(0, limits.max_head_bytes).substr(std::min<size_t>(start, limits.max_head_bytes));
  if (start < 8 && rest == "\r") require(input.size() < limits.max_head_bytes);
  if (rest.empty()) require(input.size() < limits.max_head_bytes);
  if (rest.empty() || (start < 8 && rest == "\r")) return "more";
  require(token(rest.substr(0, 1)));

  const Lines lines = read_lines(input, start, limits.max_target_bytes + 128, limits);
  if (lines.verdict == Lines::Verdict::More) return "more";
  const auto parts = split(lines.first, " ");
  require(parts.size() == 3 && token(parts[0]) && parts[1].size() <= limits.max_target_bytes);
  require(parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0");
  const bool old = parts[2] == "HTTP/1.0";
  const Target target = read_target(parts[0], parts[1]);
  const auto hosts = lines.values("host");
  require(hosts.size() <= 1);
  for (const std::string& host : hosts) require(valid_authority(host));
  const auto expectations = lines.options("expect");
  require(expectations.size() == expectations.count("100-continue"));
  const Framing framing = framing_of(lines, old, false, false);
  require(nominations(lines) <= 256);
  if (lines.consumed == 0) return "more";

  require(old || hosts.size() == 1);
  std::string host = target.authority;
  if (host.empty() && !hosts.empty()) host = hosts[0];
  const std::string upgrade = first_non_empty(lines.values("upgrade"));
  std::set<std::string> dropped = kHopByHop;
  dropped.insert("trailer");
  if (old) dropped.insert("expect");

  std::string text = "done " + std::to_string(lines.consumed) + ": " + parts[0] + " target=" + parts[1];
  text += " path=" + target.path;
  if (!target.query.empty()) text += " query=" + target.query.substr(1);
  text += " host=" + host + (old ? " 1.0 " : " 1.1 ") + framing.text;
  if (persistent(lines, old)) text += " keep";
  if (!old && !expectations.empty()) text += " expect";
  if (!old && lines.options("te").count("trailers") == 1) text += " te";
  if (!old && lines.options("connection").count("upgrade") == 1 && protocol_list(upgrade))
    text += " upgrade=" + upgrade;
  return text + fields_text(lines, dropped);
}

/// What RequestParser has to say of `input`.
inline std::string parse_request(const std::string& input, const Limits& limits) {
  try {
    return request_head(input, limits);
  } catch (const Refused&) {
    return "failed";
  }
}

}  // namespace restgate::http1::reference
