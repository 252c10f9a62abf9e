#include "worker/http1/authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "worker/http1/char_class.h"

namespace restgate::http1 {
namespace {

bool is_ipv6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> copy;
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return false;
  *std::copy(text.begin(), text.end(), copy.begin()) = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, copy.data(), &address) == 1;
}

// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ), without its brackets.
bool is_ip_future(std::string_view text) {
  if (text.empty() || (text[0] | 0x20) != 'v') return false;
  const size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 1 || dot + 1 == text.size()) return false;
  return std::all_of(text.begin() + 1, text.begin() + static_cast<ptrdiff_t>(dot),
                     [](char c) { return hex_value(c) >= 0; }) &&
         std::all_of(text.begin() + static_cast<ptrdiff_t>(dot) + 1, text.end(),
                     [](char c) { return c == ':' || is_class(c, kRegNameChar); });
}

// Behind the IPv6 or IPvFuture address in brackets that begins `text`; nullptr if it is none. Rare: kept apart from the
// others, which need no memory for a copy.
[[gnu::noinline]] const char* skip_ip_literal(std::string_view text) {
  const size_t bracket = text.find(']');
  if (bracket == std::string_view::npos) return nullptr;
  const std::string_view address = text.substr(1, bracket - 1);
  return is_ipv6(address) || is_ip_future(address) ? text.data() + bracket + 1 : nullptr;
}

// Behind the reg-name at `p`; nullptr if an escape in it is bad. An escape of a space or a control character is one.
const char* skip_reg_name(const char* p, const char* end) {
  for (;;) {
    p = skip_class(p, end, kRegNameChar);
    if (p == end || *p != '%') return p;
    if (end - p < 3 || hex_value(p[1]) < 0 || hex_value(p[2]) < 0) return nullptr;
    const int byte = hex_value(p[1]) * 16 + hex_value(p[2]);
    if (byte <= 0x20 || byte == 0x7F) return nullptr;
    p += 3;
  }
}

bool is_port(const char* p, const char* end) {
  if (end - p > 5) return false;
  uint32_t port = 0;
  for (; p != end; ++p) {
    if (!is_digit(*p)) return false;
    port = port * 10 + static_cast<uint32_t>(*p - '0');
  }
  return port <= 65535;
}

}  // namespace

bool is_valid_authority(std::string_view text) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (begin == end) return false;
  const char* const host_end = *begin == '[' ? skip_ip_literal(text) : skip_reg_name(begin, end);
  if (host_end == nullptr || host_end == begin) return false;
  if (host_end == end) return true;
  return *host_end == ':' && is_port(host_end + 1, end);
}

}  // namespace restgate::http1
