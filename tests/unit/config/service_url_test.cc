#include "config/service_url.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace restgate::config {
namespace {

struct Good {
  std::string_view text;
  Scheme scheme;
  std::string_view host;
  uint16_t port;
  std::string_view authority;
  std::string_view base_path;
  std::string_view query;
};
std::ostream& operator<<(std::ostream& out, const Good& row) {
  return out << row.text;
}

class GoodUrl : public testing::TestWithParam<Good> {};

TEST_P(GoodUrl, IsTakenApart) {
  const Good& row = GetParam();
  const auto url = parse_service_url(row.text);
  ASSERT_TRUE(url.ok()) << url.error().message;
  EXPECT_EQ(url->scheme, row.scheme);
  EXPECT_EQ(url->host, row.host);
  EXPECT_EQ(url->port, row.port);
  EXPECT_EQ(url->authority, row.authority);
  EXPECT_EQ(url->base_path, row.base_path);
  EXPECT_EQ(url->query, row.query);
}

constexpr Scheme kHttp = Scheme::Http;
constexpr Scheme kHttps = Scheme::Https;

INSTANTIATE_TEST_SUITE_P(
    Rows, GoodUrl,
    testing::Values(
        Good{"http://a", kHttp, "a", 80, "a", "", ""}, Good{"https://a", kHttps, "a", 443, "a", "", ""},
        Good{"HTTPS://Example.COM/", kHttps, "example.com", 443, "example.com", "", ""},
        Good{"http://a:80/x", kHttp, "a", 80, "a", "/x", ""}, Good{"https://a:80/x", kHttps, "a", 80, "a:80", "/x", ""},
        Good{"http://a:0080", kHttp, "a", 80, "a", "", ""},
        Good{"http://a:65535/x/y/", kHttp, "a", 65535, "a:65535", "/x/y", ""},
        Good{"http://10.1.2.3:8080", kHttp, "10.1.2.3", 8080, "10.1.2.3:8080", "", ""},
        Good{"http://[::1]", kHttp, "::1", 80, "[::1]", "", ""},
        Good{"https://[FE80::A]:8443/b", kHttps, "fe80::a", 8443, "[fe80::a]:8443", "/b", ""},
        Good{"http://my_service.ns.svc.cluster.local.", kHttp, "my_service.ns.svc.cluster.local.", 80,
             "my_service.ns.svc.cluster.local.", "", ""},
        Good{"http://1password.example-2.com", kHttp, "1password.example-2.com", 80, "1password.example-2.com", "", ""},
        Good{"http://a?x=1", kHttp, "a", 80, "a", "", "x=1"},
        Good{"http://a/?x=1&y=/?", kHttp, "a", 80, "a", "", "x=1&y=/?"},
        Good{"http://a/b?", kHttp, "a", 80, "a", "/b", ""}, Good{"http://a/?m=x@y", kHttp, "a", 80, "a", "", "m=x@y"},
        Good{"http://a/b@c;d=1,2/%2Fe%20f/...", kHttp, "a", 80, "a", "/b@c;d=1,2/%2Fe%20f/...", ""}));

struct Bad {
  std::string text;
  size_t offset;
  std::string_view part;  // of the message
};
std::ostream& operator<<(std::ostream& out, const Bad& row) {
  return out << row.text;
}

class BadUrl : public testing::TestWithParam<Bad> {};

TEST_P(BadUrl, IsRefused) {
  const auto url = parse_service_url(GetParam().text);
  ASSERT_FALSE(url.ok()) << url->authority;
  EXPECT_NE(url.error().message.find(GetParam().part), std::string::npos) << url.error().message;
  EXPECT_EQ(url.error().offset, GetParam().offset);
}

INSTANTIATE_TEST_SUITE_P(Scheme, BadUrl,
                         testing::Values(Bad{"", 0, "expected a URL"}, Bad{"a", 0, "'http://a'"},
                                         Bad{"//a", 0, "scheme is missing"}, Bad{"http:a", 5, "'//'"},
                                         Bad{"https:/a", 6, "'//'"}, Bad{"ftp://a", 0, "not 'ftp'"},
                                         Bad{" http://a", 0, "not ' http'"}, Bad{"wss://a", 0, "WebSocket"},
                                         Bad{"://a", 0, "not ''"},
                                         Bad{"http://a/" + std::string(2048, 'x'), 0, "longer than 2048"}));

INSTANTIATE_TEST_SUITE_P(
    Host, BadUrl,
    testing::Values(Bad{"http://", 7, "host is missing"}, Bad{"http:///x", 7, "host is missing"},
                    Bad{"http://:80", 7, "host is missing"}, Bad{"http://?x", 7, "host is missing"},
                    Bad{"http://.", 7, "empty label"}, Bad{"http://a..", 9, "empty label"},
                    Bad{"http://.a", 7, "empty label"}, Bad{"http://-a", 7, "'-'"}, Bad{"http://b.a-", 10, "'-'"},
                    Bad{"http://a%41", 8, "cannot have: '%'"}, Bad{"http://a\\b", 8, "cannot have: '\\'"},
                    Bad{"http://a\x01", 8, "cannot have: '\\x01'"}, Bad{"http://b\xc3\xbc", 8, "xn--"},
                    Bad{"http://b\xff", 8, "not ASCII"}, Bad{"http://" + std::string(64, 'a'), 7, "63 characters"},
                    Bad{"http://" + std::string(254, 'a'), 7, "253 characters"}, Bad{"http://1.2.3", 7, "not an IPv4"},
                    Bad{"http://1.2.3.4.", 7, "not an IPv4"}, Bad{"http://a.123", 7, "not an IPv4"},
                    Bad{"http://010.1.1.1", 7, "not an IPv4"}, Bad{"http://[::1", 7, "']'"},
                    Bad{"http://[]", 7, "host is missing"}, Bad{"http://[::g]", 8, "not an IPv6"},
                    Bad{"http://[1.2.3.4]", 8, "not an IPv6"}, Bad{"http://[fe80::1%eth0]", 15, "zone"},
                    Bad{"http://[::1]8080", 12, "expected ':'"}, Bad{"http://fe80::1", 7, "[fe80::1]"},
                    Bad{"http://a:1:2", 10, "one ':' too many"}));

INSTANTIATE_TEST_SUITE_P(Port, BadUrl,
                         testing::Values(Bad{"http://a:", 9, "port is missing"},
                                         Bad{"http://a:/x", 9, "port is missing"}, Bad{"http://a:0", 9, "1 to 65535"},
                                         Bad{"http://a:65536", 9, "1 to 65535"}, Bad{"http://a:-1", 9, "1 to 65535"},
                                         Bad{"http://a:http", 9, "'http'"}, Bad{"http://[::1]:x", 13, "'x'"},
                                         Bad{"http://a:99999999999999999999", 9, "1 to 65535"}));

INSTANTIATE_TEST_SUITE_P(
    Rest, BadUrl,
    testing::Values(Bad{"http://a/x#y", 10, "fragment"}, Bad{"http://a#", 8, "fragment"},
                    Bad{"http://a/.", 9, "dot segment"}, Bad{"http://a/x/../y", 11, "dot segment"},
                    Bad{"http://a/%2e", 9, "dot segment"}, Bad{"http://a/.%2E/", 9, "dot segment"},
                    Bad{"http://a//", 9, "empty segment"}, Bad{"http://a//x", 9, "empty segment"},
                    Bad{"http://a/x//y", 11, "empty segment"}, Bad{"http://a/%", 9, "bad escape"},
                    Bad{"http://a/%4", 9, "bad escape"}, Bad{"http://a/%4g", 9, "bad escape"},
                    Bad{"http://a/%00", 9, "escaped control"}, Bad{"http://a/x%0d%0aY", 10, "escaped control"},
                    Bad{"http://a/?%7f", 10, "escaped control"}, Bad{"http://a/{x}", 9, "cannot have: '{'"},
                    Bad{"http://a/x y", 10, "%-escaped"}, Bad{"http://a/\r\n", 9, "cannot have: '\\r'"},
                    Bad{"http://a/?x=\t", 12, "cannot have: '\\t'"}, Bad{"http://a/\xc3\xbc", 9, "'\xc3\xbc'"},
                    Bad{"http://a/?x=|", 12, "'|'"}));

class UserInfo : public testing::TestWithParam<std::string_view> {};

TEST_P(UserInfo, IsRefusedWithoutShowingIt) {
  const auto url = parse_service_url(GetParam());
  ASSERT_FALSE(url.ok());
  EXPECT_TRUE(url.error().secret);
  EXPECT_NE(url.error().message.find("user info"), std::string::npos) << url.error().message;
  EXPECT_EQ(url.error().message.find("pw"), std::string::npos) << url.error().message;
}

INSTANTIATE_TEST_SUITE_P(Rows, UserInfo,
                         testing::Values("http://me:pw@a", "http://pw@a:x/", "https://@a", "me:pw@a", "ftp://me:pw@a",
                                         "http://me:pw@a/#f", "http://me:pw@?"));

TEST(CheckHost, TakesNamesAndAddresses) {
  for (const std::string_view good : {"a", "a.b", "a_b.c", "127.0.0.1", "::1", "2001:db8::7"})
    EXPECT_FALSE(check_host(good).has_value()) << good;
  for (const std::string_view bad : {"", "a b", "1.2.3", "[::1]", "a:80", "*.example.com", "a/b"})
    EXPECT_TRUE(check_host(bad).has_value()) << bad;
}

}  // namespace
}  // namespace restgate::config
