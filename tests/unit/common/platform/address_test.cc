#include "common/platform/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <string>

namespace restgate::platform {
namespace {

std::string formatted(const sockaddr& address) {
  AddressText text;
  return {text.data(), format_address(address, text)};
}

class Literal : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Literal, ParsesAndFormats) {
  const auto address = Address::parse(GetParam().first, 8080);
  ASSERT_TRUE(address);
  EXPECT_EQ(address->port(), 8080);
  EXPECT_EQ(formatted(*address->get()), GetParam().second);
}

INSTANTIATE_TEST_SUITE_P(
    Values, Literal,
    testing::Values(std::pair("0.0.0.0", "0.0.0.0"), std::pair("127.0.0.1", "127.0.0.1"),
                    std::pair("255.255.255.255", "255.255.255.255"), std::pair("192.0.2.10", "192.0.2.10"),
                    std::pair("::", "::"), std::pair("::1", "::1"), std::pair("2001:DB8:0:0::1", "2001:db8::1"),
                    std::pair("::ffff:192.0.2.1", "192.0.2.1"), std::pair("fe80::1%lo", "fe80::1"),
                    std::pair("1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444:5555:6666:7777:8888")));

TEST(Address, FormatsEveryByteOfIpv4) {
  for (unsigned value = 0; value < 256; ++value) {
    const auto byte = std::to_string(value);
    const std::string text = byte + "." + byte + "." + byte + "." + byte;
    const auto address = Address::parse(text, 1);
    ASSERT_TRUE(address);
    EXPECT_EQ(formatted(*address->get()), text);
  }
}

TEST(Address, RefusesWhatIsNoLiteral) {
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4x", "[::1]", "::1]",
                           ":::", "1.2.3.4:80", "fe80::1%no-such-interface", "::1 "})
    EXPECT_FALSE(Address::parse(text, 1)) << text;
}

TEST(Address, IsWrittenForMessages) {
  EXPECT_EQ(Address::parse("192.0.2.1", 80)->to_string(), "192.0.2.1:80");
  EXPECT_EQ(Address::parse("2001:db8::1", 443)->to_string(), "[2001:db8::1]:443");
}

TEST(Address, ComparesByValue) {
  const Address a = *Address::parse("2001:db8::1", 80);
  Address b = a;
  EXPECT_TRUE(a == b);
  b.set_port(81);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(b.port(), 81);
  EXPECT_FALSE(a == *Address::parse("2001:db8::2", 80));
  EXPECT_FALSE(*Address::parse("0.0.0.0", 80) == *Address::parse("::", 80));
}

TEST(Address, ComesFromASocketAddress) {
  const Address a = *Address::parse("2001:db8::1", 80);
  const auto copy = Address::from(*a.get());
  ASSERT_TRUE(copy);
  EXPECT_TRUE(*copy == a);
  EXPECT_EQ(copy->length(), sizeof(sockaddr_in6));

  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  EXPECT_FALSE(Address::from(reinterpret_cast<const sockaddr&>(local)));
  EXPECT_EQ(formatted(reinterpret_cast<const sockaddr&>(local)), "-");
}

}  // namespace
}  // namespace restgate::platform
