#include "config/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/error_rows.h"

namespace restgate::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

Config accept(std::string_view text) {
  LoadResult result = parse(text, "gate.yaml");
  EXPECT_TRUE(result.ok()) << to_string(result.error());
  return result ? std::move(result).value() : Config();
}

TEST(Parser, TakesTheLeastAndFillsInDefaults) {
  const Config config = accept(with_services(""));
  EXPECT_EQ(config.file, "gate.yaml");
  EXPECT_EQ(config.port, 7000);
  EXPECT_EQ(config.admin_port, 9000);
  EXPECT_EQ(config.workers, 0U);
  ASSERT_EQ(config.services.size(), 1U);
  EXPECT_EQ(config.services[0].name, "a");
  EXPECT_EQ(config.services[0].url.authority, "a");
  EXPECT_FALSE(config.services[0].preserve_host);
  EXPECT_TRUE(config.services[0].tls.verify);
  EXPECT_EQ(config.services[0].mark.line, 3U);
  ASSERT_EQ(config.routes.size(), 1U);
  EXPECT_EQ(config.routes[0].name, "r");
  EXPECT_EQ(config.routes[0].pattern.text(), "/");
  EXPECT_EQ(config.routes[0].service, 0U);
  EXPECT_EQ(config.routes[0].mark.line, 6U);
}

TEST(Parser, TakesEveryKeyOfTheTopLevel) {
  const Config config = accept(with_services(R"(port: 0
admin_port: 0
admin_address: ::1
admin_token_file: /etc/restgate/token
admin_socket: /run/restgate/admin.sock
workers: 4
config_watch: true
user: restgate
group: 33
log_level: trace
log_format: json
access_log: false
request_id: false
tracing: true
server_timing: true
request_duration_buckets: [10us, 1.5ms, 30m]
read_header_timeout: 1s
read_timeout: 2s
write_timeout: "3s"
idle_timeout: 4s
shutdown_timeout: 5s
pre_drain_delay: 8s
stream_drain_timeout: 9s
connect_timeout: 6s
response_header_timeout: 7s
tunnel_idle_timeout: 1.5h
max_header_size: 1MiB
max_headers: 10000
max_body_size: 10MB
via: False
proxy_protocol: true
trusted_proxies: [10.0.0.0/8, 2001:db8::/32, "::1", 192.0.2.1])"));
  EXPECT_EQ(config.port, 0);
  EXPECT_EQ(config.admin_port, 0);
  EXPECT_EQ(config.admin_address, "::1");
  EXPECT_EQ(config.admin_token_file, "/etc/restgate/token");
  EXPECT_EQ(config.admin_token, std::nullopt) << "no other file is looked at";
  EXPECT_EQ(config.admin_socket, "/run/restgate/admin.sock");
  EXPECT_EQ(config.workers, 4U);
  EXPECT_TRUE(config.config_watch);
  EXPECT_EQ(config.user, "restgate");
  EXPECT_EQ(config.group, "33");
  EXPECT_FALSE(config.identity) << "only load() asks the system";
  EXPECT_EQ(config.log_level, LogLevel::Trace);
  EXPECT_EQ(config.log_format, LogFormat::Json);
  EXPECT_FALSE(config.access_log.enabled);
  EXPECT_FALSE(config.request_id);
  EXPECT_TRUE(config.tracing);
  EXPECT_TRUE(config.server_timing);
  EXPECT_THAT(config.request_duration_buckets, ElementsAre(10U, 1'500U, 1'800'000'000U));
  EXPECT_EQ(config.read_header_timeout, milliseconds(1'000));
  EXPECT_EQ(config.read_timeout, milliseconds(2'000));
  EXPECT_EQ(config.write_timeout, milliseconds(3'000));
  EXPECT_EQ(config.idle_timeout, milliseconds(4'000));
  EXPECT_EQ(config.shutdown_timeout, milliseconds(5'000));
  EXPECT_EQ(config.pre_drain_delay, milliseconds(8'000));
  EXPECT_EQ(config.stream_drain_timeout, milliseconds(9'000));
  EXPECT_EQ(config.connect_timeout, milliseconds(6'000));
  EXPECT_EQ(config.response_header_timeout, milliseconds(7'000));
  EXPECT_EQ(config.tunnel_idle_timeout, milliseconds(5'400'000));
  EXPECT_EQ(config.max_header_size, 1024U * 1024);
  EXPECT_EQ(config.max_headers, 10'000U);
  EXPECT_EQ(config.max_body_size, 10'000'000U);
  EXPECT_FALSE(config.via);
  EXPECT_TRUE(config.proxy_protocol);
  EXPECT_THAT(config.trusted_proxies.value(), ElementsAre(*Cidr::parse("10.0.0.0/8"), *Cidr::parse("2001:db8::/32"),
                                                          *Cidr::parse("::1/128"), *Cidr::parse("192.0.2.1/32")));
}

TEST(Parser, TakesEveryKeyOfTheAccessLog) {
  const AccessLogOptions options = accept(with_services(R"(access_log:
  file: /var/log/restgate/access.log
  format: combined
  min_status: 400
  slower_than: 1.5s
  sample: 100)"))
                                       .access_log;
  EXPECT_TRUE(options.enabled);
  EXPECT_EQ(options.file, "/var/log/restgate/access.log");
  EXPECT_EQ(options.format, AccessFormat::Combined);
  EXPECT_EQ(options.min_status, 400);
  EXPECT_EQ(options.slower_than, milliseconds(1'500));
  EXPECT_EQ(options.sample, 100U);
  EXPECT_EQ(accept(with_services("access_log: {}")).access_log, AccessLogOptions());
  EXPECT_EQ(accept(with_services("access_log: {format: text}")).access_log.format, AccessFormat::Text);
}

TEST(Parser, TrustingNobodyIsNotTheSameAsNotSaying) {
  EXPECT_FALSE(accept(with_services("")).trusted_proxies);
  const Config nobody = accept(with_services("trusted_proxies: []"));
  ASSERT_TRUE(nobody.trusted_proxies);
  EXPECT_TRUE(nobody.trusted_proxies->empty());
}

TEST(Parser, TakesEveryKeyOfAServiceAndARoute) {
  const Config config = accept(R"(observed_services:
  - name: files
    service_url: https://Files.internal:8443/base/?tenant=1
    preserve_host: true
    tls:
      ca_file: /ca.pem
      server_name: Files.Example.com
      client_cert_file: /c.pem
      client_key_file: /k.pem
      verify: false
    routes:
      - name: 7
        methods: [GET, PROPFIND]
        pattern: '/f/{name:[a-z]+}'
        description: >
          Two
          lines
        response_header_timeout: 1s
        read_timeout: 2s
        write_timeout: 3s
        max_body_size: 1KiB
)");
  const Service& service = config.services.at(0);
  EXPECT_EQ(service.url.scheme, Scheme::Https);
  EXPECT_EQ(service.url.authority, "files.internal:8443");
  EXPECT_EQ(service.url.base_path, "/base");
  EXPECT_EQ(service.url.query, "tenant=1");
  EXPECT_TRUE(service.preserve_host);
  EXPECT_EQ(service.tls.ca_file, "/ca.pem");
  EXPECT_EQ(service.tls.server_name, "files.example.com");
  EXPECT_EQ(service.tls.client_cert_file, "/c.pem");
  EXPECT_EQ(service.tls.client_key_file, "/k.pem");
  EXPECT_FALSE(service.tls.verify);
  const Route& route = config.routes.at(0);
  EXPECT_EQ(route.name, "7");
  EXPECT_THAT(route.methods, ElementsAre("GET", "PROPFIND"));
  EXPECT_EQ(route.description, "Two lines\n");
  EXPECT_EQ(route.response_header_timeout, milliseconds(1'000));
  EXPECT_EQ(route.read_timeout, milliseconds(2'000));
  EXPECT_EQ(route.write_timeout, milliseconds(3'000));
  EXPECT_EQ(route.max_body_size, 1024U);
}

TEST(Parser, RoutesInheritAndOverride) {
  const Config config = accept(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: inherits, methods: GET, pattern: /i}
      - {name: off, methods: GET, pattern: /o, response_header_timeout: off, read_timeout: 0, write_timeout: off, max_body_size: 0}
response_header_timeout: 1s   # below its routes: order does not matter
read_timeout: 2s
write_timeout: 3s
max_body_size: 4KB
)");
  EXPECT_EQ(config.routes[0].response_header_timeout, milliseconds(1'000));
  EXPECT_EQ(config.routes[0].read_timeout, milliseconds(2'000));
  EXPECT_EQ(config.routes[0].write_timeout, milliseconds(3'000));
  EXPECT_EQ(config.routes[0].max_body_size, 4'000U);
  EXPECT_EQ(config.routes[1].response_header_timeout, milliseconds(0));
  EXPECT_EQ(config.routes[1].read_timeout, milliseconds(0));
  EXPECT_EQ(config.routes[1].write_timeout, milliseconds(0));
  EXPECT_EQ(config.routes[1].max_body_size, 0U);
}

TEST(Parser, NumbersServicesRoutesAndMethodsInFileOrder) {
  const Config config = accept(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: a1, methods: "PURGE,GET", pattern: /a1}
      - {name: a2, methods: "BAN,PURGE", pattern: /a2}
  - name: b
    service_url: http://b
    routes:
      - {name: b1, methods: GET, pattern: /b1}
)");
  ASSERT_EQ(config.routes.size(), 3U);
  EXPECT_EQ(config.routes[1].service, 0U);
  EXPECT_EQ(config.routes[2].name, "b1");
  EXPECT_EQ(config.routes[2].service, 1U);
  ASSERT_EQ(config.methods.size(), kStandardMethods.size() + 2);
  EXPECT_EQ(config.methods[kMethodOptions], "OPTIONS");
  EXPECT_EQ(config.methods[9], "PURGE");
  EXPECT_EQ(config.methods[10], "BAN");
}

TEST(Parser, BoundsTheNumberOfMethods) {
  std::string methods = "M0";
  for (int i = 1; i < kMaxMethods - 9; ++i) methods += ",M" + std::to_string(i);
  const auto text = [](const std::string& all) { return as_route("name: r\nmethods: '" + all + "'\npattern: /"); };
  EXPECT_EQ(accept(text(methods)).methods.size(), size_t{kMaxMethods});
  EXPECT_THAT(diagnose(text(methods + ",ONE")), HasSubstr("routes[0].methods: ONE is one method too many: at most 63"));
}

TEST(Parser, PortsMayBothBeEphemeral) {
  EXPECT_EQ(diagnose(with_services("port: 0\nadmin_port: 0")), "accepted");
  EXPECT_EQ(diagnose(with_services("port: 9000\nadmin_port: 7000")), "accepted");
}

TEST(Parser, NamesBothPlacesOfADuplicateName) {
  EXPECT_EQ(
      diagnose(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /a}
  - name: a
    service_url: http://b
    routes:
      - {name: s, methods: GET, pattern: /b}
      - {name: r, methods: GET, pattern: /c}
)"),
      R"(gate.yaml:6:11: observed_services[1].name: the service name 'a' is already used at line 2, column 11 (observed_services[0])
    - name: a
            ^
gate.yaml:10:16: observed_services[1].routes[1].name: the route name 'r' is already used at line 5, column 16 (observed_services[0].routes[0])
        - {name: r, methods: GET, pattern: /c}
                 ^)");
}

TEST(Parser, DuplicateNamesAreFoundWhenTheRestOfTheRouteIsWrong) {
  EXPECT_THAT(diagnose(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: bad}
      - {name: r, methods: get, pattern: /c}
)"),
              HasSubstr("the route name 'r' is already used at line 5"));
}

TEST(Parser, NamesBothRoutesOfAConflict) {
  EXPECT_EQ(diagnose(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: broken, methods: get, pattern: /a}
      - {name: r, methods: "GET,PUT", pattern: "/a/{id}"}
      - {name: rest, methods: PUT, pattern: "/{x...}"}
  - name: b
    service_url: http://b
    routes:
      - {name: s, methods: "POST,GET", pattern: "/a/{other}"}
)"),
            R"(gate.yaml:5:33: observed_services[0].routes[0].methods: methods are case-sensitive; did you mean 'GET'?
        - {name: broken, methods: get, pattern: /a}
                                  ^
gate.yaml:11:49: observed_services[1].routes[0].pattern: GET /a/{other} matches the same requests as the route 'r', /a/{id} (at line 6, column 48, observed_services[0].routes[1])
        - {name: s, methods: "POST,GET", pattern: "/a/{other}"}
                                                  ^)");
}

TEST(Parser, NamesTheRouteThatTakesAllOfAnother) {
  EXPECT_THAT(diagnose(R"(observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: any, methods: GET, pattern: "/a/{x:.*}"}
      - {name: id, methods: GET, pattern: "/a/{id}"}
)"),
              testing::MatchesRegex("gate.yaml:6:43: observed_services.0..routes.1..pattern: .*'any'.*"
                                    "\\(at line 5, column 44, observed_services.0..routes.0.\\)\n.*"));
}

TEST(Parser, PointsIntoAPattern) {
  const LoadResult result = parse(as_route("name: r\nmethods: GET\npattern: \"/a/{id\""), "gate.yaml");
  ASSERT_FALSE(result.ok());
  ASSERT_EQ(result.error().size(), 1U);
  const Diagnostic& diagnostic = result.error()[0];
  EXPECT_EQ(diagnostic.path, "observed_services[0].routes[0].pattern");
  EXPECT_EQ(diagnostic.mark.line, 7U);
  EXPECT_GE(diagnostic.mark.column, 19U + 3);  // at or behind the brace
  EXPECT_FALSE(diagnostic.message.empty());
}

TEST(Parser, ValuesThatDoNotStandVerbatimArePointedAtWhole) {
  // The escape makes the value shorter than its text in the file.
  EXPECT_THAT(diagnose(with_services(R"(idle_timeout: "\x31\x30y")")),
              HasSubstr("gate.yaml:1:15: idle_timeout: unknown unit 'y'"));
  EXPECT_THAT(diagnose(with_services("idle_timeout: |\n  10y")), HasSubstr("gate.yaml:1:15: idle_timeout:"));
}

TEST(Parser, SaysAllAtOnceInFileOrder) {
  const LoadResult result = parse(R"(port: x
observed_services:
  - name: a
    service_url: a
    routes:
      - {name: r, methods: get, pattern: /}
      - nothing
  - 7
access_log: maybe
)",
                                  "gate.yaml");
  ASSERT_FALSE(result.ok());
  std::vector<std::string> places;
  for (const Diagnostic& diagnostic : result.error())
    places.push_back(std::to_string(diagnostic.mark.line) + " " + diagnostic.path);
  EXPECT_THAT(places,
              ElementsAre("1 port", "4 observed_services[0].service_url", "6 observed_services[0].routes[0].methods",
                          "7 observed_services[0].routes[1]", "8 observed_services[1]", "9 access_log"));
}

TEST(Parser, ListsMustBeListsWithSomethingInThem) {
  EXPECT_THAT(diagnose("observed_services: []\n"), HasSubstr("1:20: observed_services: the list is empty"));
  EXPECT_THAT(diagnose("observed_services:\n"), HasSubstr("observed_services: expected a list, got no value"));
  EXPECT_THAT(diagnose("observed_services: {a: b}\n"), HasSubstr("observed_services: expected a list, got a mapping"));
  EXPECT_THAT(diagnose("observed_services:\n  - name: a\n    service_url: http://a\n    routes: none\n"),
              HasSubstr("observed_services[0].routes: expected a list, got 'none'"));
  EXPECT_THAT(diagnose("port: 7000\n"), HasSubstr("1:1: observed_services: this key is required and missing"));
}

TEST(Parser, NeverShowsAPassword) {
  for (const char* url : {"http://me:hunter2@a/", "me:hunter2@a", "http://me:hunter2@a/#x"}) {
    const std::string said = diagnose(with_routes("    service_url: '" + std::string(url) + "'"));
    EXPECT_THAT(said, HasSubstr("user info is not supported"));
    EXPECT_EQ(said.find("hunter2"), std::string::npos) << said;
  }
}

TEST(Parser, IsBoundedHoweverMuchIsWrong) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "frobnicate" + std::to_string(i) + ": 1\n";
  const LoadResult result = parse(text, "gate.yaml");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().size(), DiagnosticList::kMost + 1);
  EXPECT_EQ(to_string(result.error().back()), "gate.yaml: and 199001 more");
}

TEST(Parser, OneVeryLongLineIsNotQuadratic) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += "frobnicate" + std::to_string(i) + ": 1, ";
  const LoadResult result = parse(text + "}", "gate.yaml");
  ASSERT_FALSE(result.ok());
  EXPECT_LT(result.error()[500].source_line.size(), 200U);
}

TEST(Parser, TextBeyondTheLimitIsNotLookedAt) {
  EXPECT_EQ(diagnose(std::string(kMaxFileBytes + 1, ' ')), "gate.yaml: the file is larger than 16 MiB");
}

}  // namespace
}  // namespace restgate::config
