#include "worker/http1/field_line.h"

#include <cstring>

namespace restgate::http1 {
namespace {

// Compares eight bytes at a time. Setting bit 5 folds the case: of the token characters, only letters become letters
// and only '-' becomes '-' by it, and the names below hold nothing else.
template <size_t kSize>
bool is(const char* name, const char (&lower)[kSize]) {
  constexpr size_t kLength = kSize - 1;
  constexpr uint64_t kFold = 0x2020202020202020;
  if constexpr (kLength >= 8) {
    for (size_t i = 0; i < kLength; i += 8) {
      const size_t at = i + 8 <= kLength ? i : kLength - 8;
      uint64_t a = 0;
      uint64_t b = 0;
      std::memcpy(&a, name + at, 8);
      std::memcpy(&b, lower + at, 8);
      if ((a | kFold) != b) return false;
    }
    return true;
  } else {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, name, kLength);
    std::memcpy(&b, lower, kLength);
    return (a | (kFold & (~uint64_t{0} >> (64 - 8 * kLength)))) == b;
  }
}

}  // namespace

FieldId classify_field(std::string_view name) {
  const char* n = name.data();
  switch (name.size()) {
    case 2:
      return is(n, "te") ? FieldId::Te : FieldId::Other;
    case 3:
      return is(n, "via") ? FieldId::Via : FieldId::Other;
    case 4:
      return is(n, "host") ? FieldId::Host : is(n, "date") ? FieldId::Date : FieldId::Other;
    case 6:
      return is(n, "accept") ? FieldId::Accept : is(n, "expect") ? FieldId::Expect : FieldId::Other;
    case 7:
      return is(n, "upgrade") ? FieldId::Upgrade : is(n, "trailer") ? FieldId::Trailer : FieldId::Other;
    case 10:
      return is(n, "connection")   ? FieldId::Connection
             : is(n, "user-agent") ? FieldId::UserAgent
             : is(n, "keep-alive") ? FieldId::KeepAlive
                                   : FieldId::Other;
    case 12:
      return is(n, "x-request-id") ? FieldId::XRequestId : FieldId::Other;
    case 14:
      return is(n, "content-length") ? FieldId::ContentLength : FieldId::Other;
    case 15:
      return is(n, "x-forwarded-for") ? FieldId::XForwardedFor : FieldId::Other;
    case 16:
      return is(n, "x-forwarded-host")   ? FieldId::XForwardedHost
             : is(n, "proxy-connection") ? FieldId::ProxyConnection
                                         : FieldId::Other;
    case 17:
      return is(n, "transfer-encoding")   ? FieldId::TransferEncoding
             : is(n, "x-forwarded-proto") ? FieldId::XForwardedProto
             : is(n, "sec-websocket-key") ? FieldId::SecWebSocketKey
                                          : FieldId::Other;
    case 18:
      return is(n, "proxy-authenticate") ? FieldId::ProxyAuthenticate : FieldId::Other;
    case 19:
      return is(n, "proxy-authorization") ? FieldId::ProxyAuthorization : FieldId::Other;
    case 25:
      return is(n, "proxy-authentication-info") ? FieldId::ProxyAuthenticationInfo : FieldId::Other;
    default:
      return FieldId::Other;
  }
}

}  // namespace restgate::http1
