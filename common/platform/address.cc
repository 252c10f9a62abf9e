#include "common/platform/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <cstring>

namespace restgate::platform {
namespace {

size_t format_ipv4(const unsigned char* bytes, char* to) {
  char* at = to;
  for (int i = 0; i < 4; ++i) {
    if (i != 0) *at++ = '.';
    const unsigned value = bytes[i];
    if (value >= 100) *at++ = static_cast<char>('0' + value / 100);
    if (value >= 10) *at++ = static_cast<char>('0' + value / 10 % 10);
    *at++ = static_cast<char>('0' + value % 10);
  }
  return static_cast<size_t>(at - to);
}

}  // namespace

size_t format_address(const sockaddr& address, AddressText& to) {
  if (address.sa_family == AF_INET) {
    const auto& ipv4 = reinterpret_cast<const sockaddr_in&>(address);
    return format_ipv4(reinterpret_cast<const unsigned char*>(&ipv4.sin_addr), to.data());
  }
  if (address.sa_family == AF_INET6) {
    const auto& ipv6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) return format_ipv4(ipv6.sin6_addr.s6_addr + 12, to.data());
    if (inet_ntop(AF_INET6, &ipv6.sin6_addr, to.data(), INET6_ADDRSTRLEN) != nullptr) return std::strlen(to.data());
  }
  to[0] = '-';
  return 1;
}

Address Address::ipv4(const in_addr& address, uint16_t port) {
  Address result;
  result.ipv4_ = {};
  result.ipv4_.sin_family = AF_INET;
  result.ipv4_.sin_addr = address;
  result.ipv4_.sin_port = htons(port);
  return result;
}

Address Address::ipv6(const in6_addr& address, uint16_t port, uint32_t scope_id) {
  Address result;
  result.ipv6_.sin6_family = AF_INET6;
  result.ipv6_.sin6_addr = address;
  result.ipv6_.sin6_port = htons(port);
  result.ipv6_.sin6_scope_id = scope_id;
  return result;
}

std::optional<Address> Address::parse(const std::string& literal, uint16_t port) {
  in_addr four{};
  if (inet_pton(AF_INET, literal.c_str(), &four) == 1) return ipv4(four, port);
  in6_addr six{};
  const size_t percent = literal.find('%');
  if (inet_pton(AF_INET6, literal.substr(0, percent).c_str(), &six) != 1) return std::nullopt;
  if (percent == std::string::npos) return ipv6(six, port);
  const unsigned scope = if_nametoindex(literal.c_str() + percent + 1);
  if (scope == 0) return std::nullopt;
  return ipv6(six, port, scope);
}

std::optional<Address> Address::from(const sockaddr& address) {
  Address result;
  if (address.sa_family == AF_INET)
    std::memcpy(&result.ipv4_, &address, sizeof(sockaddr_in));
  else if (address.sa_family == AF_INET6)
    std::memcpy(&result.ipv6_, &address, sizeof(sockaddr_in6));
  else
    return std::nullopt;
  return result;
}

void Address::set_port(uint16_t port) {
  if (is_ipv6())
    ipv6_.sin6_port = htons(port);
  else
    ipv4_.sin_port = htons(port);
}

std::string Address::to_string() const {
  AddressText text;
  const std::string_view host(text.data(), format_address(any_, text));
  const bool brackets = host.find(':') != std::string_view::npos;
  std::string result;
  if (brackets) result += '[';
  result += host;
  if (brackets) result += ']';
  return result + ':' + std::to_string(port());
}

bool operator==(const Address& a, const Address& b) {
  if (a.any_.sa_family != b.any_.sa_family || a.port() != b.port()) return false;
  if (!a.is_ipv6()) return a.ipv4_.sin_addr.s_addr == b.ipv4_.sin_addr.s_addr;
  return std::memcmp(&a.ipv6_.sin6_addr, &b.ipv6_.sin6_addr, sizeof(in6_addr)) == 0 &&
         a.ipv6_.sin6_scope_id == b.ipv6_.sin6_scope_id;
}

}  // namespace restgate::platform
