// Address: an IPv4 or IPv6 address with a port, as the socket calls take it. A value of 28 bytes. Any process.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace restgate::platform {

/// Room for any address in text (INET6_ADDRSTRLEN).
using AddressText = std::array<char, 46>;

/// Writes the numeric address, without port, brackets or scope, and returns its length. An IPv4 client of a dual-stack
/// socket ("::ffff:192.0.2.1") is written as "192.0.2.1"; what is no Internet address as "-". Allocates nothing.
size_t format_address(const sockaddr& address, AddressText& to);

class Address {
 public:
  Address() : ipv6_{} {}
  static Address ipv4(const in_addr& address, uint16_t port);
  static Address ipv6(const in6_addr& address, uint16_t port, uint32_t scope_id = 0);
  /// A numeric address: "192.0.2.1", "2001:db8::1", "fe80::1%eth0". Nothing else is accepted; no brackets.
  static std::optional<Address> parse(const std::string& literal, uint16_t port);
  /// Of an Internet socket address; nothing for other families.
  static std::optional<Address> from(const sockaddr& address);

  [[nodiscard]] const sockaddr* get() const { return &any_; }
  [[nodiscard]] socklen_t length() const { return is_ipv6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  [[nodiscard]] bool is_ipv6() const { return any_.sa_family == AF_INET6; }
  [[nodiscard]] uint16_t port() const { return ntohs(is_ipv6() ? ipv6_.sin6_port : ipv4_.sin_port); }
  void set_port(uint16_t port);
  /// "192.0.2.1:80", "[2001:db8::1]:80": for messages.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Address& a, const Address& b);

 private:
  union {
    sockaddr any_;
    sockaddr_in ipv4_;
    sockaddr_in6 ipv6_;
  };
};

}  // namespace restgate::platform
