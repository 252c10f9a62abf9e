// The reference for parse_proxy_header(): judges a header that is there as a whole, by the text of the specification
// ("The PROXY protocol, Versions 1 & 2") and with no thought of speed.
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <optional>
#include <regex>
#include <string>

#include "worker/proxy_protocol.h"

namespace restgate::worker::reference {

struct WholeHeader {
  size_t length = 0;
  std::string client;  ///< "192.0.2.1:80", "[2001:db8::1]:80"; "": the connection's own
};

inline std::string numeric(int family, const void* bytes, unsigned port) {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family, bytes, text, sizeof(text));
  std::string host = text;
  if (host.starts_with("::ffff:") && host.find('.') != std::string::npos) host.erase(0, 7);
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port);
}

/// §2.1. Nothing: `input` does not begin with a line of version 1.
inline std::optional<WholeHeader> version_1(const std::string& input) {
  const size_t end = input.find("\r\n");
  if (end == std::string::npos || end + 2 > 107) return {};
  const std::string line = input.substr(0, end);
  if (line.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) return {};
  if (line == "PROXY UNKNOWN" || line.starts_with("PROXY UNKNOWN ")) return WholeHeader{end + 2, ""};
  static const std::regex kForm("PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]*) (0|[1-9][0-9]*)");
  std::smatch words;
  if (!std::regex_match(line, words, kForm) || words.length(4) > 5 || words.length(5) > 5) return {};
  const int family = words.str(1) == "4" ? AF_INET : AF_INET6;
  in6_addr source{};
  in6_addr destination{};
  if (inet_pton(family, words.str(2).c_str(), &source) != 1) return {};
  if (inet_pton(family, words.str(3).c_str(), &destination) != 1) return {};
  const unsigned long port = std::stoul(words.str(4));
  if (port > 65535 || std::stoul(words.str(5)) > 65535) return {};
  return WholeHeader{end + 2, numeric(family, &source, static_cast<unsigned>(port))};
}

inline size_t number_at(const std::string& bytes, size_t at) {
  return static_cast<uint8_t>(bytes[at]) * 256U + static_cast<uint8_t>(bytes[at + 1]);
}

/// §2.2. Nothing: `input` does not begin with a header of version 2.
inline std::optional<WholeHeader> version_2(const std::string& input) {
  if (input.size() < 16 || input.substr(0, 12) != std::string("\r\n\r\n\0\r\nQUIT\n", 12)) return {};
  const size_t length = 16 + number_at(input, 14);
  if (length > kMaxProxyHeader || input.size() < length) return {};
  if (input[12] == '\x20') return WholeHeader{length, ""};
  if (input[12] != '\x21') return {};
  const int family = static_cast<uint8_t>(input[13]) / 16;
  const int transport = static_cast<uint8_t>(input[13]) % 16;
  if (family == 0 && transport == 0) return WholeHeader{length, ""};
  if (family < 1 || family > 3 || transport < 1 || transport > 2) return {};
  const size_t addresses = family == 1 ? 12 : family == 2 ? 36 : 216;
  size_t at = 16 + addresses;
  if (at > length) return {};
  for (; at < length; at += 3 + number_at(input, at + 1))
    if (at + 3 > length) return {};
  if (at != length) return {};
  if (transport != 1 || family == 3) return WholeHeader{length, ""};
  const size_t port_at = family == 1 ? 16 + 8 : 16 + 32;
  const auto port = static_cast<unsigned>(number_at(input, port_at));
  return WholeHeader{length, numeric(family == 1 ? AF_INET : AF_INET6, input.data() + 16, port)};
}

/// The header at the beginning of `input`, if it is there completely and nothing is wrong with it.
inline std::optional<WholeHeader> whole_header(const std::string& input) {
  return input.starts_with("P") ? version_1(input) : version_2(input);
}

}  // namespace restgate::worker::reference
