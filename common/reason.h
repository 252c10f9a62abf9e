// Reason: why an exchange did not go as the client wished. One table for status, code and retry. Any process.
//
// The code goes into the access log and the label `reason` of restgate_errors_total; it is a public name.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace restgate {

enum class Reason : uint8_t {
  None,
  // The request was refused: RESTGate answers itself.
  BadRequest,
  BadFraming,
  BadHost,
  BadPath,
  UriTooLong,
  HeadTooLarge,
  TransferCodingUnsupported,
  MethodUnsupported,
  VersionUnsupported,
  ExpectationFailed,
  RequestHeadTimeout,
  RequestBodyTimeout,
  RequestBodyTooLarge,
  BadRequestBody,
  RouteNotFound,
  MethodNotAllowed,
  Draining,
  ConnectionLimit,
  BadProxyHeader,
  // The backend failed.
  BackendUnresolved,
  BackendConnectRefused,
  BackendConnectTimeout,
  BackendConnectFailed,
  BackendTlsFailed,
  BackendReset,
  BackendHeaderTimeout,
  BackendBadResponse,
  BackendBodyCut,
  BackendBadUpgrade,
  ResponseTimeout,
  // The client left.
  ClientClosed,
  ClientReset,
  ClientTimeout,
  Internal,
  kCount,
};

struct ReasonInfo {
  Reason reason;
  std::string_view code;   ///< "route_not_found"
  uint16_t status;         ///< what the client is told, or (499) what the log says; 0 for None
  std::string_view title;  ///< the short text that a client may see
  bool retry_safe;  ///< on a reused backend connection, before a response byte: an idempotent request may go again
};

inline constexpr std::array<ReasonInfo, static_cast<size_t>(Reason::kCount)> kReasons = {{
    {Reason::None, "", 0, "", false},
    {Reason::BadRequest, "bad_request", 400, "Bad Request", false},
    {Reason::BadFraming, "bad_framing", 400, "Bad Request", false},
    {Reason::BadHost, "bad_host", 400, "Bad Request", false},
    {Reason::BadPath, "bad_path", 400, "Bad Request", false},
    {Reason::UriTooLong, "uri_too_long", 414, "URI Too Long", false},
    {Reason::HeadTooLarge, "request_head_too_large", 431, "Request Header Fields Too Large", false},
    {Reason::TransferCodingUnsupported, "transfer_coding_unsupported", 501, "Not Implemented", false},
    {Reason::MethodUnsupported, "method_unsupported", 501, "Not Implemented", false},
    {Reason::VersionUnsupported, "version_unsupported", 505, "HTTP Version Not Supported", false},
    {Reason::ExpectationFailed, "expectation_failed", 417, "Expectation Failed", false},
    {Reason::RequestHeadTimeout, "request_head_timeout", 408, "Request Timeout", false},
    {Reason::RequestBodyTimeout, "request_body_timeout", 408, "Request Timeout", false},
    {Reason::RequestBodyTooLarge, "request_body_too_large", 413, "Content Too Large", false},
    {Reason::BadRequestBody, "bad_request_body", 400, "Bad Request", false},
    {Reason::RouteNotFound, "route_not_found", 404, "Not Found", false},
    {Reason::MethodNotAllowed, "method_not_allowed", 405, "Method Not Allowed", false},
    {Reason::Draining, "draining", 503, "Service Unavailable", false},
    {Reason::ConnectionLimit, "connection_limit", 503, "Service Unavailable", false},
    {Reason::BadProxyHeader, "bad_proxy_header", 400, "Bad Request", false},
    {Reason::BackendUnresolved, "backend_unresolved", 502, "Bad Gateway", false},
    {Reason::BackendConnectRefused, "backend_connect_refused", 502, "Bad Gateway", false},
    {Reason::BackendConnectTimeout, "backend_connect_timeout", 504, "Gateway Timeout", false},
    {Reason::BackendConnectFailed, "backend_connect_failed", 502, "Bad Gateway", false},
    {Reason::BackendTlsFailed, "backend_tls_failed", 502, "Bad Gateway", false},
    {Reason::BackendReset, "backend_reset", 502, "Bad Gateway", true},
    {Reason::BackendHeaderTimeout, "backend_header_timeout", 504, "Gateway Timeout", false},
    {Reason::BackendBadResponse, "backend_bad_response", 502, "Bad Gateway", false},
    {Reason::BackendBodyCut, "backend_body_cut", 502, "Bad Gateway", false},
    {Reason::BackendBadUpgrade, "backend_bad_upgrade", 502, "Bad Gateway", false},
    {Reason::ResponseTimeout, "response_timeout", 504, "Gateway Timeout", false},
    {Reason::ClientClosed, "client_closed", 499, "Client Closed Request", false},
    {Reason::ClientReset, "client_reset", 499, "Client Closed Request", false},
    {Reason::ClientTimeout, "client_timeout", 499, "Client Closed Request", false},
    {Reason::Internal, "internal", 500, "Internal Server Error", false},
}};

[[nodiscard]] constexpr const ReasonInfo& info(Reason reason) {
  return kReasons[static_cast<size_t>(reason)];
}

namespace detail {
constexpr bool reasons_in_order() {
  for (size_t i = 0; i < kReasons.size(); ++i)
    if (static_cast<size_t>(kReasons[i].reason) != i) return false;
  return true;
}
static_assert(reasons_in_order());
}  // namespace detail

}  // namespace restgate
