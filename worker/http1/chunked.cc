#include "worker/http1/chunked.h"

#include <algorithm>
#include <limits>

#include "worker/http1/char_class.h"
#include "worker/http1/field_line.h"

namespace restgate::http1 {
namespace {

constexpr uint8_t kMaxSizeDigits = 128;  // leading zeros are legal, if pointless
constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
/// Memory that a decoder may keep from body to body.
constexpr size_t kKeptBytes = 1024;

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

/// Fields that act on framing, routing, the request's handling, authentication or the content's form: a recipient may
/// merge trailers into the head, where they would be obeyed (RFC 9110 §6.5.1, §6.5.2).
bool may_be_trailer(const Field& field) {
  static constexpr std::string_view kNever[] = {"age",
                                                "authorization",
                                                "cache-control",
                                                "content-encoding",
                                                "content-length",
                                                "content-range",
                                                "content-type",
                                                "cookie",
                                                "date",
                                                "expect",
                                                "expires",
                                                "forwarded",
                                                "host",
                                                "http2-settings",
                                                "if-match",
                                                "if-modified-since",
                                                "if-none-match",
                                                "if-range",
                                                "if-unmodified-since",
                                                "location",
                                                "max-forwards",
                                                "pragma",
                                                "range",
                                                "retry-after",
                                                "set-cookie",
                                                "trailer",
                                                "vary",
                                                "via",
                                                "warning",
                                                "www-authenticate"};
  constexpr std::string_view kForwarded = "x-forwarded-";
  if (field.hop_by_hop || equals_ignore_case(field.name.substr(0, kForwarded.size()), kForwarded)) return false;
  return std::none_of(std::begin(kNever), std::end(kNever),
                      [&](std::string_view name) { return equals_ignore_case(field.name, name); });
}

void clear(std::string& text) {
  text.clear();
  if (text.capacity() > kKeptBytes) text.shrink_to_fit();
}

}  // namespace

void ChunkedDecoder::reset() {
  state_ = State::SizeStart;
  digits_ = 0;
  extension_bytes_ = 0;
  extension_excess_ = 0;
  remaining_ = 0;
  trailer_bytes_ = 0;
  trailer_fields_ = 0;
  clear(line_);
  clear(trailers_);
  failure_ = {};
}

ChunkedDecoder::Step ChunkedDecoder::step(const char* begin, const char* end) {
  const char* p = begin;
  if (state_ == State::End) return {Event::End, 0, {}};
  while (p != end && state_ != State::Failed) {
    if (state_ == State::Data) {
      const auto size = static_cast<size_t>(std::min<uint64_t>(remaining_, static_cast<uint64_t>(end - p)));
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::DataCr;
      return {Event::Data, static_cast<size_t>(p - begin) + size, {p, size}};
    }
    if (!take(*p)) break;
    ++p;
    if (state_ == State::End) return {Event::End, static_cast<size_t>(p - begin), {}};
  }
  if (state_ == State::Failed) return {Event::Failed, 0, {}};
  return {Event::NeedMore, static_cast<size_t>(p - begin), {}};
}

bool ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::SizeStart:
    case State::Size:
      return take_size(c);
    case State::BeforeSemicolon:
    case State::NameStart:
    case State::Name:
    case State::AfterName:
    case State::ValueStart:
    case State::Value:
    case State::Quoted:
    case State::QuotedPair:
    case State::AfterQuoted:
      return take_extension(c);
    case State::SizeLf:
      return expect(c, '\n', State::Data) && end_size_line();
    case State::DataCr:
      return expect(c, '\r', State::DataLf);
    case State::DataLf:
      return expect(c, '\n', State::SizeStart);
    case State::TrailerLine:
    case State::TrailerLf:
      return take_trailer(c);
    case State::Data:
    case State::End:
    case State::Failed:
      break;
  }
  return fail("chunk_invalid");
}

/// chunk-size = 1*HEXDIG (RFC 9112 §7.1), here at most 128 of them and below 2^63. White space behind it is refused,
/// unless an extension follows (BWS, which has to be understood: RFC 9110 §5.6.3).
bool ChunkedDecoder::take_size(char c) {
  const int digit = hex_value(c);
  if (digit < 0) return state_ == State::Size ? take_extension_end(c, true) : fail("chunk_size_invalid");
  if (digits_ == kMaxSizeDigits || remaining_ > (kMaxSize >> 4)) return fail("chunk_size_overflow");
  ++digits_;
  remaining_ = remaining_ << 4 | static_cast<uint64_t>(digit);
  state_ = State::Size;
  return true;
}

/// chunk-ext = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] ) (RFC 9112 §7.1.1): checked and ignored.
/// A quoted string that goes over the line's end is where readers of chunks differ.
bool ChunkedDecoder::take_extension(char c) {
  if (++extension_bytes_ > kMaxExtensionBytes) return fail("chunk_extension_too_large");
  switch (state_) {
    case State::NameStart:
      if (is_class(c, kTokenChar)) state_ = State::Name;
      return state_ == State::Name || is_space(c) || fail("chunk_extension_invalid");
    case State::Name:
    case State::AfterName:
      if (state_ == State::Name && is_class(c, kTokenChar)) return true;
      if (c == '=') {
        state_ = State::ValueStart;
        return true;
      }
      if (is_space(c)) {
        state_ = State::AfterName;
        return true;
      }
      return take_extension_end(c, state_ == State::Name);
    case State::ValueStart:
      if (is_space(c)) return true;
      state_ = c == '"' ? State::Quoted : State::Value;
      return c == '"' || is_class(c, kTokenChar) || fail("chunk_extension_invalid");
    case State::Value:
      return is_class(c, kTokenChar) || take_extension_end(c, true);
    case State::Quoted:
      if (c == '"') state_ = State::AfterQuoted;
      if (c == '\\') state_ = State::QuotedPair;
      return state_ != State::Quoted || is_class(c, kQuotedChar) || fail("chunk_extension_invalid");
    case State::QuotedPair:
      state_ = State::Quoted;
      return !is_class(c, kControlChar) || fail("chunk_extension_invalid");
    default:  // BeforeSemicolon, AfterQuoted
      return take_extension_end(c, state_ == State::AfterQuoted);
  }
}

/// The byte behind a size, a name or a value: white space before a further extension, that extension, or the CR.
bool ChunkedDecoder::take_extension_end(char c, bool may_end_line) {
  if (c == '\r' && may_end_line) {
    state_ = State::SizeLf;
  } else if (c == ';') {
    state_ = State::NameStart;
  } else if (is_space(c)) {
    state_ = State::BeforeSemicolon;
  } else {
    return fail(state_ == State::Size ? "chunk_size_invalid" : "chunk_extension_invalid");
  }
  return true;
}

bool ChunkedDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return fail("chunk_line_end_invalid");
  state_ = next;
  return true;
}

bool ChunkedDecoder::end_size_line() {
  const uint64_t excess = extension_excess_ + extension_bytes_;
  const uint64_t credit = remaining_ + 16;
  extension_excess_ = excess > credit ? excess - credit : 0;
  if (extension_excess_ > kMaxExtensionExcess) return fail("chunk_extension_too_large");
  if (remaining_ == 0) state_ = State::TrailerLine;
  digits_ = 0;
  extension_bytes_ = 0;
  return true;
}

/// trailer-section = *( field-line CRLF ), bounded and under the rules of a head's fields (RFC 9112 §7.1.2).
bool ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > limits_.max_head_bytes) return fail("trailer_too_large");
  if (state_ == State::TrailerLf) return expect(c, '\n', State::TrailerLine) && end_trailer_line();
  if (c == '\r') {
    state_ = State::TrailerLf;
    return true;
  }
  if (is_class(c, kControlChar)) return fail("trailer_invalid");
  line_.push_back(c);
  return true;
}

bool ChunkedDecoder::end_trailer_line() {
  if (line_.empty()) {
    state_ = State::End;
    return true;
  }
  if (++trailer_fields_ > limits_.max_fields) return fail("trailer_too_large");
  Field field;
  if (!parse_field_line(line_, field).empty()) return fail("trailer_invalid");
  if (may_be_trailer(field)) trailers_.append(field.name).append(": ").append(field.value).append("\r\n");
  line_.clear();
  return true;
}

bool ChunkedDecoder::fail(std::string_view why) {
  state_ = State::Failed;
  failure_ = why;
  return false;
}

}  // namespace restgate::http1
