// Keys of a service: URL and TLS.
#include <gtest/gtest.h>

#include <string>

#include "config/error_rows.h"

namespace restgate::config {
namespace {

const ErrorRow kRows[] = {
    {"UrlWithoutScheme", "    service_url: localhost:8080",
     R"(gate.yaml:3:18: observed_services[0].service_url: the scheme is missing: write 'http://localhost:8080' or https
      service_url: localhost:8080
                   ^)"},
    {"UrlFtp", "    service_url: ftp://a",
     R"(gate.yaml:3:18: observed_services[0].service_url: the scheme must be http or https, not 'ftp'
      service_url: ftp://a
                   ^)"},
    {"UrlWs", "    service_url: ws://a",
     R"(gate.yaml:3:18: observed_services[0].service_url: write http or https: WebSocket upgrades are passed on over either
      service_url: ws://a
                   ^)"},
    {"UrlOneSlash", "    service_url: http:/a",
     R"(gate.yaml:3:23: observed_services[0].service_url: expected '//' after the scheme, as in http://host
      service_url: http:/a
                        ^)"},
    {"UrlNoHost", "    service_url: http://:80/x",
     R"(gate.yaml:3:25: observed_services[0].service_url: the host is missing
      service_url: http://:80/x
                          ^)"},
    {"UrlUserInfo", "    service_url: http://me:secret@a/",
     R"(gate.yaml:3:25: observed_services[0].service_url: user info is not supported in a service_url: leave out what stands before the '@')"},
    {"UrlFragment", "    service_url: 'http://a/x#top'",
     R"(gate.yaml:3:29: observed_services[0].service_url: a fragment ('#...') never reaches a backend: leave it out
      service_url: 'http://a/x#top'
                              ^)"},
    {"UrlPortZero", "    service_url: http://a:0",
     R"(gate.yaml:3:27: observed_services[0].service_url: the port must be a number from 1 to 65535, not '0'
      service_url: http://a:0
                            ^)"},
    {"UrlPortLarge", "    service_url: http://a:65536/",
     R"(gate.yaml:3:27: observed_services[0].service_url: the port must be a number from 1 to 65535, not '65536'
      service_url: http://a:65536/
                            ^)"},
    {"UrlPortMissing", "    service_url: 'http://a:'",
     R"(gate.yaml:3:28: observed_services[0].service_url: the port is missing after ':'
      service_url: 'http://a:'
                             ^)"},
    {"UrlHost", "    service_url: http://a b/",
     R"(gate.yaml:3:26: observed_services[0].service_url: the host has a character that a name cannot have: ' '
      service_url: http://a b/
                           ^)"},
    {"UrlHostDots", "    service_url: http://a..b/",
     R"(gate.yaml:3:27: observed_services[0].service_url: the host has an empty label: a dot too many
      service_url: http://a..b/
                            ^)"},
    {"UrlIpv4", "    service_url: http://10.0.0.256/",
     R"(gate.yaml:3:25: observed_services[0].service_url: '10.0.0.256' is not an IPv4 address
      service_url: http://10.0.0.256/
                          ^)"},
    {"UrlIpv6Bare", "    service_url: http://::1/",
     R"(gate.yaml:3:25: observed_services[0].service_url: an IPv6 address needs brackets: [::1]
      service_url: http://::1/
                          ^)"},
    {"UrlIpv6Zone", "    service_url: 'http://[fe80::1%25eth0]/'",
     R"(gate.yaml:3:34: observed_services[0].service_url: an IPv6 address with a zone id is not supported
      service_url: 'http://[fe80::1%25eth0]/'
                                   ^)"},
    {"UrlInternational", "    service_url: http://b\303\274cher.example/",
     R"(gate.yaml:3:26: observed_services[0].service_url: the host has a character that is not ASCII: write an international name in its xn-- form
      service_url: http://bücher.example/
                           ^)"},
    {"UrlDotSegment", "    service_url: http://a/x/%2e%2E/y",
     R"(gate.yaml:3:29: observed_services[0].service_url: the base path has a dot segment: write the path out
      service_url: http://a/x/%2e%2E/y
                              ^)"},
    {"UrlEmptySegment", "    service_url: http://a//x",
     R"(gate.yaml:3:27: observed_services[0].service_url: the base path has an empty segment ('//')
      service_url: http://a//x
                            ^)"},
    {"UrlEscape", "    service_url: http://a/%zz",
     R"(gate.yaml:3:27: observed_services[0].service_url: bad escape in the base path: '%' needs two hexadecimal digits
      service_url: http://a/%zz
                            ^)"},
    {"UrlSpace", "    service_url: 'http://a/x y'",
     R"(gate.yaml:3:29: observed_services[0].service_url: the base path has a character that a URL cannot have: ' '; write it %-escaped
      service_url: 'http://a/x y'
                              ^)"},
    {"UrlQuery", "    service_url: http://a/?x=\"1\"",
     R"(gate.yaml:3:30: observed_services[0].service_url: the query has a character that a URL cannot have: '"'; write it %-escaped
      service_url: http://a/?x="1"
                               ^)"},
    {"UrlEmpty", "    service_url: ''",
     R"(gate.yaml:3:19: observed_services[0].service_url: expected a URL such as http://accounts.internal:8080/base
      service_url: ''
                    ^)"},
    {"UrlMissing", "    service_url:",
     R"(gate.yaml:3:17: observed_services[0].service_url: expected a URL such as http://accounts.internal:8080/base, got no value
      service_url:
                  ^)"},
    {"NoUrl", "    preserve_host: true",
     R"(gate.yaml:2:5: observed_services[0].service_url: this key is required and missing
    - name: a
      ^)"},
    {"TlsOverHttp", R"(    service_url: http://a
    tls: {verify: false})",
     R"(gate.yaml:4:5: observed_services[0].tls: the service_url is not https
      tls: {verify: false}
      ^)"},
    {"TlsKey", R"(    service_url: https://a
    tls: {cafile: /x})",
     R"(gate.yaml:4:11: observed_services[0].tls.cafile: unknown key; did you mean 'ca_file'?
      tls: {cafile: /x}
            ^)"},
    {"TlsEmpty", R"(    service_url: https://a
    tls:)",
     R"(gate.yaml:4:9: observed_services[0].tls: expected a mapping, got no value
      tls:
          ^)"},
    {"TlsHalf", R"(    service_url: https://a
    tls:
      client_cert_file: /c.pem)",
     R"(gate.yaml:5:7: observed_services[0].tls.client_key_file: this key is missing, though client_cert_file is given
        client_cert_file: /c.pem
        ^)"},
    {"TlsName", R"(    service_url: https://a
    tls: {server_name: 'a_b c'})",
     R"(gate.yaml:4:28: observed_services[0].tls.server_name: the host has a character that a name cannot have: ' '
      tls: {server_name: 'a_b c'}
                             ^)"},
    {"NoNearKey", R"(    service_url: http://a
    weight: 3)",
     R"(gate.yaml:4:5: observed_services[0].weight: unknown key; the keys here are name, service_url, preserve_host, tls, routes
      weight: 3
      ^)"},
};

class ServiceErrors : public testing::TestWithParam<ErrorRow> {};

TEST_P(ServiceErrors, SaysExactly) {
  const ErrorRow& row = GetParam();
  EXPECT_EQ(diagnose(with_routes(row.text)), row.expected);
}

INSTANTIATE_TEST_SUITE_P(Rows, ServiceErrors, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace restgate::config
