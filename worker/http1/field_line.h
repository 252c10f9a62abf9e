// One field line of a head or of a trailer section: split, checked, classified (RFC 9112 §5). Worker; no state.
#pragma once

#include <cstdint>
#include <string_view>

#include "worker/http1/char_class.h"
#include "worker/http1/head.h"

namespace restgate::http1 {

/// Which of the fields that the proxy acts upon `name` is, in any case. `name` must be a token.
[[nodiscard]] FieldId classify_field(std::string_view name);

/// Fields that concern one connection only, whether or not Connection names them (RFC 9110 §7.6.1), and those of proxy
/// authentication: to its client a gateway is the origin server, so that credentials or challenges between proxies are
/// not to pass through it (RFC 9110 §11.7). Trailer is left to the parser: trailers of requests are dropped.
[[nodiscard]] constexpr bool is_hop_by_hop(FieldId id) {
  switch (id) {
    case FieldId::Connection:
    case FieldId::KeepAlive:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthenticationInfo:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyConnection:
    case FieldId::Te:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
      return true;
    case FieldId::Other:
    case FieldId::Accept:
    case FieldId::ContentLength:
    case FieldId::Date:
    case FieldId::Expect:
    case FieldId::Host:
    case FieldId::MaxForwards:
    case FieldId::SecWebSocketKey:
    case FieldId::Traceparent:
    case FieldId::Tracestate:
    case FieldId::Trailer:
    case FieldId::UserAgent:
    case FieldId::Via:
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedProto:
    case FieldId::XRequestId:
      break;
  }
  return false;
}

/// Splits a non-empty line (without CRLF and without control characters) into `field`. Returns what is wrong, empty if
/// nothing. The name is a token directly followed by ':' (RFC 9112 §5.1: white space between them is refused); a line
/// that begins with white space is an obs-fold or follows the start-line: refused (§5.2, §2.2).
[[nodiscard]] inline std::string_view parse_field_line(std::string_view line, Field& field) {
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  const char* const colon = skip_class(begin, end, kTokenChar);
  if (colon == end || *colon != ':' || colon == begin) [[unlikely]] {
    if (*begin == ' ' || *begin == '\t') return "folded field line";
    if (colon != end && (*colon == ' ' || *colon == '\t')) return "white space in or after a field name";
    return "invalid field name";
  }
  field.name = {begin, static_cast<size_t>(colon - begin)};
  field.value = trim_ows({colon + 1, static_cast<size_t>(end - colon - 1)});
  field.id = classify_field(field.name);
  field.hop_by_hop = is_hop_by_hop(field.id);
  return {};
}

/// Calls `visit(element)` for each non-empty element of a comma-separated list, trimmed (RFC 9110 §5.6.1). Quoted
/// strings are not known here: for lists of tokens only.
template <typename Visit>
void for_each_element(std::string_view list, Visit&& visit) {
  size_t pos = 0;
  while (pos < list.size()) {
    const size_t comma = list.find(',', pos);
    const size_t stop = comma == std::string_view::npos ? list.size() : comma;
    const std::string_view element = trim_ows(list.substr(pos, stop - pos));
    if (!element.empty()) visit(element);
    pos = stop + 1;
  }
}

}  // namespace restgate::http1
