// PROXY protocol, versions 1 and 2: who the client is, told by a balancer in front before its first byte. Worker.
//
// Source: "The PROXY protocol, Versions 1 & 2" (proxy-protocol.txt). Strict: what is not exactly of its form is
// refused, and the connection with it, since whoever speaks first on such a port is trusted with the client's address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/platform/address.h"

namespace restgate::worker {

struct ProxyHeader {
  enum class Verdict : uint8_t { NeedMore, Done, Malformed };
  Verdict verdict = Verdict::NeedMore;
  size_t length = 0;  ///< Done: bytes of the header
  /// Done: the client's address. Nothing: the connection's own counts (LOCAL, UNKNOWN, or a family that is not
  /// Internet).
  std::optional<platform::Address> client;
};

/// The longest header that is taken: version 2 with room for its TLVs.
inline constexpr size_t kMaxProxyHeader = 4096;

/// Looks at all bytes that the connection has brought so far.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace restgate::worker
