// One field line of a head or of a trailer section: split, checked, classified (RFC 9112 §5). Worker; no state.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "worker/http1/char_class.h"
#include "worker/http1/head.h"
#include "worker/http1/line_scanner.h"

namespace restgate::http1 {

/// Which of the fields that the proxy acts upon `name` is, in any case. `name` has a byte at least, and no
/// control characters; what is no token is none of them.
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

/// Whether the parsers of heads act upon a field themselves: take_field() of one of them sees these only.
[[nodiscard]] constexpr bool matters(FieldId id) {
  switch (id) {
    case FieldId::Connection:
    case FieldId::ContentLength:
    case FieldId::Expect:
    case FieldId::Host:
    case FieldId::KeepAlive:
    case FieldId::MaxForwards:
    case FieldId::Te:
    case FieldId::Trailer:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
      return true;
    case FieldId::Other:
    case FieldId::Accept:
    case FieldId::Date:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthenticationInfo:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyConnection:
    case FieldId::SecWebSocketKey:
    case FieldId::Traceparent:
    case FieldId::Tracestate:
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

/// Splits a non-empty line (without CRLF and without control characters) into `field`, a new one. Returns what is
/// wrong, empty if nothing. The name is a token directly followed by ':' (RFC 9112 §5.1: white space between them is
/// refused); a line that begins with white space is an obs-fold or follows the start-line: refused (§5.2, §2.2).
[[nodiscard]] std::string_view parse_field_line(std::string_view line, Field& field);

/// Reads the field lines of a head, to the empty line that ends it, and appends them to `fields`. Keeps `cursor` up to
/// date by being destroyed.
class FieldReader {
 public:
  FieldReader(const char* begin, const char* stop, LineCursor& cursor, std::vector<Field>& fields, size_t max_fields)
      : begin_(begin),
        line_(begin + cursor.line),
        scan_(begin + cursor.scan),
        stop_(stop),
        cursor_(cursor),
        fields_(fields),
        room_(max_fields - fields.size()) {}
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;
  ~FieldReader() {
    cursor_ = {static_cast<size_t>(line_ - begin_), static_cast<size_t>(std::max(line_, scan_) - begin_)};
  }

  enum class Step : uint8_t {
    Field,  ///< the last one of `fields` matters to parsers; there may be more
    End,
    NeedMore,
    TooMany,
    Wrong,  ///< see wrong()
  };
  [[nodiscard]] Step next();
  [[nodiscard]] std::string_view wrong() const { return wrong_; }

 private:
  bool find_line_end(const char* from);
  [[gnu::cold]] Step judge_line_end();
  Step take_line_without_name(const char* begin);

  const char* const begin_;
  const char* line_;  ///< the one that is not parsed yet
  const char* scan_;  ///< up to where its end was looked for, if beyond `line_`
  const char* const stop_;
  LineCursor& cursor_;
  std::vector<Field>& fields_;
  size_t room_;  ///< for fields
  std::string_view wrong_;
};

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
