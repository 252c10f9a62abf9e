#include "worker/proxy_protocol.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

namespace restgate::worker {
namespace {

using platform::Address;
using Verdict = ProxyHeader::Verdict;

constexpr std::string_view kV1Start = "PROXY ";
constexpr size_t kV1Longest = 107;  // §2.1, with CRLF
constexpr std::string_view kV2Start{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr size_t kV2Fixed = 16;

ProxyHeader malformed() {
  return {Verdict::Malformed, 0, {}};
}

bool starts_alike(std::string_view bytes, std::string_view start) {
  const size_t n = std::min(bytes.size(), start.size());
  return bytes.substr(0, n) == start.substr(0, n);
}

/// Takes the next word off; words are parted by exactly one space.
std::string_view next_word(std::string_view& text) {
  const size_t space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

std::optional<uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return {};
  uint32_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port > 65535) return {};
  return static_cast<uint16_t>(port);
}

std::optional<Address> parse_address(std::string_view text, std::optional<uint16_t> port, bool ipv6) {
  if (!port || text.find('%') != std::string_view::npos) return {};
  std::optional<Address> address = Address::parse(std::string(text), *port);
  if (!address || address->is_ipv6() != ipv6) return {};
  return address;
}

/// §2.1: "PROXY TCP4 source destination sport dport\r\n"
ProxyHeader parse_v1(std::string_view bytes) {
  const size_t end = bytes.substr(0, kV1Longest).find("\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() >= kV1Longest || bytes.find('\n') != std::string_view::npos) return malformed();
    return {};
  }
  std::string_view line = bytes.substr(kV1Start.size(), end - kV1Start.size());
  if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) return malformed();
  const std::string_view family = next_word(line);
  if (family == "UNKNOWN") return {Verdict::Done, end + 2, {}};  // whatever follows is ignored
  if (family != "TCP4" && family != "TCP6") return malformed();
  const bool ipv6 = family == "TCP6";
  const std::string_view source = next_word(line);
  const std::string_view destination = next_word(line);
  const std::string_view source_port = next_word(line);
  if (line.find(' ') != std::string_view::npos) return malformed();
  const std::optional<Address> client = parse_address(source, parse_port(source_port), ipv6);
  if (!client || !parse_address(destination, parse_port(line), ipv6)) return malformed();
  return {Verdict::Done, end + 2, client};
}

uint16_t read_be16(const char* at) {
  return static_cast<uint16_t>((static_cast<uint8_t>(at[0]) << 8) | static_cast<uint8_t>(at[1]));
}

/// §2.2: type, length, value, one after the other to the very end.
bool well_formed_tlvs(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const size_t length = 3U + read_be16(bytes.data() + 1);
    if (length > bytes.size()) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

/// §2.2: bytes that both addresses and ports take, by the byte of family and transport. Any other byte is an error.
std::optional<size_t> v2_addresses(uint8_t family) {
  switch (family) {
    case 0x00:
      return 0;
    case 0x11:
    case 0x12:
      return 12;
    case 0x21:
    case 0x22:
      return 36;
    case 0x31:
    case 0x32:
      return 216;
    default:
      return {};
  }
}

std::optional<Address> v2_client(uint8_t family, const char* at) {
  if (family == 0x11) {
    in_addr address{};
    std::memcpy(&address, at, sizeof(address));
    return Address::ipv4(address, read_be16(at + 8));
  }
  if (family == 0x21) {
    in6_addr address{};
    std::memcpy(&address, at, sizeof(address));
    return Address::ipv6(address, read_be16(at + 32));
  }
  return {};  // UNSPEC, datagrams, UNIX sockets: nothing that an access log could name
}

ProxyHeader parse_v2(std::string_view bytes) {
  if (bytes.size() < kV2Fixed) return {};
  const auto version_and_command = static_cast<uint8_t>(bytes[12]);
  const auto family = static_cast<uint8_t>(bytes[13]);
  if (version_and_command != 0x20 && version_and_command != 0x21) return malformed();
  const size_t payload = read_be16(bytes.data() + 14);
  if (kV2Fixed + payload > kMaxProxyHeader) return malformed();
  const bool local = version_and_command == 0x20;  // §2.2: nothing else of it is looked at, the family neither
  const std::optional<size_t> addresses = v2_addresses(family);
  if (!local && (!addresses || payload < *addresses)) return malformed();
  if (bytes.size() < kV2Fixed + payload) return {};
  ProxyHeader header{Verdict::Done, kV2Fixed + payload, {}};
  if (local || family == 0) return header;
  if (!well_formed_tlvs(bytes.substr(kV2Fixed, payload).substr(*addresses))) return malformed();
  header.client = v2_client(family, bytes.data() + kV2Fixed);
  return header;
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (starts_alike(bytes, kV2Start)) return bytes.size() < kV2Start.size() ? ProxyHeader{} : parse_v2(bytes);
  if (starts_alike(bytes, kV1Start)) return bytes.size() < kV1Start.size() ? ProxyHeader{} : parse_v1(bytes);
  return malformed();
}

}  // namespace restgate::worker
