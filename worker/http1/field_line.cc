#include "worker/http1/field_line.h"

#include <array>
#include <cstddef>
#include <cstring>

namespace restgate::http1 {
namespace {

struct KnownField {
  std::string_view name;
  FieldId id = FieldId::Other;
};

/// Letters and '-' only, in lower case: what same_name() relies on.
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

/// Where a name is kept: by its length, its first and its last letter, in any case. Each known one has its own slot.
constexpr size_t slot_of(std::string_view name) {
  const auto fold = [](char c) { return static_cast<size_t>(static_cast<uint8_t>(c) | 0x20); };
  return (name.size() + 11 * fold(name.front()) + 4 * fold(name.back())) % kSlots;
}

struct Slots {
  std::array<KnownField, kSlots> table{};
  bool perfect = true;
};

constexpr Slots make_slots() {
  Slots slots;
  for (const KnownField& field : kKnownFields) {
    KnownField& slot = slots.table[slot_of(field.name)];
    slots.perfect = slots.perfect && slot.name.empty();
    slot = field;
  }
  return slots;
}

constexpr Slots kFieldSlots = make_slots();
static_assert(kFieldSlots.perfect, "two known fields share a slot: change slot_of()");

/// Setting bit 5 folds the case: of all token characters, only letters become letters and only '-' becomes '-' by it.
bool same_name(const char* name, const char* lower, size_t size) {
  constexpr uint64_t kFold = 0x2020202020202020;
  uint64_t a = 0;
  uint64_t b = 0;
  if (size < sizeof a) {
    for (size_t i = 0; i < size; ++i)
      if ((name[i] | 0x20) != lower[i]) return false;
    return true;
  }
  // Eight bytes at a time; the last eight may overlap those before.
  for (size_t at = 0;; at = at + 2 * sizeof a <= size ? at + sizeof a : size - sizeof a) {
    std::memcpy(&a, name + at, sizeof a);
    std::memcpy(&b, lower + at, sizeof b);
    if ((a | kFold) != b) return false;
    if (at + sizeof a == size) return true;
  }
}

}  // namespace

FieldId classify_field(std::string_view name) {
  const KnownField& known = kFieldSlots.table[slot_of(name)];
  if (known.name.size() != name.size() || !same_name(name.data(), known.name.data(), name.size()))
    return FieldId::Other;
  return known.id;
}

}  // namespace restgate::http1
