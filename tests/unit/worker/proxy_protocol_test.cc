#include "worker/proxy_protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "worker/reference_proxy_header.h"

namespace restgate::worker {
namespace {

using Verdict = ProxyHeader::Verdict;
using namespace std::string_literals;

const std::string kV2 = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kIpv4Block = "\xC0\x00\x02\x01\xC0\x00\x02\x02\x30\x39\x00\x50"s;  // 192.0.2.1:12345 → 192.0.2.2:80

std::string v2(char command, char family, const std::string& payload) {
  const auto size = static_cast<uint16_t>(payload.size());
  return kV2 + command + family + static_cast<char>(size >> 8) + static_cast<char>(size & 0xFF) + payload;
}

struct Case {
  std::string name;
  std::string header;
  Verdict verdict;
  std::string client;  // "": the connection's own
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      // §2.1, version 1
      {"v1 IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 12345 80\r\n", Verdict::Done, "192.0.2.1:12345"},
      {"v1 IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n", Verdict::Done, "[2001:db8::1]:1"},
      {"v1 unknown", "PROXY UNKNOWN\r\n", Verdict::Done, ""},
      {"v1 unknown with more", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", Verdict::Done, ""},
      {"v1 port 0", "PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", Verdict::Done, "192.0.2.1:0"},
      {"v1 family does not fit", "PROXY TCP4 ::1 ::1 1 2\r\n", Verdict::Malformed, ""},
      {"v1 family does not fit 6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", Verdict::Malformed, ""},
      {"v1 unknown family", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", Verdict::Malformed, ""},
      {"v1 two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", Verdict::Malformed, ""},
      {"v1 trailing space", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", Verdict::Malformed, ""},
      {"v1 a word too many", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", Verdict::Malformed, ""},
      {"v1 a word missing", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", Verdict::Malformed, ""},
      {"v1 port too large", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 80\r\n", Verdict::Malformed, ""},
      {"v1 leading zero", "PROXY TCP4 192.0.2.1 192.0.2.2 01 80\r\n", Verdict::Malformed, ""},
      {"v1 signed port", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 80\r\n", Verdict::Malformed, ""},
      {"v1 bad address", "PROXY TCP4 192.0.2 192.0.2.2 1 80\r\n", Verdict::Malformed, ""},
      {"v1 zone id", "PROXY TCP6 fe80::1%lo ::1 1 80\r\n", Verdict::Malformed, ""},
      {"v1 lower case", "PROXY tcp4 192.0.2.1 192.0.2.2 1 80\r\n", Verdict::Malformed, ""},
      {"v1 bare LF", "PROXY TCP4 192.0.2.1 192.0.2.2 1 80\n", Verdict::Malformed, ""},
      {"v1 CR inside", "PROXY UNKNOWN\rx\r\n", Verdict::Malformed, ""},
      {"v1 too long", "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n", Verdict::Malformed, ""},
      {"v1 longest", "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n", Verdict::Done, ""},
      // §2.2, version 2
      {"v2 IPv4", v2('\x21', '\x11', kIpv4Block), Verdict::Done, "192.0.2.1:12345"},
      {"v2 IPv6",
       v2('\x21', '\x21',
          "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s + std::string(16, '\0') + "\x00\x07\x00\x50"s),
       Verdict::Done, "[2001:db8::1]:7"},
      {"v2 IPv4 with TLVs", v2('\x21', '\x11', kIpv4Block + "\x04\x00\x02xy\xEA\x00\x00"s), Verdict::Done,
       "192.0.2.1:12345"},
      {"v2 local", v2('\x20', '\x00', ""), Verdict::Done, ""},
      {"v2 local with addresses", v2('\x20', '\x11', kIpv4Block), Verdict::Done, ""},
      {"v2 local of an unknown family", v2('\x20', '\x77', "anything"), Verdict::Done, ""},
      {"v2 unspecified", v2('\x21', '\x00', "anything"), Verdict::Done, ""},
      {"v2 UNIX", v2('\x21', '\x31', std::string(216, 'u')), Verdict::Done, ""},
      {"v2 datagram", v2('\x21', '\x12', kIpv4Block), Verdict::Done, ""},
      {"v2 block too short", v2('\x21', '\x11', kIpv4Block.substr(1)), Verdict::Malformed, ""},
      {"v2 TLV cut short", v2('\x21', '\x11', kIpv4Block + "\x04\x00\x05xy"s), Verdict::Malformed, ""},
      {"v2 TLV head cut short", v2('\x21', '\x11', kIpv4Block + "\x04\x00"s), Verdict::Malformed, ""},
      {"v2 version 3", v2('\x31', '\x11', kIpv4Block), Verdict::Malformed, ""},
      {"v2 unknown command", v2('\x22', '\x11', kIpv4Block), Verdict::Malformed, ""},
      {"v2 unknown family", v2('\x21', '\x41', kIpv4Block), Verdict::Malformed, ""},
      {"v2 a transport of no family", v2('\x21', '\x01', kIpv4Block), Verdict::Malformed, ""},
      {"v2 a family without transport", v2('\x21', '\x10', kIpv4Block), Verdict::Malformed, ""},
      {"v2 unknown transport", v2('\x21', '\x13', kIpv4Block), Verdict::Malformed, ""},
      {"v2 too long", v2('\x21', '\x11', kIpv4Block + std::string(4096, '\0')), Verdict::Malformed, ""},
      // neither
      {"HTTP", "GET / HTTP/1.1\r\n", Verdict::Malformed, ""},
      {"a signature gone wrong", "\r\n\r\n\0\r\nQUIX"s, Verdict::Malformed, ""},
  };
  return all;
}

TEST(ProxyProtocol, AcceptsWhatIsExactlyOfItsForm) {
  for (const Case& c : cases()) {
    const ProxyHeader header = parse_proxy_header(c.header);
    EXPECT_EQ(header.verdict, c.verdict) << c.name;
    EXPECT_EQ(header.client ? header.client->to_string() : "", c.client) << c.name;
    if (c.verdict == Verdict::Done) {
      EXPECT_EQ(header.length, c.header.size()) << c.name;
    }
  }
}

TEST(ProxyProtocol, WhatFollowsIsNotItsBusiness) {
  for (const Case& c : cases()) {
    if (c.verdict != Verdict::Done) continue;
    const ProxyHeader header = parse_proxy_header(c.header + "GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(header.verdict, Verdict::Done) << c.name;
    EXPECT_EQ(header.length, c.header.size()) << c.name;
  }
}

TEST(ProxyProtocol, AnIncompleteOneIsWaitedFor) {
  for (const Case& c : cases()) {
    if (c.verdict != Verdict::Done) continue;
    for (size_t n = 0; n < c.header.size(); ++n)
      EXPECT_EQ(parse_proxy_header(c.header.substr(0, n)).verdict, Verdict::NeedMore)
          << c.name << ", " << n << " bytes";
  }
}

void agree(const std::string& bytes, const std::string& name) {
  const ProxyHeader header = parse_proxy_header(bytes);
  const auto expected = reference::whole_header(bytes);
  ASSERT_EQ(header.verdict == Verdict::Done, expected.has_value()) << name;
  if (!expected) return;
  EXPECT_EQ(header.length, expected->length) << name;
  EXPECT_EQ(header.client ? header.client->to_string() : "", expected->client) << name;
}

TEST(ProxyProtocol, AgreesWithItsReferenceWhateverByteIsWrong) {
  for (const Case& c : cases()) {
    agree(c.header, c.name);
    for (size_t at = 0; at < std::min<size_t>(c.header.size(), 120); ++at) {
      std::string other = c.header;
      for (const char wrong : "\x01\x10\x20\x22\x31\xFF 019.:%fFx\t\r\n"s + '\0') {
        other[at] = wrong;
        agree(other, c.name + ", byte " + std::to_string(at));
      }
      other.erase(at, 1);
      agree(other, c.name + " without byte " + std::to_string(at));
    }
  }
}

}  // namespace
}  // namespace restgate::worker
