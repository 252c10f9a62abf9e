// Who the client is when proxies stand before us: which peers are believed, and what X-Forwarded-For then says. Worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/platform/address.h"
#include "config/model.h"
#include "worker/http1/head.h"

namespace restgate::worker {

/// What X-Forwarded-* of a peer are worth.
enum class PeerTrust : uint8_t {
  Unset,      ///< no trusted_proxies: X-Forwarded-For is added to, whoever it is
  Untrusted,  ///< all are replaced by our own
  Trusted,    ///< they are kept, and X-Forwarded-For tells the client
};

/// Of the peer of a connection, by its numeric address.
[[nodiscard]] PeerTrust trust_of(std::string_view address, const config::Config& config);

/// The rightmost address of X-Forwarded-For that is no trusted proxy's; of a list of trusted ones alone, the leftmost.
/// What is no address ends the search, since whoever wrote it is not believed further: what was found so far counts.
/// `peer`: who is trusted. The result is `peer`, or stands in `space`, written as a peer's would be. Allocates nothing.
[[nodiscard]] std::string_view original_client(const http1::RequestHead& head, std::string_view peer,
                                               const config::Config& config, platform::AddressText& space);

}  // namespace restgate::worker
