#include "worker/http1/field_line.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "worker/http1/byte_scan.h"
#include "worker/http1/char_class.h"

namespace restgate::http1 {
namespace {

struct KnownField {
  std::string_view name;
  FieldId id = FieldId::Other;
};

/// Letters and '-' only, in lower case, two at least: what same_name() relies on.
constexpr KnownField kKnownFields[] = {
    {"accept", FieldId::Accept},
    {"connection", FieldId::Connection},
    {"content-length", FieldId::ContentLength},
    {"date", FieldId::Date},
    {"expect", FieldId::Expect},
    {"host", FieldId::Host},
    {"keep-alive", FieldId::KeepAlive},
    {"max-forwards", FieldId::MaxForwards},
    {"proxy-authenticate", FieldId::ProxyAuthenticate},
    {"proxy-authentication-info", FieldId::ProxyAuthenticationInfo},
    {"proxy-authorization", FieldId::ProxyAuthorization},
    {"proxy-connection", FieldId::ProxyConnection},
    {"sec-websocket-key", FieldId::SecWebSocketKey},
    {"te", FieldId::Te},
    {"traceparent", FieldId::Traceparent},
    {"tracestate", FieldId::Tracestate},
    {"trailer", FieldId::Trailer},
    {"transfer-encoding", FieldId::TransferEncoding},
    {"upgrade", FieldId::Upgrade},
    {"user-agent", FieldId::UserAgent},
    {"via", FieldId::Via},
    {"x-forwarded-for", FieldId::XForwardedFor},
    {"x-forwarded-host", FieldId::XForwardedHost},
    {"x-forwarded-proto", FieldId::XForwardedProto},
    {"x-request-id", FieldId::XRequestId},
};

constexpr size_t kSlots = 64;

struct Slot {
  const char* name = "";
  uint8_t size = 0;
  FieldId id = FieldId::Other;
  bool hop_by_hop = false;
  bool matters = false;  ///< to parsers of heads
};

/// Where a name is kept: by its length, its first and its last letter. Of these only the lowest three bits count, which
/// are the same in any case. Each known name has its own slot.
constexpr size_t slot_of(std::string_view name) {
  const size_t first = static_cast<uint8_t>(name.front());
  const size_t last = static_cast<uint8_t>(name.back());
  return (name.size() + 8 * (last - first)) % kSlots;
}

struct Slots {
  std::array<Slot, kSlots> table{};
  bool perfect = true;
};

constexpr Slots make_slots() {
  Slots slots;
  for (const KnownField& field : kKnownFields) {
    Slot& slot = slots.table[slot_of(field.name)];
    slots.perfect = slots.perfect && slot.size == 0;
    slot = {field.name.data(), static_cast<uint8_t>(field.name.size()), field.id, is_hop_by_hop(field.id),
            matters(field.id)};
  }
  return slots;
}

constexpr Slots kFieldSlots = make_slots();
static_assert(kFieldSlots.perfect, "two known fields share a slot: change slot_of()");

/// A word at a time; the last one may overlap those before. `size` is not below that of a word.
///
/// Setting bit 5 folds the case: of all bytes but control characters, only letters become letters and only '-' becomes
/// '-' by it.
template <typename Word>
bool same_words(const char* name, const char* lower, size_t size) {
  constexpr auto kFold = static_cast<Word>(0x2020202020202020);
  const auto same = [name, lower](size_t at) {
    Word a = 0;
    Word b = 0;
    std::memcpy(&a, name + at, sizeof a);
    std::memcpy(&b, lower + at, sizeof b);
    return (a | kFold) == b;
  };
  const size_t last = size - sizeof(Word);
  for (size_t at = 0; at < last; at += sizeof(Word))
    if (!same(at)) return false;
  return same(last);
}

bool is_name_of(const Slot& slot, std::string_view name) {
  const size_t size = name.size();
  if (slot.size != size) return false;
  if (size >= sizeof(uint64_t)) return same_words<uint64_t>(name.data(), slot.name, size);
  if (size >= sizeof(uint32_t)) return same_words<uint32_t>(name.data(), slot.name, size);
  return same_words<uint16_t>(name.data(), slot.name, size);
}

constexpr Slot kUnknown;

/// What is known of `name`.
inline const Slot& find_slot(std::string_view name) {
  const Slot& slot = kFieldSlots.table[slot_of(name)];
  return is_name_of(slot, name) ? slot : kUnknown;
}

/// The value between the colon and the end of a line: without the white space around it. There are no control
/// characters but HTAB in a line.
inline std::string_view trim(const char* colon, const char* end) {
  const auto is_space = [](char c) { return static_cast<uint8_t>(c) <= ' '; };
  const char* first = colon + 1;
  while (is_space(end[-1])) --end;  // the colon is none
  while (first != end && is_space(*first)) ++first;
  return {first, static_cast<size_t>(end - first)};
}

/// What is wrong with a line that does not begin with a name and a ':'.
[[gnu::cold]] std::string_view describe_wrong_name(std::string_view line) {
  const char* const end = line.data() + line.size();
  const char* const name_end = skip_class(line.data(), end, kTokenChar);
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  if (is_space(line.front())) return "folded field line";
  if (name_end != end && is_space(*name_end)) return "white space in or after a field name";
  return "invalid field name";
}

/// The first byte of [p, end) that is no token character; `end` if there is none.
inline const char* skip_token(const char* floor, const char* p, const char* end) {
  p = find_first<NoLetters>(floor, p, end);
  return p == end || *p == ':' ? p : skip_class(p, end, kTokenChar);
}

}  // namespace

FieldId classify_field(std::string_view name) {
  return find_slot(name).id;
}

std::string_view parse_field_line(std::string_view line, Field& field) {
  const char* const begin = line.data();
  const char* const end = begin + line.size();
  const char* const colon = skip_token(begin, begin, end);
  if (colon == end || *colon != ':' || colon == begin) return describe_wrong_name(line);
  field.name = {begin, static_cast<size_t>(colon - begin)};
  field.value = trim(colon, end);
  const Slot& known = find_slot(field.name);
  field.id = known.id;
  field.hop_by_hop = known.hop_by_hop;
  return {};
}

FieldReader::Step FieldReader::next() {
  if (scan_ > line_ && !find_line_end(scan_)) [[unlikely]]
    return judge_line_end();
  const char* const stop = stop_;
  for (const char* line = line_;;) {
    if (is_crlf(line, stop)) [[unlikely]] {
      line_ = line + 2;
      return Step::End;
    }
    const char* colon = find_first<NoLetters>(begin_, line, stop);
    if (colon == line || colon == stop || *colon != ':') [[unlikely]] {
      colon = skip_class(colon, stop, kTokenChar);
      if (colon == line || colon == stop || *colon != ':') return take_line_without_name(line);
    }
    const char* const end = find_first<ControlBytes>(begin_, colon + 1, stop);
    if (!is_crlf(end, stop)) [[unlikely]] {
      line_ = line;
      scan_ = end;
      return judge_line_end();
    }
    if (room_-- == 0) [[unlikely]] {
      line_ = end + 2;
      return Step::TooMany;
    }
    const std::string_view name(line, static_cast<size_t>(colon - line));
    const Slot& known = find_slot(name);
    fields_.push_back({name, trim(colon, end), known.id, known.hop_by_hop});
    line = end + 2;
    if (known.matters) {
      line_ = line;
      return Step::Field;
    }
  }
}

bool FieldReader::find_line_end(const char* from) {
  scan_ = find_first<ControlBytes>(begin_, from, stop_);
  return is_crlf(scan_, stop_);
}

FieldReader::Step FieldReader::judge_line_end() {
  const LineStatus status = judge(scan_, stop_);
  wrong_ = describe(status);
  return status == LineStatus::Incomplete ? Step::NeedMore : Step::Wrong;
}

FieldReader::Step FieldReader::take_line_without_name(const char* begin) {
  line_ = begin;
  if (!find_line_end(line_)) return judge_line_end();
  const std::string_view line(line_, static_cast<size_t>(scan_ - line_));
  line_ = scan_ + 2;
  if (room_ == 0) return Step::TooMany;
  wrong_ = describe_wrong_name(line);
  return Step::Wrong;
}

}  // namespace restgate::http1
