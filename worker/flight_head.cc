#include "worker/flight_head.h"

#include <algorithm>

namespace restgate::worker {
namespace {

flight::Body body_of(http1::BodyKind kind) {
  switch (kind) {
    case http1::BodyKind::Length:
      return flight::Body::Length;
    case http1::BodyKind::Chunked:
      return flight::Body::Chunked;
    case http1::BodyKind::None:
    case http1::BodyKind::UntilClose:  // no request has such a body
      break;
  }
  return flight::Body::None;
}

}  // namespace

flight::Head flight_head(const http1::RequestHead& head, std::string_view client) {
  const auto agent = std::find_if(head.fields.begin(), head.fields.end(),
                                  [](const http1::Field& field) { return field.id == http1::FieldId::UserAgent; });
  flight::Head seen;
  seen.client = client;
  seen.method = head.method;
  seen.path = head.path;
  seen.query = head.query;
  seen.has_query = head.has_query;
  seen.host = head.host;
  if (agent != head.fields.end()) seen.user_agent = agent->value;
  seen.body = body_of(head.body);
  seen.content_length = head.content_length;
  return seen;
}

}  // namespace restgate::worker
