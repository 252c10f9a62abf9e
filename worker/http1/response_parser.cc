#include "worker/http1/response_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "worker/http1/char_class.h"
#include "worker/http1/field_line.h"

namespace restgate::http1 {
namespace {

/// The field list starts with room for this many.
constexpr size_t kFirstFields = 24;

/// Responses that end with their head, whatever their fields say (RFC 9112 §6.3 rule 1).
bool has_no_body(uint16_t status, bool request_is_head) {
  return request_is_head || status < 200 || status == 204 || status == 304;
}

}  // namespace

void ResponseParser::reset(bool request_is_head) {
  std::vector<Field> fields = std::move(head_.fields);
  fields.clear();
  head_ = ResponseHead{};
  head_.fields = std::move(fields);
  if (phase_ == Phase::Failed) failure_ = ParseFailure{};
  phase_ = Phase::StartLine;
  request_is_head_ = request_is_head;
  cursor_ = LineCursor{};
  framing_ = FramingFields{};
  connection_ = ConnectionOptions{};
}

ParseStatus ResponseParser::fail(std::string_view detail) {
  phase_ = Phase::Failed;
  failure_ = ParseFailure(Reason::BackendBadResponse, detail);
  return ParseStatus::Failed;
}

ParseStatus ResponseParser::parse(const char* begin, const char* end) {
  const size_t size = std::min(static_cast<size_t>(end - begin), size_t{limits_.max_head_bytes});
  const char* const stop = begin + size;
  ParseStatus status = ParseStatus::Done;
  if (phase_ == Phase::StartLine) status = parse_start_line(begin, stop);
  if (phase_ == Phase::Fields && status == ParseStatus::Done) status = parse_fields(begin, stop);
  if (phase_ == Phase::Failed) return ParseStatus::Failed;
  if (status == ParseStatus::NeedMore && size == limits_.max_head_bytes) return fail("response head too large");
  return status;
}

ParseStatus ResponseParser::parse_start_line(const char* begin, const char* stop) {
  // What is not HTTP at all may never send a LF; no empty line may come before a response (RFC 9112 §2.2, §4).
  if (begin != stop && *begin != 'H') return fail("no HTTP response");
  std::string_view line;
  const LineStatus status = next_line(begin, stop, cursor_, line);
  if (status == LineStatus::Incomplete) return ParseStatus::NeedMore;
  if (status != LineStatus::Complete) return fail(describe(status));
  if (take_status_line(line) == ParseStatus::Failed) return ParseStatus::Failed;
  cursor_.line = cursor_.scan;
  phase_ = Phase::Fields;
  if (head_.fields.capacity() == 0) head_.fields.reserve(kFirstFields);
  return ParseStatus::Done;
}

/// status-line = HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 §4). Without a reason, the SP before it may
/// be missing too: a common slip of origins, with one meaning only. The codes are 100 to 599 (RFC 9110 §15).
ParseStatus ResponseParser::take_status_line(std::string_view line) {
  if (line.size() < 12 || std::memcmp(line.data(), "HTTP/1.", 7) != 0 || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ')
    return fail("invalid or unsupported HTTP version");
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return fail("invalid status code");
  if (line.size() > 12 && line[12] != ' ') return fail("invalid status code");
  const int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (status < 100 || status > 599) return fail("invalid status code");
  head_.minor_version = line[7] == '1' ? 1 : 0;
  head_.status = static_cast<uint16_t>(status);
  head_.reason = line.substr(std::min(line.size(), size_t{13}));
  return ParseStatus::Done;
}

ParseStatus ResponseParser::parse_fields(const char* begin, const char* stop) {
  using Step = FieldReader::Step;
  FieldReader reader(begin, stop, cursor_, head_.fields, limits_.max_fields);
  for (;;) {
    const Step step = reader.next();
    if (step != Step::Field) {
      if (step == Step::End) return finish();
      if (step == Step::NeedMore) return ParseStatus::NeedMore;
      return step == Step::TooMany ? fail("too many fields") : fail(reader.wrong());
    }
    if (take_field(head_.fields.back()) == ParseStatus::Failed) return ParseStatus::Failed;
  }
}

ParseStatus ResponseParser::take_field(const Field& field) {
  switch (field.id) {
    case FieldId::ContentLength:
      return take_framing(framing_.add_content_length(field.value));
    case FieldId::TransferEncoding:
      return take_framing(framing_.add_transfer_encoding(field.value, head_.minor_version));
    case FieldId::Connection:
      return connection_.add(field.value) ? ParseStatus::Done : fail("too many connection options");
    case FieldId::KeepAlive:
      head_.keep_alive_timeout_s = parse_keep_alive_timeout(field.value);
      return ParseStatus::Done;
    case FieldId::Upgrade:
      if (head_.upgrade.empty()) head_.upgrade = field.value;
      return ParseStatus::Done;
    default:
      return ParseStatus::Done;
  }
}

ParseStatus ResponseParser::take_framing(FramingFields::Verdict verdict) {
  return verdict == FramingFields::Verdict::Ok ? ParseStatus::Done : fail(describe(verdict));
}

/// The body by RFC 9112 §6.3, persistence by §9.3.
ParseStatus ResponseParser::finish() {
  head_.has_content_length = framing_.has_content_length();
  head_.content_length = framing_.content_length();
  head_.keep_alive = connection_.persistent(head_.minor_version);
  head_.connection_upgrade = connection_.upgrade();
  if (has_no_body(head_.status, request_is_head_)) {
    // A server must not announce a body with 1xx and 204 (RFC 9112 §6.1, RFC 9110 §8.6); one that does may send it too.
    const bool announced = framing_.chunked() || framing_.content_length() > 0;
    if (announced && (head_.status < 200 || head_.status == 204)) head_.keep_alive = false;
  } else if (framing_.chunked()) {
    head_.body = BodyKind::Chunked;
  } else if (!head_.has_content_length) {
    head_.body = BodyKind::UntilClose;
    head_.keep_alive = false;
  } else if (head_.content_length > 0) {
    head_.body = BodyKind::Length;
  }
  connection_.mark_nominated(head_.fields);
  phase_ = Phase::Done;
  return ParseStatus::Done;
}

}  // namespace restgate::http1
