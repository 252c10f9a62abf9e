#include "worker/forwarding.h"

#include <algorithm>
#include <array>

#include "worker/http1/char_class.h"
#include "worker/http1/field_line.h"
#include "worker/http1/writer.h"

namespace restgate::worker {
namespace {

using http1::BodyKind;
using http1::Field;
using http1::FieldId;
using http1::HeadWriter;

constexpr std::string_view kViaName = " restgate\r\n";

std::string_view finished(const HeadWriter& out, std::span<char> space) {
  if (out.overflowed()) return {};
  return {space.data(), out.size()};
}

/// A field as it was received. Most lines are written as we would write them: those are copied whole.
void write_field(HeadWriter& out, const Field& field) {
  const char* const name_end = field.name.data() + field.name.size();
  const char* const value_end = field.value.data() + field.value.size();
  if (field.value.data() == name_end + 2 && name_end[1] == ' ' && *value_end == '\r')
    out.raw({field.name.data(), static_cast<size_t>(value_end + 2 - field.name.data())});
  else
    out.field(field.name, field.value);
}

std::string_view version_number(uint8_t minor_version) {
  return minor_version == 0 ? "1.0" : "1.1";
}

void write_target(HeadWriter& out, const ForwardedRequest& request) {
  const config::ServiceUrl& url = request.service.url;
  out.raw(url.base_path);
  out.raw(request.head.path);
  const bool any_query = request.head.has_query || !url.query.empty();
  if (!any_query) return;
  out.raw("?");
  out.raw(url.query);
  if (!url.query.empty() && !request.head.query.empty()) out.raw("&");
  out.raw(request.head.query);
}

/// X-Forwarded-Port and whatever else speaks for a proxy.
bool is_forwarded_field(std::string_view name) {
  constexpr std::string_view kForwarded = "x-forwarded-";
  return http1::equals_ignore_case(name.substr(0, kForwarded.size()), kForwarded);
}

/// Whether a request field goes on as it is; the others are dropped or written anew below.
bool passes_to_backend(const Field& field, PeerTrust trust, const ForwardedIdentity& identity) {
  if (field.hop_by_hop) return false;
  switch (field.id) {
    case FieldId::Host:
    case FieldId::ContentLength:
    case FieldId::TransferEncoding:
    case FieldId::Expect:
    case FieldId::Trailer:  // trailers of requests are dropped
    case FieldId::XForwardedFor:
    case FieldId::XForwardedHost:
    case FieldId::XForwardedProto:
      return false;
    case FieldId::XRequestId:
      return identity.request_id.empty();
    case FieldId::Traceparent:
      return identity.pass_trace && identity.traceparent.empty();
    case FieldId::Tracestate:
      return identity.pass_trace;
    default:
      return trust != PeerTrust::Untrusted || !is_forwarded_field(field.name);
  }
}

/// X-Forwarded-For grows by our peer. Of one that is not believed it begins anew.
void write_forwarded_for(HeadWriter& out, const ForwardedRequest& request) {
  out.raw("X-Forwarded-For: ");
  for (const Field& field : request.head.fields) {
    if (field.id != FieldId::XForwardedFor || field.value.empty() || request.trust == PeerTrust::Untrusted) continue;
    out.raw(field.value);
    out.raw(", ");
  }
  out.raw(request.client_address);
  out.raw("\r\n");
}

/// What a trusted proxy says in its field: "" when it says nothing, or is none. Of several lines the last counts: the
/// proxy may have added it to a client's own.
std::string_view said_by_proxy(const ForwardedRequest& request, FieldId id) {
  std::string_view said;
  if (request.trust != PeerTrust::Trusted) return said;
  for (const Field& field : request.head.fields)
    if (field.id == id && !field.value.empty()) said = field.value;
  return said;
}

void write_forwarded(HeadWriter& out, const ForwardedRequest& request) {
  write_forwarded_for(out, request);
  const std::string_view proto = said_by_proxy(request, FieldId::XForwardedProto);
  out.field("X-Forwarded-Proto", proto.empty() ? std::string_view("http") : proto);
  const std::string_view host = said_by_proxy(request, FieldId::XForwardedHost);
  if (!host.empty() || !request.head.host.empty())
    out.field("X-Forwarded-Host", host.empty() ? request.head.host : host);
}

void write_identity(HeadWriter& out, const ForwardedIdentity& identity) {
  if (!identity.request_id.empty()) out.field("X-Request-Id", identity.request_id);
  if (!identity.traceparent.empty()) out.field("traceparent", identity.traceparent);
}

void write_request_framing(HeadWriter& out, const http1::RequestHead& head) {
  if (head.body == BodyKind::Chunked) {
    out.raw("Transfer-Encoding: chunked\r\n");
  } else if (head.has_content_length) {
    out.raw("Content-Length: ");
    out.number(head.content_length);
    out.raw("\r\n");
  }
  if (head.expect_continue && head.body != BodyKind::None) out.raw("Expect: 100-continue\r\n");
}

/// Connection and what it names: our own, never the client's.
void write_request_connection(HeadWriter& out, const ForwardedRequest& request) {
  const bool te = request.head.te_trailers;
  if (request.upgrade) {
    out.raw(te ? "Connection: Upgrade, TE\r\n" : "Connection: Upgrade\r\n");
    out.field("Upgrade", request.head.upgrade);
  } else if (te) {
    out.raw("Connection: TE\r\n");
  }
  if (te) out.raw("TE: trailers\r\n");
}

void write_via(HeadWriter& out, uint8_t minor_version) {
  out.raw("Via: ");
  out.raw(version_number(minor_version));
  out.raw(kViaName);
}

}  // namespace

std::string_view render_request_head(std::span<char> space, const ForwardedRequest& request) {
  HeadWriter out(space.data(), space.data() + space.size());
  out.raw(request.head.method);
  out.raw(" ");
  write_target(out, request);
  out.raw(" HTTP/1.1\r\n");
  const bool keep_host = request.service.preserve_host && !request.head.host.empty();
  out.field("Host", keep_host ? request.head.host : std::string_view(request.service.url.authority));
  const bool counted = request.head.max_forwards != http1::RequestHead::kNoMaxForwards;
  for (const Field& field : request.head.fields)
    if (passes_to_backend(field, request.trust, request.identity) && !(counted && field.id == FieldId::MaxForwards))
      write_field(out, field);
  if (counted) out.field("Max-Forwards", request.head.max_forwards - 1);  // 0 is not passed on
  write_request_framing(out, request.head);
  write_request_connection(out, request);
  write_forwarded(out, request);
  write_identity(out, request.identity);
  if (request.config.via) write_via(out, request.head.minor_version);
  out.raw("\r\n");
  return finished(out, space);
}

std::string_view render_response_head(std::span<char> space, const ForwardedResponse& response) {
  const http1::ResponseHead& head = response.head;
  HeadWriter out(space.data(), space.data() + space.size());
  out.raw("HTTP/1.1 ");
  out.number(head.status);
  out.raw(" ");
  out.raw(head.reason);
  out.raw("\r\n");
  bool dated = head.status < 200 || response.date.empty();
  for (const Field& field : head.fields) {
    if (field.hop_by_hop || field.id == FieldId::ContentLength || field.id == FieldId::TransferEncoding) continue;
    if (field.id == FieldId::Trailer && !response.trailers) continue;  // what is announced will not come
    if (field.id == FieldId::XRequestId && !response.request_id.empty()) continue;
    dated = dated || field.id == FieldId::Date;
    write_field(out, field);
  }
  if (!dated) out.field("Date", response.date);
  if (!response.request_id.empty()) out.field("X-Request-Id", response.request_id);
  if (!response.server_timing.empty()) out.field("Server-Timing", response.server_timing);
  // RFC 9110 §8.6: no Content-Length with 1xx or 204.
  if (response.chunked) {
    out.raw("Transfer-Encoding: chunked\r\n");
  } else if (head.has_content_length && head.status >= 200 && head.status != 204) {
    out.raw("Content-Length: ");
    out.number(head.content_length);
    out.raw("\r\n");
  }
  // RFC 9110 §15.5.22: 426 tells the protocols in Upgrade.
  if (response.switching || (head.status == 426 && !head.upgrade.empty())) {
    out.raw(response.close ? "Connection: Upgrade, close\r\n" : "Connection: Upgrade\r\n");
    out.field("Upgrade", head.upgrade);
  } else if (response.close) {
    out.raw("Connection: close\r\n");
  } else if (response.client_minor_version == 0 && head.status >= 200) {
    out.raw("Connection: keep-alive\r\n");
  }
  if (response.config.via) write_via(out, head.minor_version);
  out.raw("\r\n");
  return finished(out, space);
}

namespace {

std::string_view own_body(std::span<char> space, const OwnResponse& response) {
  HeadWriter body(space.data(), space.data() + space.size());
  if (response.title.empty()) return {};
  if (response.json) {
    body.raw(R"({"type":"about:blank","title":")");
    body.raw(response.title);
    body.raw(R"(","status":)");
    body.number(response.status);
    body.raw(R"(,"code":")");
    body.raw(response.code);
    body.raw("\"}\n");
  } else {
    body.number(response.status);
    body.raw(" ");
    body.raw(response.title);
    body.raw(": ");
    body.raw(response.code);
    body.raw("\n");
  }
  return finished(body, space);
}

}  // namespace

std::string_view render_own_response(std::span<char> space, const OwnResponse& response) {
  std::array<char, 256> body_space;
  const std::string_view body = own_body(body_space, response);
  HeadWriter out(space.data(), space.data() + space.size());
  out.raw("HTTP/1.1 ");
  out.number(response.status);
  out.raw(" ");
  out.raw(response.title.empty() ? std::string_view("OK") : response.title);
  out.raw("\r\n");
  if (!response.allow.empty() || response.status == 405) out.field("Allow", response.allow);
  if (!body.empty())
    out.field("Content-Type", response.json ? "application/problem+json" : "text/plain; charset=utf-8");
  out.raw("Content-Length: ");
  out.number(body.size());
  out.raw("\r\n");
  out.field("Date", response.date);
  if (!response.request_id.empty()) out.field("X-Request-Id", response.request_id);
  if (response.close)
    out.raw("Connection: close\r\n");
  else if (response.http10_keep_alive)
    out.raw("Connection: keep-alive\r\n");
  out.raw("\r\n");
  if (!response.head_only) out.raw(body);
  return finished(out, space);
}

namespace {

/// "q=0" in any spelling: the type is refused (RFC 9110 §12.4.2).
bool is_refused(std::string_view parameters) {
  bool refused = false;
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = http1::trim_ows(parameters.substr(0, end));
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    if (parameter.size() > 2 && (parameter[0] | 0x20) == 'q' && parameter[1] == '=')
      refused = parameter.find_first_not_of("0.", 2) == std::string_view::npos;
  }
  return refused;
}

/// Of a media range without its parameters, in any case: application/json, application/*+json, application/*.
bool is_json(std::string_view range) {
  constexpr std::string_view kApplication = "application/";
  constexpr std::string_view kSuffix = "+json";
  if (!http1::equals_ignore_case(range.substr(0, kApplication.size()), kApplication)) return false;
  const std::string_view subtype = range.substr(kApplication.size());
  if (subtype == "*" || http1::equals_ignore_case(subtype, "json")) return true;
  return subtype.size() > kSuffix.size() &&
         http1::equals_ignore_case(subtype.substr(subtype.size() - kSuffix.size()), kSuffix);
}

}  // namespace

bool prefers_json(const http1::RequestHead& head) {
  bool json = false;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::Accept) continue;
    http1::for_each_element(field.value, [&json](std::string_view element) {
      const size_t end = std::min(element.find(';'), element.size());
      json = json || (is_json(http1::trim_ows(element.substr(0, end))) && !is_refused(element.substr(end)));
    });
  }
  return json;
}

}  // namespace restgate::worker
