#include "common/cidr.h"

#include <gtest/gtest.h>

#include <map>

namespace restgate {
namespace {

IpBytes ip(std::string_view text) {
  const auto parsed = parse_ip(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpBytes{});
}

TEST(ParseIp, TakesBothFamiliesAndNothingElse) {
  EXPECT_EQ(ip("192.0.2.1"), ip("::ffff:192.0.2.1"));
  EXPECT_NE(ip("192.0.2.1"), ip("::192.0.2.1"));
  EXPECT_EQ(ip("2001:db8::1"), ip("2001:0db8:0:0:0:0:0:1"));
  for (const std::string_view bad : {"", " ", "192.0.2", "192.0.2.1 ", "192.0.2.256", "192.0.2.01", "1.2.3.4:80",
                                     "[::1]", "fe80::1%eth0", "localhost", ":::", "::ffff:192.0.2.1/96"})
    EXPECT_FALSE(parse_ip(bad)) << bad;
  EXPECT_FALSE(parse_ip(std::string(100, '1')));
  EXPECT_FALSE(parse_ip(std::string_view("192.0.2.1\0.9", 12)));
}

TEST(FormatIp, WritesAsPeersAreWritten) {
  for (const auto& [text, expected] : std::map<std::string_view, std::string_view>{{"192.0.2.1", "192.0.2.1"},
                                                                                   {"::FFFF:192.0.2.1", "192.0.2.1"},
                                                                                   {"2001:0DB8:0:0::1", "2001:db8::1"},
                                                                                   {"::", "::"}}) {
    platform::AddressText written;
    EXPECT_EQ(std::string_view(written.data(), format_ip(ip(text), written)), expected);
  }
}

TEST(Cidr, ContainsWhatItSays) {
  struct Case {
    std::string_view block, inside, outside;
  };
  for (const Case& c : {Case{"10.0.0.0/8", "10.255.0.1", "11.0.0.0"},
                        {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
                        {"192.0.2.128/25", "192.0.2.255", "192.0.2.127"},
                        {"192.0.2.254/31", "192.0.2.255", "192.0.2.253"},
                        {"0.0.0.0/0", "203.0.113.9", "2001:db8::1"},
                        {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
                        {"::1", "::1", "::2"},
                        {"fe80::/10", "febf::1", "fec0::1"},
                        {"10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"},
                        {"::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"},
                        {"::/0", "fe80::1", "192.0.2.1"},
                        {"::/64", "::1", "::ffff:192.0.2.1"}}) {
    const auto block = Cidr::parse(c.block);
    ASSERT_TRUE(block.ok()) << c.block << ": " << block.error();
    EXPECT_TRUE(block->contains(ip(c.inside))) << c.block << " " << c.inside;
    EXPECT_FALSE(block->contains(ip(c.outside))) << c.block << " " << c.outside;
  }
}

TEST(Cidr, ExplainsWhatIsWrong) {
  struct Case {
    std::string_view text, error;
  };
  for (const Case& c : {Case{"", "expected an address or a block such as 10.0.0.0/8"},
                        {"10.0.0/8", "expected an address or a block such as 10.0.0.0/8"},
                        {"proxy.internal", "expected an address or a block such as 10.0.0.0/8"},
                        {"10.0.0.0/33", "the prefix length must be a number from 0 to 32"},
                        {"10.0.0.0/", "the prefix length must be a number from 0 to 32"},
                        {"10.0.0.0/08", "the prefix length must be a number from 0 to 32"},
                        {"10.0.0.0/-1", "the prefix length must be a number from 0 to 32"},
                        {"::/129", "the prefix length must be a number from 0 to 128"},
                        {"10.0.0.1/8", "has bits set behind its prefix; did you mean '10.0.0.0/8'?"},
                        {"::ffff:10.0.0.1/104", "has bits set behind its prefix; did you mean '10.0.0.0/8'?"},
                        {"::ffff:10.0.0.0/90", "has bits set behind its prefix; did you mean '::ffc0:0:0/90'?"},
                        {"2001:db8::1/64", "has bits set behind its prefix; did you mean '2001:db8::/64'?"}}) {
    const auto block = Cidr::parse(c.text);
    ASSERT_FALSE(block.ok()) << c.text;
    EXPECT_EQ(block.error(), c.error) << c.text;
  }
}

}  // namespace
}  // namespace restgate
