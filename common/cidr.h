// IP addresses as plain bytes, and blocks of them in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3). Pure. Any process.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/platform/address.h"
#include "common/result.h"

namespace restgate {

/// An address of either family, in network order; IPv4 as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that both ways to
/// write the same client are equal.
using IpBytes = std::array<uint8_t, 16>;

/// A numeric address without port, brackets or scope. Allocates nothing.
[[nodiscard]] std::optional<IpBytes> parse_ip(std::string_view text);
/// Writes it as the address of a peer is written, IPv4-mapped as IPv4, and returns its length. Allocates nothing.
size_t format_ip(const IpBytes& address, platform::AddressText& to);

class Cidr {
 public:
  /// "10.0.0.0/8", "2001:db8::/32"; an address alone is a block of one. The Error is a sentence: no address, a prefix
  /// that is too long, or bits set behind it (which is mostly a slip, and would mean another block than it says).
  static Result<Cidr, std::string> parse(std::string_view text);

  /// Families are apart: "::/0" is all of IPv6 and no IPv4 address, in whichever way that is written.
  [[nodiscard]] bool contains(const IpBytes& address) const;
  bool operator==(const Cidr&) const = default;

 private:
  IpBytes base_{};
  uint8_t bits_ = 128;  ///< of the IPv6 form
};

}  // namespace restgate
