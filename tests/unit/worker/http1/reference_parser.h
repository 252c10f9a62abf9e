// A second, slow parser of heads, written from the RFCs by splitting strings, to check the real one against. It tells
// "more", "failed", or "done N: " with the text that summary.h makes of a head.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "worker/http1/head.h"
#include "worker/http1/reference_text.h"

namespace restgate::http1::reference {

struct Header {
  std::string name;
  std::string value;
  [[nodiscard]] bool named(const std::string& lower_name) const { return lower(name) == lower_name; }
};

/// A head as lines: the first one and the fields.
struct Lines {
  enum class Verdict { More, Reject, Complete } verdict = Verdict::More;
  std::string first;
  std::vector<Header> headers;
  size_t consumed = 0;

  [[nodiscard]] std::vector<std::string> values(const std::string& lower_name) const {
    std::vector<std::string> result;
    for (const Header& header : headers)
      if (header.named(lower_name)) result.push_back(header.value);
    return result;
  }
  /// The elements of all lines of a list field, in lower case.
  [[nodiscard]] std::set<std::string> options(const std::string& lower_name) const {
    std::set<std::string> result;
    for (const std::string& value : values(lower_name))
      for (const std::string& element : elements(value)) result.insert(lower(element));
    return result;
  }
};

/// What is wrong with a message, thrown at the one place that is checked.
struct Refused {};
inline void require(bool condition) {
  if (!condition) throw Refused{};
}

inline Header split_field(const std::string& line) {
  const size_t colon = line.find(':');
  require(colon != std::string::npos && token(line.substr(0, colon)));
  return {line.substr(0, colon), trim(line.substr(colon + 1))};
}

inline bool valid_authority(const std::string& text) {
  std::string host = text;
  std::string port;
  const size_t colon = text.rfind(':');
  if (colon != std::string::npos && text.find(']', colon) == std::string::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!only(port, kDigits) || port.size() > 5 || (!port.empty() && std::stoul(port) > 65535)) return false;
  if (host.empty()) return false;
  if (host.front() == '[' && host.back() == ']') {
    in6_addr address;
    const std::string inner = host.substr(1, host.size() - 2);
    const size_t dot = inner.find('.');
    if (lower(inner.substr(0, 1)) == "v" && dot != std::string::npos) {
      const std::string version = inner.substr(1, dot - 1);
      const std::string rest = inner.substr(dot + 1);
      return !version.empty() && only(version, kHexDigits) && !rest.empty() &&
             only(rest, kAlpha + kDigits + "-._~!$&'()*+,;=:");
    }
    return inner.find('\0') == std::string::npos && inet_pton(AF_INET6, inner.c_str(), &address) == 1;
  }
  for (size_t percent = host.find('%'); percent != std::string::npos; percent = host.find('%')) {
    uint64_t byte = 0;
    if (percent + 3 > host.size() || !number(host.substr(percent + 1, 2), 16, byte)) return false;
    if (byte <= 32 || byte == 127) return false;
    host.erase(percent, 3);
  }
  return only(host, kAlpha + kDigits + "-._~!$&'()*+,;=");
}

/// Cuts `input` from `start` into lines, until the empty one.
inline Lines read_lines(const std::string& input, size_t start, size_t max_first_line, const Limits& limits) {
  const std::string text = input.substr(0, limits.max_head_bytes);
  Lines result;
  size_t pos = start;
  for (bool first = true;; first = false) {
    const size_t lf = text.find('\n', pos);
    std::string line = text.substr(pos, lf == std::string::npos ? lf : lf + 1 - pos);
    require(!first || line.size() <= max_first_line);
    const bool complete = lf != std::string::npos;
    if (complete) {
      require(line.size() >= 2 && line[line.size() - 2] == '\r');
      line.resize(line.size() - 2);
    } else if (!line.empty() && line.back() == '\r') {
      line.pop_back();
    }
    require(!has_control(line));
    if (!complete) {
      require(text.size() < limits.max_head_bytes);
      return result;
    }
    pos = lf + 1;
    if (first) {
      result.first = line;
      result.verdict = Lines::Verdict::Complete;  // of the first line, until the end is seen
    } else if (line.empty()) {
      result.consumed = pos;
      return result;
    } else {
      require(result.headers.size() < limits.max_fields);
      result.headers.push_back(split_field(line));
    }
  }
}

struct Framing {
  std::string text;  // as body_text() in summary.h
  bool until_close = false;
};

inline Framing framing_of(const Lines& lines, bool http_1_0, bool no_body, bool may_be_until_close) {
  const auto lengths = lines.values("content-length");
  const auto codings = lines.values("transfer-encoding");
  require(lengths.size() + codings.size() <= 1);
  uint64_t length = 0;
  if (!lengths.empty()) require(number(lengths[0], 10, length));
  if (!codings.empty()) require(!http_1_0 && lower(codings[0]) == "chunked");
  const bool until_close = !no_body && codings.empty() && lengths.empty() && may_be_until_close;
  const std::string suffix = lengths.empty() ? "" : " length=" + std::to_string(length);
  const std::string kind = no_body            ? "none"
                           : !codings.empty() ? "chunked"
                           : until_close      ? "close"
                           : length > 0       ? "length"
                                              : "none";
  return {"body=" + kind + suffix, until_close};
}

inline bool persistent(const Lines& lines, bool http_1_0) {
  const auto options = lines.options("connection");
  return options.count("close") == 0 && (!http_1_0 || options.count("keep-alive") == 1);
}

/// How often the Connection fields name something that is neither close, keep-alive nor upgrade.
inline size_t nominations(const Lines& lines) {
  size_t count = 0;
  for (const std::string& value : lines.values("connection"))
    for (const std::string& option : elements(value))
      count += lower(option) != "close" && lower(option) != "keep-alive" && lower(option) != "upgrade";
  return count;
}

/// `always`: names that are never forwarded from this side.
inline std::string fields_text(const Lines& lines, std::set<std::string> dropped) {
  for (const std::string& option : lines.options("connection"))
    if (option != "close" && option != "keep-alive" && option != "upgrade" && option != "host" &&
        option != "content-length" && option.rfind("x-forwarded-", 0) != 0)
      dropped.insert(option);
  std::string text;
  for (const Header& header : lines.headers)
    text += " [" + header.name + ": " + header.value + (dropped.count(lower(header.name)) == 1 ? "]*" : "]");
  return text;
}

inline const std::set<std::string> kHopByHop = {
    "connection",         "keep-alive",          "proxy-connection",         "te", "transfer-encoding", "upgrade",
    "proxy-authenticate", "proxy-authorization", "proxy-authentication-info"};

inline bool protocol_list(const std::string& value) {
  for (const std::string& protocol : elements(value)) {
    const auto parts = split(protocol, "/");
    if (parts.size() > 2 || !std::all_of(parts.begin(), parts.end(), token)) return false;
  }
  return !elements(value).empty();
}

inline std::string first_non_empty(const std::vector<std::string>& values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return "";
}

}  // namespace restgate::http1::reference
