#include "worker/http1/authority.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace restgate::http1::test {
namespace {

using namespace std::string_literals;

struct AuthorityCase {
  const char* rule;
  std::string text;
  bool valid;
};

TEST(Authority, IsUriHostAndPort) {
  const AuthorityCase rows[] = {
      {"3986-3.2.2", "a", true},
      {"3986-3.2.2", "a.example", true},
      {"3986-3.2.2", "a.example.", true},
      {"3986-3.2.2", "A-b_c~d.9", true},
      {"3986-3.2.2", "!$&'()*+,;=", true},
      {"3986-3.2.2", "127.0.0.1", true},
      {"3986-3.2.2", "999.1.1.1", true},  // a reg-name
      {"3986-3.2.2", "a%41%c3%A9", true},
      {"3986-2.1", "a%", false},
      {"3986-2.1", "a%4", false},
      {"3986-2.1", "a%4g", false},
      {"3986-2.1", "a%g4", false},
      {"ours", "a%00b", false},
      {"ours", "a%0d%0a", false},
      {"ours", "a%20b", false},
      {"ours", "a%7F", false},
      {"9110-4.2.1", "", false},
      {"9110-4.2.1", ":80", false},
      {"9110-4.2.1", ":", false},
      {"3986-3.2.3", "a:", true},
      {"3986-3.2.3", "a:0", true},
      {"3986-3.2.3", "a:80", true},
      {"3986-3.2.3", "a:00080", true},
      {"3986-3.2.3", "a:65535", true},
      {"ours", "a:65536", false},
      {"ours", "a:99999", false},
      {"ours", "a:000080", false},
      {"3986-3.2.3", "a:8a", false},
      {"3986-3.2.3", "a:-1", false},
      {"3986-3.2.3", "a:80:80", false},
      {"3986-3.2.3", "a::80", false},
      {"3986-3.2.3", "a: 80", false},
      {"3986-3.2.2", "a b", false},
      {"3986-3.2.2", "a/b", false},
      {"3986-3.2.2", "a?b", false},
      {"3986-3.2.2", "a#b", false},
      {"3986-3.2.2", "a\\b", false},
      {"3986-3.2.2", "a@b", false},
      {"3986-3.2.2", "a\"b", false},
      {"3986-3.2.2", "<a>", false},
      {"3986-3.2.2", "\xC3\xA9", false},
      {"3986-3.2.2", "a\0b"s, false},
      {"3986-3.2.2", "[::1]", true},
      {"3986-3.2.2", "[::1]:8080", true},
      {"3986-3.2.2", "[::1]:", true},
      {"3986-3.2.2", "[2001:DB8:0:0:8:800:200C:417A]", true},
      {"3986-3.2.2", "[::ffff:1.2.3.4]", true},
      {"3986-3.2.2", "[1111:2222:3333:4444:5555:6666:123.123.123.123]", true},
      {"3986-3.2.2", "::1", false},
      {"3986-3.2.2", "[::1", false},
      {"3986-3.2.2", "::1]", false},
      {"3986-3.2.2", "[]", false},
      {"3986-3.2.2", "[:]", false},
      {"3986-3.2.2", "[::1]x", false},
      {"3986-3.2.2", "[::1]80", false},
      {"3986-3.2.2", "x[::1]", false},
      {"3986-3.2.2", "[1.2.3.4]", false},
      {"3986-3.2.2", "[a.example]", false},
      {"3986-3.2.2", "[::1]]", false},
      {"3986-3.2.2", "[[::1]]", false},
      {"3986-3.2.2", "[::1\0]"s, false},
      {"3986-3.2.2", "[1:2:3:4:5:6:7:8:9]", false},
      {"3986-3.2.2", "[12345::1]", false},
      {"ours", "[" + std::string(100, '1') + "]", false},
      {"ours", "[fe80::1%25eth0]", false},
      {"ours", "[fe80::1%eth0]", false},
      {"3986-3.2.2", "[v1.a]", true},
      {"3986-3.2.2", "[VFf.a:b!~]:80", true},
      {"3986-3.2.2", "[v.a]", false},
      {"3986-3.2.2", "[v1.]", false},
      {"3986-3.2.2", "[v1a]", false},
      {"3986-3.2.2", "[vg.a]", false},
      {"3986-3.2.2", "[v1.a/b]", false},
      {"3986-3.2.2", "[v1.a%41]", false},
  };
  for (const AuthorityCase& row : rows)
    EXPECT_EQ(is_valid_authority(row.text), row.valid) << row.rule << ": " << testing::PrintToString(row.text);
}

}  // namespace
}  // namespace restgate::http1::test
