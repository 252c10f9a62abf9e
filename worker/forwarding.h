// Rewriting of message heads between client and backend: what is dropped, rewritten and added. Worker.
//
// Heads are rendered into the worker's scratch space. Hop-by-hop fields end here (RFC 9110 §7.6.1); framing is ours
// (RFC 9112 §6); X-Forwarded-* and Via tell the backend who asked (RFC 9110 §7.6.3).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "config/model.h"
#include "worker/client_identity.h"
#include "worker/http1/head.h"

namespace restgate::worker {

/// What of a request's identity goes to its backend (worker/request_identity.h).
struct ForwardedIdentity {
  std::string_view request_id = {};   ///< in place of the client's field; empty: that one
  std::string_view traceparent = {};  ///< likewise
  bool pass_trace = true;             ///< the client's tracestate goes on, and its traceparent if there is none above
};

struct ForwardedRequest {
  const config::Config& config;
  const config::Service& service;
  const http1::RequestHead& head;
  std::string_view client_address;  ///< of whoever is at the other end of the connection
  PeerTrust trust = PeerTrust::Unset;
  bool upgrade = false;  ///< pass the client's wish for another protocol on
  ForwardedIdentity identity = {};
};

/// The request as the backend gets it. Empty: it does not fit into the space.
std::string_view render_request_head(std::span<char> space, const ForwardedRequest& request);

struct ForwardedResponse {
  const config::Config& config;
  const http1::ResponseHead& head;
  uint8_t client_minor_version = 1;
  bool chunked = false;    ///< we wrap the body in chunks
  bool close = false;      ///< this is the last response on the connection
  bool switching = false;  ///< 101: pass Upgrade on
  bool trailers = false;   ///< its trailers go on
  /// For a response that has none: whoever passes it on tells the time (RFC 9110 §6.6.1). Empty: leave it so.
  std::string_view date = {};
  /// In place of the backend's X-Request-Id; empty: that one goes on.
  std::string_view request_id = {};
  /// A Server-Timing field besides those of the backend; empty: none.
  std::string_view server_timing = {};
};

/// The response as the client gets it, also an interim one. Empty: it does not fit.
std::string_view render_response_head(std::span<char> space, const ForwardedResponse& response);

struct OwnResponse {
  uint16_t status = 0;
  std::string_view title;            ///< reason phrase
  std::string_view code;             ///< the Reason's code, for the body
  std::string_view allow;            ///< 405: the Allow field; empty: none
  std::string_view date;             ///< the Date field
  std::string_view request_id = {};  ///< the X-Request-Id field; empty: none
  bool json = false;                 ///< problem+json (RFC 9457) rather than text
  bool head_only = false;            ///< the request was HEAD
  bool close = false;
  bool http10_keep_alive = false;
};

/// A complete short response of our own.
std::string_view render_own_response(std::span<char> space, const OwnResponse& response);

/// Whether the client takes JSON: its Accept names a JSON type (RFC 9110 §12.5.1), "*/*" alone does not. Of a head that
/// was refused the fields up to there count.
bool prefers_json(const http1::RequestHead& head);

}  // namespace restgate::worker
