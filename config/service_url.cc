#include "config/service_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace restgate::config {
namespace {

constexpr size_t kLongestUrl = 2048;
constexpr size_t kLongestHost = 253;
constexpr size_t kLongestLabel = 63;
constexpr std::string_view kExample = "expected a URL such as http://accounts.internal:8080/base";

// Prefixes the offset of an error found in a part of the URL with where the part begins.
TextError shifted(TextError error, size_t by) {
  error.offset += by;
  return error;
}

bool is_ip(int family, std::string_view text) {
  in6_addr address{};
  return text.size() < INET6_ADDRSTRLEN && ::inet_pton(family, std::string(text).c_str(), &address) == 1;
}

std::optional<TextError> check_ipv6(std::string_view address) {
  if (const size_t zone = address.find('%'); zone != std::string_view::npos)
    return TextError{"an IPv6 address with a zone id is not supported", zone};
  if (!is_ip(AF_INET6, address)) return TextError{quoted(address) + " is not an IPv6 address", 0};
  return std::nullopt;
}

std::optional<TextError> check_label(std::string_view label) {
  if (label.empty()) return TextError{"the host has an empty label: a dot too many", 0};
  if (label.size() > kLongestLabel) return TextError{"a label of the host is longer than 63 characters", 0};
  for (size_t i = 0; i < label.size();) {
    const CodePoint point = decode_utf8(label, i);
    const char c = label[i];
    if (!point.valid || point.value > 0x7e)
      return TextError{"the host has a character that is not ASCII: write an international name in its xn-- form", i};
    if (!is_ascii_alpha(c) && !is_ascii_digit(c) && c != '-' && c != '_')
      return TextError{"the host has a character that a name cannot have: " + quoted(label.substr(i, 1)), i};
    i += point.length;
  }
  if (label.front() == '-' || label.back() == '-')
    return TextError{"a label of the host cannot begin or end with '-'", label.front() == '-' ? 0 : label.size() - 1};
  return std::nullopt;
}

std::optional<TextError> check_name(std::string_view host) {
  std::string_view name = host;
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > kLongestHost) return TextError{"the host is longer than 253 characters", 0};
  size_t start = 0;
  size_t end = 0;
  do {
    end = std::min(name.find('.', start), name.size());
    if (auto error = check_label(name.substr(start, end - start))) return shifted(*std::move(error), start);
    start = end + 1;
  } while (end < name.size());
  // A name whose last label is a number is an IPv4 address or a mistake, as every resolver sees it.
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (std::all_of(last.begin(), last.end(), is_ascii_digit) && !is_ip(AF_INET, host))
    return TextError{quoted(host) + " is not an IPv4 address", 0};
  return std::nullopt;
}

/// Takes the scheme off the front of `rest`.
std::optional<TextError> take_scheme(std::string_view& rest, Scheme& scheme) {
  const size_t colon = rest.find("://");
  if (colon == std::string_view::npos) {
    const std::string lower = to_lower(rest);
    if (lower.starts_with("http:") || lower.starts_with("https:"))
      return TextError{"expected '//' after the scheme, as in http://host", rest.find(':') + 1};
    return TextError{"the scheme is missing: write 'http://" + visible(rest, 60) + "' or https", 0};
  }
  const std::string name = to_lower(rest.substr(0, colon));
  if (name == "ws" || name == "wss")
    return TextError{"write http or https: WebSocket upgrades are passed on over either", 0};
  if (name != "http" && name != "https")
    return TextError{"the scheme must be http or https, not " + quoted(rest.substr(0, colon)), 0};
  scheme = name == "https" ? Scheme::Https : Scheme::Http;
  rest.remove_prefix(colon + 3);
  return std::nullopt;
}

std::optional<TextError> read_port(std::string_view digits, uint16_t& port) {
  if (digits.empty()) return TextError{"the port is missing after ':'", 0};
  const auto number = parse_decimal(digits);
  if (!number || *number < 1 || *number > 65535)
    return TextError{"the port must be a number from 1 to 65535, not " + quoted(digits), 0};
  port = static_cast<uint16_t>(*number);
  return std::nullopt;
}

/// Looked for before all else: no message may show a password.
std::optional<TextError> check_user_info(std::string_view text) {
  const size_t scheme = text.find("://");
  const size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  if (text.substr(start, text.find_first_of("/?#", start) - start).find('@') == std::string_view::npos) return {};
  return TextError{"user info is not supported in a service_url: leave out what stands before the '@'", start, true};
}

/// host[:port] or [IPv6][:port]
std::optional<TextError> read_authority(std::string_view authority, ServiceUrl& url) {
  if (authority.empty()) return TextError{"the host is missing", 0};
  const uint16_t standard = url.scheme == Scheme::Https ? 443 : 80;
  url.port = standard;
  const bool bracketed = authority.front() == '[';
  size_t end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string_view::npos) return TextError{"the ']' of the IPv6 address is missing", 0};
  if (!bracketed && end != std::string_view::npos && authority.find(':', end + 1) != std::string_view::npos)
    return TextError{is_ip(AF_INET6, authority) ? "an IPv6 address needs brackets: [" + std::string(authority) + "]"
                                                : "one ':' too many after the host",
                     is_ip(AF_INET6, authority) ? 0 : authority.find(':', end + 1)};
  const std::string_view host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  if (host.empty()) return TextError{"the host is missing", 0};
  if (auto error = bracketed ? check_ipv6(host) : check_name(host))
    return shifted(*std::move(error), bracketed ? 1 : 0);
  if (bracketed) ++end;
  const std::string_view port = end < authority.size() ? authority.substr(end) : std::string_view();
  if (!port.empty()) {
    if (port.front() != ':') return TextError{"expected ':' or '/' after the IPv6 address", end};
    if (auto error = read_port(port.substr(1), url.port)) return shifted(*std::move(error), end + 1);
  }
  url.host = to_lower(host);
  url.authority = bracketed ? "[" + url.host + "]" : url.host;
  if (url.port != standard) url.authority += ":" + std::to_string(url.port);
  return std::nullopt;
}

bool is_pchar(char c) {  // RFC 3986 §3.3, without pct-encoded
  return is_ascii_alpha(c) || is_ascii_digit(c) ||
         std::string_view("-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

int hex_value(char c) {
  return is_ascii_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/// Characters and escapes of a path or a query.
std::optional<TextError> check_characters(std::string_view part, std::string_view also, std::string_view what) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '%') {
      if (part.size() - i < 3 || !is_hex_digit(part[i + 1]) || !is_hex_digit(part[i + 2]))
        return TextError{"bad escape in the " + std::string(what) + ": '%' needs two hexadecimal digits", i};
      if (is_control(static_cast<uint32_t>(hex_value(part[i + 1]) * 16 + hex_value(part[i + 2]))) && part[i + 1] < '8')
        return TextError{"the " + std::string(what) + " has an escaped control character", i};
      continue;
    }
    if (is_pchar(part[i]) || also.find(part[i]) != std::string_view::npos) continue;
    const CodePoint point = decode_utf8(part, i);
    const std::string shown = quoted(part.substr(i, point.length));
    return TextError{"the " + std::string(what) + " has a character that a URL cannot have: " + shown +
                         (point.value < 0x20 ? "" : "; write it %-escaped"),
                     i};
  }
  return std::nullopt;
}

bool is_dot_segment(std::string_view segment) {
  std::string plain;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (to_lower(segment.substr(i, 3)) == "%2e") {
      plain += '.';
      i += 2;
    } else {
      plain += segment[i];
    }
    if (plain.size() > 2) return false;
  }
  return plain == "." || plain == "..";
}

std::optional<TextError> read_base_path(std::string_view path, ServiceUrl& url) {
  if (auto error = check_characters(path, "/", "base path")) return error;
  if (path.ends_with('/')) path.remove_suffix(1);
  for (size_t start = 1; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, end - start);
    if (segment.empty()) return TextError{"the base path has an empty segment ('//')", start};
    if (is_dot_segment(segment)) return TextError{"the base path has a dot segment: write the path out", start};
    start = end + 1;
  }
  url.base_path = path;
  return std::nullopt;
}

}  // namespace

std::optional<TextError> check_host(std::string_view host) {
  if (host.empty()) return TextError{"the host is empty", 0};
  if (host.find(':') != std::string_view::npos) return check_ipv6(host);
  return check_name(host);
}

Result<ServiceUrl, TextError> parse_service_url(std::string_view text) {
  if (text.empty()) return TextError{std::string(kExample), 0};
  if (text.size() > kLongestUrl) return TextError{"this URL is longer than 2048 bytes", 0};
  if (auto error = check_user_info(text)) return *std::move(error);
  ServiceUrl url;
  std::string_view rest = text;
  if (auto error = take_scheme(rest, url.scheme)) return *std::move(error);
  const auto offset = [&text](std::string_view part) { return static_cast<size_t>(part.data() - text.data()); };
  if (const size_t hash = text.find('#'); hash != std::string_view::npos)
    return TextError{"a fragment ('#...') never reaches a backend: leave it out", hash};
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  const size_t query_start = std::min(rest.find('?', authority_end), rest.size());
  const std::string_view path = rest.substr(authority_end, query_start - authority_end);
  if (auto error = read_authority(authority, url)) return shifted(*std::move(error), offset(authority));
  if (auto error = read_base_path(path, url)) return shifted(*std::move(error), offset(path));
  if (query_start < rest.size()) {
    const std::string_view query = rest.substr(query_start + 1);
    if (auto error = check_characters(query, "/?", "query")) return shifted(*std::move(error), offset(query));
    url.query = query;
  }
  return url;
}

}  // namespace restgate::config
