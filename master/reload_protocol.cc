#include "master/reload_protocol.h"

#include <memory>
#include <utility>

#include "config/diagnostic.h"
#include "worker/http1/response_parser.h"

namespace restgate::master::reload_protocol {
namespace {

std::string text_of(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::Finished:
      return "reload finished: generation " + std::to_string(verdict.generation) + ", " +
             std::to_string(verdict.workers) + (verdict.workers == 1 ? " worker" : " workers");
    case Verdict::Kind::Refused:
      return config::to_string(verdict.diagnostics);
    case Verdict::Kind::Aborted:
      return verdict.reason;
  }
  return "";
}

uint16_t status_of(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::Finished:
      return kFinished;
    case Verdict::Kind::Refused:
      return kRefused;
    case Verdict::Kind::Aborted:
      return kAborted;
  }
  return kAborted;
}

}  // namespace

AdminResponse response_to(const Verdict& verdict) {
  AdminResponse response;
  response.status = status_of(verdict.kind);
  response.body = std::make_shared<const std::string>(text_of(verdict) + "\n");
  return response;
}

std::string request_for(std::string_view file) {
  return "POST /reload HTTP/1.1\r\nHost: restgate\r\nConnection: close\r\nContent-Length: " +
         std::to_string(file.size()) + "\r\n\r\n" + std::string(file);
}

Result<Answer> parse_answer(std::string_view bytes) {
  http1::ResponseParser parser(http1::Limits{});
  parser.reset(false);
  if (parser.parse(bytes.data(), bytes.data() + bytes.size()) != http1::ParseStatus::Done)
    return Error{"it ended the connection before there was a verdict", 0};
  const http1::ResponseHead& head = parser.head();
  const std::string_view body = bytes.substr(parser.consumed());
  if (head.body != http1::BodyKind::Length || body.size() != head.content_length)
    return Error{"its answer was cut short", 0};
  return Answer{head.status, std::string(body)};
}

}  // namespace restgate::master::reload_protocol
