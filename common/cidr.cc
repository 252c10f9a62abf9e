#include "common/cidr.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace restgate {
namespace {

constexpr uint8_t kMappedBits = 96;
constexpr std::array<uint8_t, kMappedBits / 8> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool is_mapped(const IpBytes& address) {
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

bool is_dotted(std::string_view text) {
  return text.find(':') == std::string_view::npos;
}

std::optional<uint8_t> parse_prefix(std::string_view text, uint8_t longest) {
  const bool plain = !text.empty() && text.size() <= 3 && (text.size() == 1 || text.front() != '0');
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (!plain || error != std::errc() || end != text.data() + text.size() || bits > longest) return std::nullopt;
  return static_cast<uint8_t>(bits);
}

/// The byte's part of a mask of `bits` ones.
uint8_t mask_byte(size_t index, uint8_t bits) {
  const int ones = std::clamp(static_cast<int>(bits) - static_cast<int>(index) * 8, 0, 8);
  return static_cast<uint8_t>(0xFF00U >> static_cast<unsigned>(ones));
}

IpBytes masked(IpBytes address, uint8_t bits) {
  for (size_t i = 0; i < address.size(); ++i) address[i] &= mask_byte(i, bits);
  return address;
}

}  // namespace

std::optional<IpBytes> parse_ip(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> literal{};
  if (text.empty() || text.size() >= literal.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  text.copy(literal.data(), text.size());
  IpBytes address{};
  if (is_dotted(text)) {
    std::copy(kMapped.begin(), kMapped.end(), address.begin());
    if (inet_pton(AF_INET, literal.data(), address.data() + kMapped.size()) != 1) return std::nullopt;
  } else if (inet_pton(AF_INET6, literal.data(), address.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

size_t format_ip(const IpBytes& address, platform::AddressText& to) {
  sockaddr_in6 socket_address{};
  socket_address.sin6_family = AF_INET6;
  std::memcpy(&socket_address.sin6_addr, address.data(), address.size());
  return platform::format_address(reinterpret_cast<const sockaddr&>(socket_address), to);
}

Result<Cidr, std::string> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view literal = text.substr(0, slash);
  const auto address = parse_ip(literal);
  if (!address) return std::string("expected an address or a block such as 10.0.0.0/8");
  const uint8_t longest = is_dotted(literal) ? 32 : 128;
  uint8_t bits = longest;
  if (slash != std::string_view::npos) {
    const auto prefix = parse_prefix(text.substr(slash + 1), longest);
    if (!prefix) return "the prefix length must be a number from 0 to " + std::to_string(longest);
    bits = *prefix;
  }
  Cidr block;
  block.bits_ = static_cast<uint8_t>(bits + (longest == 32 ? kMappedBits : 0));
  block.base_ = masked(*address, block.bits_);
  if (block.base_ == *address) return block;
  platform::AddressText base;
  const std::string_view meant(base.data(), format_ip(block.base_, base));
  const int shown = block.bits_ - (is_mapped(block.base_) ? kMappedBits : 0);
  return "has bits set behind its prefix; did you mean '" + std::string(meant) + "/" + std::to_string(shown) + "'?";
}

bool Cidr::contains(const IpBytes& address) const {
  if (bits_ < kMappedBits && is_mapped(address)) return false;
  return masked(address, bits_) == base_;
}

}  // namespace restgate
