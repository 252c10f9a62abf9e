// The parsed heads of HTTP/1.1 messages: views into the bytes they were parsed from. Worker.
//
// A head owns none of the bytes: they must stay where they are for as long as it is used. The field lists keep their
// memory from message to message.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace restgate::http1 {

/// Fields that the proxy itself acts upon; classified once, by the parser.
enum class FieldId : uint8_t {
  Other,
  Accept,
  Connection,
  ContentLength,
  Date,
  Expect,
  Host,
  KeepAlive,
  MaxForwards,
  ProxyAuthenticate,
  ProxyAuthenticationInfo,
  ProxyAuthorization,
  ProxyConnection,
  SecWebSocketKey,
  Te,
  Traceparent,
  Tracestate,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  Via,
  XForwardedFor,
  XForwardedHost,
  XForwardedProto,
  XRequestId,
};

struct Field {
  std::string_view name;   ///< as received
  std::string_view value;  ///< without the white space around it
  FieldId id = FieldId::Other;
  /// Meant for us alone (RFC 9110 §7.6.1): a hop-by-hop field, or named by Connection. Not forwarded.
  bool hop_by_hop = false;
};

/// How the end of a message's body is found (RFC 9112 §6.3).
enum class BodyKind : uint8_t { None, Length, Chunked, UntilClose };

struct Limits {
  uint32_t max_head_bytes = 64 * 1024;  ///< with the start line and all CRLFs; of a trailer section too
  uint32_t max_fields = 200;            ///< of a trailer section too
  uint32_t max_target_bytes = 32 * 1024;
};

struct RequestHead {
  std::string_view method;
  std::string_view target;  ///< the whole request-target as received
  std::string_view path;    ///< raw; begins with '/', or is "*" for OPTIONS *; a constant if the target has none
  std::string_view query;   ///< raw, without '?'
  bool has_query = false;   ///< tells "/a?" from "/a"
  std::string_view host;    ///< authority: of the absolute-form target if given, else of Host; may be empty (HTTP/1.0)
  uint8_t minor_version = 1;
  std::vector<Field> fields;

  BodyKind body = BodyKind::None;  ///< None, Length or Chunked
  uint64_t content_length =
      0;  ///< for Length; never 0 then (Content-Length: 0 is BodyKind::None with has_content_length)
  bool has_content_length = false;
  bool keep_alive = true;        ///< the client allows another request on this connection (RFC 9112 §9.3)
  bool expect_continue = false;  ///< Expect: 100-continue on HTTP/1.1
  bool te_trailers = false;      ///< the client takes trailers (TE: trailers)
  bool wants_upgrade = false;    ///< HTTP/1.1 with Connection: upgrade and a valid Upgrade field (RFC 9110 §7.8)
  /// Of OPTIONS and TRACE: how often they may be passed on (RFC 9110 §7.6.2); kNoMaxForwards: it is not said.
  static constexpr uint64_t kNoMaxForwards = UINT64_MAX;
  uint64_t max_forwards = kNoMaxForwards;
  /// The value of the first Upgrade field that has one; further lines are not offered on. Matters with wants_upgrade.
  std::string_view upgrade;
};

struct ResponseHead {
  uint16_t status = 0;
  std::string_view reason;
  uint8_t minor_version = 1;
  std::vector<Field> fields;

  BodyKind body = BodyKind::None;  ///< as this request's method and the status determine; Length: never 0, as above
  uint64_t content_length = 0;
  bool has_content_length = false;
  bool keep_alive = true;             ///< the backend allows another request on this connection
  uint32_t keep_alive_timeout_s = 0;  ///< from Keep-Alive: timeout=N; 0: not said
  bool connection_upgrade = false;    ///< Connection: upgrade
  std::string_view upgrade;           ///< the value of the first Upgrade field that has one
};

}  // namespace restgate::http1
