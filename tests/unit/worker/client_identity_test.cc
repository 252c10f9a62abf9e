#include "worker/client_identity.h"

#include <gtest/gtest.h>

namespace restgate::worker {
namespace {

config::Config trusting(std::initializer_list<std::string_view> blocks) {
  config::Config config;
  config.trusted_proxies.emplace();
  for (const std::string_view block : blocks) config.trusted_proxies->push_back(*Cidr::parse(block));
  return config;
}

TEST(TrustOf, DependsOnTheListAndThePeer) {
  EXPECT_EQ(trust_of("10.0.0.1", config::Config()), PeerTrust::Unset);
  EXPECT_EQ(trust_of("10.0.0.1", trusting({})), PeerTrust::Untrusted);
  EXPECT_EQ(trust_of("10.0.0.1", trusting({"10.0.0.0/8"})), PeerTrust::Trusted);
  EXPECT_EQ(trust_of("11.0.0.1", trusting({"10.0.0.0/8"})), PeerTrust::Untrusted);
  EXPECT_EQ(trust_of("2001:db8::7", trusting({"10.0.0.0/8", "2001:db8::/32"})), PeerTrust::Trusted);
  EXPECT_EQ(trust_of("192.0.2.1", trusting({"::/0"})), PeerTrust::Untrusted);
  EXPECT_EQ(trust_of("-", trusting({"0.0.0.0/0"})), PeerTrust::Untrusted);
}

TEST(OriginalClient, IsTheRightmostThatIsNoProxy) {
  struct Case {
    std::vector<std::string_view> lines;
    std::string_view client;
  };
  const config::Config config = trusting({"10.0.0.0/8", "fd00::/8"});
  for (const Case& c : std::vector<Case>{{{}, "10.0.0.1"},
                                         {{"203.0.113.9"}, "203.0.113.9"},
                                         {{"6.6.6.6, 203.0.113.9"}, "203.0.113.9"},
                                         {{"6.6.6.6, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
                                         {{"6.6.6.6", "203.0.113.9", "10.0.0.3 ,\t10.0.0.2"}, "203.0.113.9"},
                                         {{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
                                         {{"203.0.113.9:4711"}, "203.0.113.9"},
                                         {{"[2001:db8::1]:80, fd00::1"}, "2001:db8::1"},
                                         {{"2001:db8::1,[fd00::1]"}, "2001:db8::1"},
                                         {{"203.0.113.9, , ,"}, "203.0.113.9"},
                                         {{"203.0.113.9, unknown"}, "10.0.0.1"},
                                         {{"203.0.113.9, unknown, 10.0.0.2"}, "10.0.0.2"},
                                         {{"203.0.113.9, [bad"}, "10.0.0.1"},
                                         {{"203.0.113.9, 203.0.113.8:http"}, "10.0.0.1"},
                                         {{"203.0.113.9, 203.0.113.8:"}, "10.0.0.1"},
                                         {{"203.0.113.9, 203.0.113.8:123456"}, "10.0.0.1"},
                                         {{"203.0.113.9, [2001:db8::1]x"}, "10.0.0.1"},
                                         {{"203.0.113.9, [203.0.113.8]"}, "10.0.0.1"},
                                         {{"203.0.113.9, fe80::1%eth0"}, "10.0.0.1"},
                                         {{"203.0.113.9, \"203.0.113.8\""}, "10.0.0.1"},
                                         {{"203.0.113.9", "unknown", "10.0.0.2"}, "10.0.0.2"},
                                         {{"203.0.113.9", "", "10.0.0.2"}, "203.0.113.9"},
                                         {{"::FFFF:203.0.113.9, ::ffff:10.0.0.2"}, "203.0.113.9"},
                                         {{"2001:0DB8:0::1"}, "2001:db8::1"},
                                         {{""}, "10.0.0.1"}}) {
    http1::RequestHead head;
    for (const std::string_view line : c.lines)
      head.fields.push_back({"X-Forwarded-For", line, http1::FieldId::XForwardedFor, false});
    head.fields.push_back({"X-Real-Ip", "1.1.1.1", http1::FieldId::Other, false});
    platform::AddressText space;
    EXPECT_EQ(original_client(head, "10.0.0.1", config, space), c.client) << testing::PrintToString(c.lines);
  }
}

}  // namespace
}  // namespace restgate::worker
