#include "worker/request_identity.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace restgate::worker {
namespace {

using http1::Field;
using http1::FieldId;

constexpr size_t kLongestRequestId = 128;
constexpr size_t kTraceId = 32;
constexpr size_t kSpanId = 16;
// Where the parts of a traceparent stand: version 2, trace id 32, parent's id 16, flags 2, a '-' between each.
constexpr size_t kTraceIdAt = 3;
constexpr size_t kParentAt = kTraceIdAt + kTraceId + 1;
constexpr size_t kFlagsAt = kParentAt + kSpanId + 1;

constexpr std::array<bool, 256> kIdCharacters = [] {
  std::array<bool, 256> good{};
  for (const char c : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~+/=:@-"))
    good[static_cast<uint8_t>(c)] = true;
  return good;
}();

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

/// The value of the one field of this kind that a head has. Of several, nobody knows which is meant: none.
class Only {
 public:
  void add(std::string_view value) { value_ = std::exchange(seen_, true) ? std::string_view() : value; }
  [[nodiscard]] std::string_view value() const { return value_; }

 private:
  std::string_view value_;
  bool seen_ = false;
};

}  // namespace

bool is_request_id(std::string_view value) {
  return !value.empty() && value.size() <= kLongestRequestId &&
         std::all_of(value.begin(), value.end(), [](char c) { return kIdCharacters[static_cast<uint8_t>(c)]; });
}

// W3C Trace Context §3.2: lower case; no id is all zeros; version ff is none; a later version may have more behind it.
std::optional<TraceParent> parse_traceparent(std::string_view value) {
  constexpr size_t kSize = kFlagsAt + 2;
  if (value.size() < kSize || value[2] != '-' || value[kParentAt - 1] != '-' || value[kFlagsAt - 1] != '-')
    return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  const std::string_view trace_id = value.substr(kTraceIdAt, kTraceId);
  const std::string_view parent = value.substr(kParentAt, kSpanId);
  const std::string_view flags = value.substr(kFlagsAt, 2);
  if (!is_hex(version) || !is_hex(trace_id) || !is_hex(parent) || !is_hex(flags) || version == "ff")
    return std::nullopt;
  if (is_zero(trace_id) || is_zero(parent)) return std::nullopt;
  if (version == "00") return value.size() == kSize ? std::optional(TraceParent{trace_id, flags}) : std::nullopt;
  if (value.size() > kSize && value[kSize] != '-') return std::nullopt;
  const auto digit = static_cast<unsigned>(flags[1] <= '9' ? flags[1] - '0' : flags[1] - 'a' + 10);
  return TraceParent{trace_id, (digit & 1U) != 0 ? std::string_view("01") : std::string_view("00")};
}

void RequestIdentity::begin() {
  known_ = true;
  pass_trace_ = false;
  request_id_ = trace_id_ = own_traceparent_ = {};
}

void RequestIdentity::make_request_id(IdSource& ids, int64_t now_ms) {
  ids.write_uuid(uuid_.data(), now_ms);
  request_id_ = {uuid_.data(), uuid_.size()};
}

void RequestIdentity::make(const config::Config& config, IdSource& ids, int64_t now_ms) {
  begin();
  if (config.request_id) make_request_id(ids, now_ms);
}

void RequestIdentity::take(const http1::RequestHead& head, const config::Config& config, IdSource& ids,
                           int64_t now_ms) {
  begin();
  Only request_id;
  Only traceparent;
  for (const Field& field : head.fields) {
    if (field.hop_by_hop) continue;  // meant for us alone
    if (field.id == FieldId::XRequestId) request_id.add(field.value);
    if (field.id == FieldId::Traceparent) traceparent.add(field.value);
  }
  if (config.request_id) {
    if (is_request_id(request_id.value()))
      request_id_ = request_id.value();
    else
      make_request_id(ids, now_ms);
  }
  if (config.tracing || !traceparent.value().empty()) take_trace(traceparent.value(), config.tracing, ids);
}

void RequestIdentity::take_trace(std::string_view traceparent, bool tracing, IdSource& ids) {
  const std::optional<TraceParent> parent = parse_traceparent(traceparent);
  pass_trace_ = parent.has_value();
  if (parent) trace_id_ = parent->trace_id;
  if (!tracing) return;
  char* const to = traceparent_.data();
  std::memcpy(to, "00-", kTraceIdAt);
  if (parent) {
    std::memcpy(to + kTraceIdAt, parent->trace_id.data(), kTraceId);
  } else {
    ids.write_span_id(to + kTraceIdAt);
    ids.write_span_id(to + kTraceIdAt + kSpanId);
  }
  to[kParentAt - 1] = to[kFlagsAt - 1] = '-';
  ids.write_span_id(to + kParentAt);
  // Who asks for traces wants to see them: one that begins here is sampled.
  std::memcpy(to + kFlagsAt, parent ? parent->flags.data() : "01", 2);
  own_traceparent_ = {traceparent_.data(), traceparent_.size()};
  trace_id_ = own_traceparent_.substr(kTraceIdAt, kTraceId);
}

}  // namespace restgate::worker
