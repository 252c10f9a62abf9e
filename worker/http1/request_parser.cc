#include "worker/http1/request_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "worker/http1/authority.h"
#include "worker/http1/byte_scan.h"
#include "worker/http1/field_line.h"

namespace restgate::http1 {
namespace {

/// Empty lines that are skipped before a request (RFC 9112 §2.2: at least one should be).
constexpr uint8_t kMaxEmptyLines = 4;
/// What a request line may hold besides its target: a method (there is none this long), two SP and the version.
constexpr size_t kRequestLineOverhead = 128;
/// The field list starts with room for this many.
constexpr size_t kFirstFields = 24;

/// A request line, without its version.
struct RequestLine {
  std::string_view method;
  std::string_view target;
  size_t path_size = 0;
};

/// Splits the request line that begins at `line`, and ends at `end` or before it. Its parts are empty from the first
/// one on that is not as it must be.
[[gnu::always_inline]] inline RequestLine split_request_line(const char* line, const char* end) {
  RequestLine parts;
  const char* method_end = line;
  while (method_end != end && is_class(*method_end, kTokenChar)) ++method_end;
  if (method_end == end || *method_end != ' ') return parts;
  parts.method = {line, static_cast<size_t>(method_end - line)};
  const char* const target = method_end + 1;
  const char* const path_end = find_first<PathEnds>(line, target, end);
  const char* const target_end =
      path_end != end && *path_end == '?' ? find_first<TargetEnds>(line, path_end + 1, end) : path_end;
  if (target_end == end || *target_end != ' ') return parts;
  parts.target = {target, static_cast<size_t>(target_end - target)};
  parts.path_size = static_cast<size_t>(path_end - target);
  return parts;
}

/// The byte after the authority that begins at `from`.
size_t authority_end(std::string_view target, size_t from) {
  const size_t end = target.find_first_of("/?", from);
  return end == std::string_view::npos ? target.size() : end;
}

}  // namespace

void RequestParser::reset() {
  std::vector<Field> fields = std::move(head_.fields);
  fields.clear();
  head_ = RequestHead{};
  head_.fields = std::move(fields);
  if (phase_ == Phase::Failed) failure_ = ParseFailure{};
  phase_ = Phase::Empty;
  empty_lines_ = 0;
  has_host_ = false;
  absolute_target_ = false;
  cursor_ = LineCursor{};
  framing_ = FramingFields{};
  connection_ = ConnectionOptions{};
}

ParseStatus RequestParser::fail(Reason why, std::string_view detail) {
  phase_ = Phase::Failed;
  failure_ = ParseFailure(why, detail);
  return ParseStatus::Failed;
}

ParseStatus RequestParser::parse(const char* begin, const char* end) {
  const size_t size = std::min(static_cast<size_t>(end - begin), size_t{limits_.max_head_bytes});
  const char* const stop = begin + size;
  ParseStatus status = ParseStatus::Done;
  if (phase_ == Phase::Empty) status = skip_empty_lines(begin, stop);
  if (phase_ == Phase::StartLine && status == ParseStatus::Done) status = parse_start_line(begin, stop);
  if (phase_ == Phase::Fields && status == ParseStatus::Done) status = parse_fields(begin, stop);
  if (phase_ == Phase::Failed) return ParseStatus::Failed;
  if (status == ParseStatus::NeedMore && size == limits_.max_head_bytes)
    return fail(Reason::HeadTooLarge, "request head too large");
  return status;
}

ParseStatus RequestParser::skip_empty_lines(const char* begin, const char* stop) {
  for (;;) {
    const char* p = begin + cursor_.line;
    if (p == stop) return ParseStatus::NeedMore;
    if (*p != '\r') break;
    if (empty_lines_ == kMaxEmptyLines) return fail(Reason::BadRequest, "too many empty lines before a request");
    if (p + 1 == stop) return ParseStatus::NeedMore;
    if (p[1] != '\n') return fail(Reason::BadRequest, describe(LineStatus::BareCr));
    ++empty_lines_;
    cursor_.line += 2;
  }
  cursor_.scan = cursor_.line;
  phase_ = Phase::StartLine;
  // A TLS ClientHello, say, is told at its first byte; it may never send a LF.
  if (!is_class(begin[cursor_.line], kTokenChar)) return fail(Reason::BadRequest, "no method");
  return ParseStatus::Done;
}

ParseStatus RequestParser::parse_start_line(const char* begin, const char* stop) {
  const size_t max_line = limits_.max_target_bytes + kRequestLineOverhead;
  const bool long_line = static_cast<size_t>(stop - begin) - cursor_.line > max_line;
  const char* const line_stop = long_line ? begin + cursor_.line + max_line : stop;
  size_t path_size = 0;
  const char* const usual_end =
      cursor_.scan == cursor_.line ? take_usual_line(begin + cursor_.line, line_stop, path_size) : nullptr;
  if (usual_end != nullptr) [[likely]] {
    cursor_.scan = static_cast<size_t>(usual_end - begin);
  } else {
    std::string_view line;
    const LineStatus status = next_line(begin, line_stop, cursor_, line);
    if (status == LineStatus::Incomplete) {
      // A request line that fills all room for the head is long because of its target.
      const bool full = long_line || static_cast<size_t>(stop - begin) == limits_.max_head_bytes;
      return full ? fail(Reason::UriTooLong, "request line too long") : ParseStatus::NeedMore;
    }
    if (status != LineStatus::Complete) return fail(Reason::BadRequest, describe(status));
    if (take_request_line(line, path_size) == ParseStatus::Failed) return ParseStatus::Failed;
  }
  if (take_target(path_size) == ParseStatus::Failed) return ParseStatus::Failed;
  cursor_.line = cursor_.scan;
  phase_ = Phase::Fields;
  if (head_.fields.capacity() == 0) head_.fields.reserve(kFirstFields);
  return ParseStatus::Done;
}

/// Takes a request line like nearly all, whose end need not be looked for as no control character can be in it. Where
/// it ends, behind its CRLF; nullptr: it is not like that, or has not come yet, and nothing is taken.
const char* RequestParser::take_usual_line(const char* line, const char* stop, size_t& path_size) {
  constexpr std::string_view kEnd = " HTTP/1.1\r\n";
  const RequestLine parts = split_request_line(line, stop);
  const char* const end = parts.target.data() + parts.target.size();
  if (parts.target.empty() || parts.target.size() > limits_.max_target_bytes || stop - end < ptrdiff_t{kEnd.size()} ||
      std::memcmp(end, kEnd.data(), kEnd.size()) != 0)
    return nullptr;
  head_.method = parts.method;
  head_.target = parts.target;
  path_size = parts.path_size;
  return end + kEnd.size();
}

/// request-line = method SP request-target SP HTTP-version, with exactly one SP each (RFC 9112 §3).
ParseStatus RequestParser::take_request_line(std::string_view line, size_t& path_size) {
  const char* const end = line.data() + line.size();
  const RequestLine parts = split_request_line(line.data(), end);
  if (parts.method.empty()) return fail(Reason::BadRequest, "invalid method");
  if (parts.target.empty()) return fail(Reason::BadRequest, "invalid request-target");
  head_.method = parts.method;
  head_.target = parts.target;
  path_size = parts.path_size;
  if (head_.target.size() > limits_.max_target_bytes) return fail(Reason::UriTooLong, "request-target too long");
  const char* const version = head_.target.data() + head_.target.size() + 1;
  return take_version({version, static_cast<size_t>(end - version)});
}

/// HTTP-version = "HTTP/" DIGIT "." DIGIT, in this case (RFC 9112 §2.3). 1.0 and 1.1 are served, others get 505.
ParseStatus RequestParser::take_version(std::string_view version) {
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/" || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return fail(Reason::BadRequest, "invalid HTTP version");
  if (version[5] != '1' || version[7] > '1') return fail(Reason::VersionUnsupported, "unsupported HTTP version");
  head_.minor_version = version[7] == '1' ? 1 : 0;
  return ParseStatus::Done;
}

/// The four forms of RFC 9112 §3.2. CONNECT is no method of a gateway (RFC 9110 §9.3.6); the authority-form is its own.
ParseStatus RequestParser::take_target(size_t path_size) {
  if (head_.method == "CONNECT") return fail(Reason::MethodUnsupported, "CONNECT");
  if (head_.target.front() == '/') {
    split_path(head_.target, path_size);
    return ParseStatus::Done;
  }
  if (head_.target != "*") return take_absolute_target();
  if (head_.method != "OPTIONS") return fail(Reason::BadRequest, "request-target * without OPTIONS");
  head_.path = head_.target;
  return ParseStatus::Done;
}

/// absolute-form (RFC 9112 §3.2.2): http and https only, without user info (RFC 9110 §4.2.4). Its authority replaces
/// the Host field's. OPTIONS without path and query stands for "*" (RFC 9112 §3.2.4).
ParseStatus RequestParser::take_absolute_target() {
  const size_t scheme_end = head_.target.find("://");
  const std::string_view scheme = head_.target.substr(0, scheme_end);
  if (scheme_end == std::string_view::npos ||
      (!equals_ignore_case(scheme, "http") && !equals_ignore_case(scheme, "https")))
    return fail(Reason::BadRequest, "invalid form of request-target");
  const size_t host = scheme_end + 3;
  const size_t host_end = authority_end(head_.target, host);
  head_.host = head_.target.substr(host, host_end - host);
  absolute_target_ = true;
  if (!is_valid_authority(head_.host)) return fail(Reason::BadRequest, "invalid authority in request-target");
  const std::string_view path_and_query = head_.target.substr(host_end);
  split_path(path_and_query, std::min(path_and_query.find('?'), path_and_query.size()));
  if (head_.path.empty()) head_.path = head_.method == "OPTIONS" && !head_.has_query ? "*" : "/";
  return ParseStatus::Done;
}

/// `path_size`: of `path_and_query`, up to its first '?' if there is one.
void RequestParser::split_path(std::string_view path_and_query, size_t path_size) {
  head_.path = path_and_query.substr(0, path_size);
  if (path_size == path_and_query.size()) return;
  head_.query = path_and_query.substr(path_size + 1);
  head_.has_query = true;
}

ParseStatus RequestParser::parse_fields(const char* begin, const char* stop) {
  using Step = FieldReader::Step;
  FieldReader reader(begin, stop, cursor_, head_.fields, limits_.max_fields);
  for (;;) {
    const Step step = reader.next();
    if (step != Step::Field) {
      if (step == Step::End) return finish();
      if (step == Step::NeedMore) return ParseStatus::NeedMore;
      return step == Step::TooMany ? fail(Reason::HeadTooLarge, "too many fields")
                                   : fail(Reason::BadRequest, reader.wrong());
    }
    if (take_field(head_.fields.back()) == ParseStatus::Failed) return ParseStatus::Failed;
  }
}

ParseStatus RequestParser::take_field(Field& field) {
  switch (field.id) {
    case FieldId::Host:
      return take_host(field.value);
    case FieldId::ContentLength:
      return take_framing(framing_.add_content_length(field.value));
    case FieldId::TransferEncoding:
      return take_framing(framing_.add_transfer_encoding(field.value, head_.minor_version));
    case FieldId::Connection:
      if (!connection_.add(field.value)) return fail(Reason::HeadTooLarge, "too many connection options");
      return ParseStatus::Done;
    case FieldId::Expect:
      return take_expect(field);
    case FieldId::MaxForwards:
      take_max_forwards(field.value);
      return ParseStatus::Done;
    case FieldId::Te:
      for_each_element(field.value, [this](std::string_view coding) {
        if (equals_ignore_case(coding, "trailers")) head_.te_trailers = true;
      });
      return ParseStatus::Done;
    case FieldId::Trailer:
      field.hop_by_hop = true;  // the trailers that it announces are dropped
      return ParseStatus::Done;
    case FieldId::Upgrade:
      if (head_.upgrade.empty()) head_.upgrade = field.value;
      return ParseStatus::Done;
    default:
      return ParseStatus::Done;
  }
}

ParseStatus RequestParser::take_framing(FramingFields::Verdict verdict) {
  if (verdict == FramingFields::Verdict::Ok) return ParseStatus::Done;
  const bool unsupported = verdict == FramingFields::Verdict::UnsupportedCoding;
  return fail(unsupported ? Reason::TransferCodingUnsupported : Reason::BadFraming, describe(verdict));
}

/// At most one Host field and a valid value, whatever the version and the form of the target (RFC 9112 §3.2).
ParseStatus RequestParser::take_host(std::string_view value) {
  if (has_host_) return fail(Reason::BadHost, "repeated Host");
  if (!is_valid_authority(value)) return fail(Reason::BadHost, "invalid Host");
  has_host_ = true;
  if (!absolute_target_) head_.host = value;
  return ParseStatus::Done;
}

/// 100-continue is the one expectation there is (RFC 9110 §10.1.1). From HTTP/1.0 it is ignored, and not passed on:
/// such a client cannot take the interim response.
ParseStatus RequestParser::take_expect(Field& field) {
  bool known = true;
  for_each_element(field.value, [&](std::string_view expectation) {
    if (!equals_ignore_case(expectation, "100-continue")) {
      known = false;
    } else if (head_.minor_version >= 1) {
      head_.expect_continue = true;
    }
  });
  if (head_.minor_version == 0) field.hop_by_hop = true;
  return known ? ParseStatus::Done : fail(Reason::ExpectationFailed, "unknown expectation");
}

/// RFC 9110 §7.6.2; with other methods, and with anything but a number, it says nothing. Of several the smallest
/// counts.
void RequestParser::take_max_forwards(std::string_view value) {
  uint64_t hops = 0;
  if ((head_.method == "OPTIONS" || head_.method == "TRACE") && parse_content_length(value, hops))
    head_.max_forwards = std::min(head_.max_forwards, hops);
}

/// The rules on the head as a whole: Host (RFC 9112 §3.2), body (§6.3), persistence (§9.3), Upgrade (RFC 9110 §7.8).
ParseStatus RequestParser::finish() {
  if (!has_host_ && head_.minor_version >= 1) return fail(Reason::BadHost, "no Host");
  head_.has_content_length = framing_.has_content_length();
  head_.content_length = framing_.content_length();
  if (framing_.chunked()) {
    head_.body = BodyKind::Chunked;
  } else if (head_.content_length > 0) {
    head_.body = BodyKind::Length;
  }
  head_.keep_alive = connection_.persistent(head_.minor_version);
  head_.te_trailers = head_.te_trailers && head_.minor_version >= 1;
  head_.wants_upgrade = head_.minor_version >= 1 && connection_.upgrade() && is_protocol_list(head_.upgrade);
  connection_.mark_nominated(head_.fields);
  phase_ = Phase::Done;
  return ParseStatus::Done;
}

}  // namespace restgate::http1
