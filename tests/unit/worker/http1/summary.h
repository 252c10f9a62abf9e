// Parsed heads as one line of text, so that tests and fuzzers can compare two of them, and rows can name parts of them.
#pragma once

#include <string>
#include <string_view>

#include "worker/http1/parser.h"

namespace restgate::http1::test {

inline std::string body_text(BodyKind kind, bool has_length, uint64_t length) {
  std::string text = "body=";
  switch (kind) {
    case BodyKind::None:
      text += "none";
      break;
    case BodyKind::Length:
      text += "length";
      break;
    case BodyKind::Chunked:
      text += "chunked";
      break;
    case BodyKind::UntilClose:
      text += "close";
      break;
  }
  return text + (has_length ? " length=" + std::to_string(length) : std::string());
}

/// " [name: value]" for each field; "[name: value]*" for those that are not forwarded.
inline std::string fields_text(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields)
    text.append(" [").append(field.name).append(": ").append(field.value).append(field.hop_by_hop ? "]*" : "]");
  return text;
}

inline std::string summary(const RequestHead& head) {
  std::string text;
  text.append(head.method).append(" target=").append(head.target).append(" path=").append(head.path);
  if (head.has_query) text.append(" query=").append(head.query);
  text.append(" host=").append(head.host).append(head.minor_version == 1 ? " 1.1 " : " 1.0 ");
  text += body_text(head.body, head.has_content_length, head.content_length);
  if (head.keep_alive) text += " keep";
  if (head.expect_continue) text += " expect";
  if (head.te_trailers) text += " te";
  if (head.wants_upgrade) text.append(" upgrade=").append(head.upgrade);
  return text + fields_text(head.fields);
}

inline std::string summary(const ResponseHead& head) {
  std::string text = std::to_string(head.status);
  text.append(" reason=").append(head.reason).append(head.minor_version == 1 ? " 1.1 " : " 1.0 ");
  text += body_text(head.body, head.has_content_length, head.content_length);
  if (head.keep_alive) text += " keep";
  if (head.keep_alive_timeout_s != 0) text += " timeout=" + std::to_string(head.keep_alive_timeout_s);
  if (head.connection_upgrade) text.append(" upgrade=").append(head.upgrade);
  return text + fields_text(head.fields);
}

/// "more", "failed 400 bad_request: detail" or "done 42: summary" (42 bytes consumed).
template <typename Parser>
std::string outcome(const Parser& parser, ParseStatus status) {
  switch (status) {
    case ParseStatus::NeedMore:
      return "more";
    case ParseStatus::Failed:
      return std::string("failed ")
          .append(std::to_string(parser.failure().status))
          .append(" ")
          .append(parser.failure().reason)
          .append(": ")
          .append(parser.failure().detail);
    case ParseStatus::Done:
      break;
  }
  return "done " + std::to_string(parser.consumed()) + ": " + summary(parser.head());
}

}  // namespace restgate::http1::test
