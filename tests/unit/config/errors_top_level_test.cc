// Keys of the top level: unknown ones, numbers, truth values, durations, sizes, choices.
#include <gtest/gtest.h>

#include <string>

#include "config/error_rows.h"

namespace restgate::config {
namespace {

const ErrorRow kRows[] = {
    {"UnknownKey", "frobnicate: 1",
     R"(gate.yaml:1:1: frobnicate: unknown key
  frobnicate: 1
  ^)"},
    {"NearMiss", "prot: 7000",
     R"(gate.yaml:1:1: prot: unknown key; did you mean 'port'?
  prot: 7000
  ^)"},
    {"MisspeltRequiredKey", "observed_service: []",
     R"(gate.yaml:1:1: observed_service: unknown key; did you mean 'observed_services'?
  observed_service: []
  ^)"},
    {"OtherSpelling", "readTimeout: 5s",
     R"(gate.yaml:1:1: readTimeout: unknown key; did you mean 'read_timeout'?
  readTimeout: 5s
  ^)"},
    {"Hyphen", "read-timeout: 5s",
     R"(gate.yaml:1:1: read-timeout: unknown key; did you mean 'read_timeout'?
  read-timeout: 5s
  ^)"},
    {"RouteKeyAtTheTop", "pattern: /x",
     R"(gate.yaml:1:1: pattern: unknown key here: it belongs to a route
  pattern: /x
  ^)"},
    {"EmptyKey", "\"\": 1",
     R"(gate.yaml:1:1: an empty key
  "": 1
  ^)"},
    {"HostileKey", "\"a\\nb\\e[31m\": 1",
     R"(gate.yaml:1:1: a\nb\x1b[31m: unknown key
  "a\nb\e[31m": 1
  ^)"},
    {"PortTooLarge", "port: 70000",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got '70000'
  port: 70000
        ^)"},
    {"PortNegative", "port: -1",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got '-1'
  port: -1
        ^)"},
    {"PortText", "port: http",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got 'http'
  port: http
        ^)"},
    {"PortQuoted", "port: \"7000\"",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535 without quotes, got the text '7000'
  port: "7000"
        ^)"},
    {"PortOctal", "port: 07000",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got '07000'
  port: 07000
        ^)"},
    {"PortHex", "port: 0x10",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got '0x10'
  port: 0x10
        ^)"},
    {"PortMissing", "port:",
     R"(gate.yaml:1:6: port: expected a whole number from 0 to 65535, got no value
  port:
       ^)"},
    {"PortList", "port: [7000]",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got a list
  port: [7000]
        ^)"},
    {"PortFraction", "port: 7000.5",
     R"(gate.yaml:1:7: port: expected a whole number from 0 to 65535, got '7000.5'
  port: 7000.5
        ^)"},
    {"SamePorts", R"(port: 8080
admin_port: 8080)",
     R"(gate.yaml:2:13: admin_port: must differ from port, which is 8080 too
  admin_port: 8080
              ^)"},
    {"PortIsTheDefaultAdminPort", "port: 9000",
     R"(gate.yaml:1:7: port: must differ from admin_port, which is 9000 too
  port: 9000
        ^)"},
    {"AdminPortIsTheDefaultPort", "admin_port: 7000",
     R"(gate.yaml:1:13: admin_port: must differ from port, which is 7000 too
  admin_port: 7000
              ^)"},
    {"WorkersZero", "workers: 0",
     R"(gate.yaml:1:10: workers: expected auto or a whole number from 1 to 256, got '0'
  workers: 0
           ^)"},
    {"WorkersMany", "workers: 257",
     R"(gate.yaml:1:10: workers: expected auto or a whole number from 1 to 256, got '257'
  workers: 257
           ^)"},
    {"WorkersWord", "workers: many",
     R"(gate.yaml:1:10: workers: expected auto or a whole number from 1 to 256, got 'many'
  workers: many
           ^)"},
    {"LogLevel", "log_level: loud",
     R"(gate.yaml:1:12: log_level: expected trace, debug, info, warn or error, got 'loud'
  log_level: loud
             ^)"},
    {"LogLevelNear", "log_level: warning",
     R"(gate.yaml:1:12: log_level: expected trace, debug, info, warn or error, got 'warning'; did you mean 'warn'?
  log_level: warning
             ^)"},
    {"LogFormat", "log_format: xml",
     R"(gate.yaml:1:13: log_format: expected text or json, got 'xml'
  log_format: xml
              ^)"},
    {"BucketsNoList", "request_duration_buckets: 1s",
     R"(gate.yaml:1:27: request_duration_buckets: expected a list of durations such as [10ms, 100ms, 1s], got '1s'
  request_duration_buckets: 1s
                            ^)"},
    {"BucketsNone", "request_duration_buckets: []",
     R"(gate.yaml:1:27: request_duration_buckets: expected 1 to 30 durations, got 0
  request_duration_buckets: []
                            ^)"},
    {"BucketsTwice", "request_duration_buckets: [1s, 1000ms]",
     R"(gate.yaml:1:32: request_duration_buckets: '1000ms' is not longer than the one before it: the list must ascend
  request_duration_buckets: [1s, 1000ms]
                                 ^)"},
    {"BucketsTooSmall", "request_duration_buckets: [9us]",
     R"(gate.yaml:1:28: request_duration_buckets: expected a duration from 10us to 30m, got '9us'
  request_duration_buckets: [9us]
                             ^)"},
    {"BucketsTooLarge", "request_duration_buckets: [1s, 1801s]",
     R"(gate.yaml:1:32: request_duration_buckets: expected a duration from 10us to 30m, got '1801s'
  request_duration_buckets: [1s, 1801s]
                                 ^)"},
    {"BucketsWithoutUnit", "request_duration_buckets: [1s, 5]",
     R"(gate.yaml:1:33: request_duration_buckets: the unit is missing: write '5s' for seconds or '5ms' for milliseconds
  request_duration_buckets: [1s, 5]
                                  ^)"},
    {"BucketsOfLists", "request_duration_buckets: [[1s]]",
     R"(gate.yaml:1:28: request_duration_buckets: expected a duration such as 10ms, got a list
  request_duration_buckets: [[1s]]
                             ^)"},
    {"AccessLogText", "access_log: maybe",
     R"(gate.yaml:1:13: access_log: expected true, false or a mapping, got 'maybe'
  access_log: maybe
              ^)"},
    {"AccessLogList", "access_log: [true]",
     R"(gate.yaml:1:13: access_log: expected true, false or a mapping, got a list
  access_log: [true]
              ^)"},
    {"AccessLogFileRelative", "access_log: {file: access.log}",
     R"(gate.yaml:1:20: access_log.file: expected an absolute path, got 'access.log'
  access_log: {file: access.log}
                     ^)"},
    {"AccessLogFormat", "access_log: {format: comined}",
     R"(gate.yaml:1:22: access_log.format: expected text, json or combined, got 'comined'; did you mean 'combined'?
  access_log: {format: comined}
                       ^)"},
    {"AccessLogUnknownKey", "access_log: {min_statsu: 500}",
     R"(gate.yaml:1:14: access_log.min_statsu: unknown key; did you mean 'min_status'?
  access_log: {min_statsu: 500}
               ^)"},
    {"BooleanYes", "access_log: yes",
     R"(gate.yaml:1:13: access_log: expected true or false, got 'yes'; did you mean 'true'?
  access_log: yes
              ^)"},
    {"BooleanOff", "access_log: off",
     R"(gate.yaml:1:13: access_log: expected true or false, got 'off'; did you mean 'false'?
  access_log: off
              ^)"},
    {"BooleanQuoted", "via: 'true'",
     R"(gate.yaml:1:6: via: expected true or false without quotes, got the text 'true'
  via: 'true'
       ^)"},
    {"BooleanNumber", "via: 1",
     R"(gate.yaml:1:6: via: expected true or false, got '1'
  via: 1
       ^)"},
    {"DurationWithoutUnit", "read_timeout: 10",
     R"(gate.yaml:1:17: read_timeout: the unit is missing: write '10s' for seconds or '10ms' for milliseconds
  read_timeout: 10
                  ^)"},
    {"DurationDays", "idle_timeout: 1d",
     R"(gate.yaml:1:16: idle_timeout: unknown unit 'd': the units are ns, us, ms, s, m and h (1 day is 24h)
  idle_timeout: 1d
                 ^)"},
    {"DurationBlank", "idle_timeout: 10 s",
     R"(gate.yaml:1:17: idle_timeout: a duration has no blanks: write the unit right after the number
  idle_timeout: 10 s
                  ^)"},
    {"DurationMin", "idle_timeout: 5min",
     R"(gate.yaml:1:16: idle_timeout: unknown unit 'min'; did you mean 'm'?
  idle_timeout: 5min
                 ^)"},
    {"DurationUpper", "idle_timeout: 5S",
     R"(gate.yaml:1:16: idle_timeout: unknown unit 'S'; did you mean 's'?
  idle_timeout: 5S
                 ^)"},
    {"DurationNegative", "write_timeout: -5s",
     R"(gate.yaml:1:16: write_timeout: a duration cannot be negative
  write_timeout: -5s
                 ^)"},
    {"DurationWord", "write_timeout: soon",
     R"(gate.yaml:1:16: write_timeout: expected a duration such as 500ms, 10s or 1m30s, got 'soon'
  write_timeout: soon
                 ^)"},
    {"DurationTooLong", "read_timeout: 2000h",
     R"(gate.yaml:1:15: read_timeout: expected a duration from 1ms to 1000h, or off, got '2000h'
  read_timeout: 2000h
                ^)"},
    {"DurationOverflow", "read_timeout: 99999999999999999999h",
     R"(gate.yaml:1:15: read_timeout: this duration is too long
  read_timeout: 99999999999999999999h
                ^)"},
    {"DurationOff", "connect_timeout: off",
     R"(gate.yaml:1:18: connect_timeout: cannot be off: expected a duration from 1ms to 1000h
  connect_timeout: off
                   ^)"},
    {"DurationZero", "shutdown_timeout: 0",
     R"(gate.yaml:1:19: shutdown_timeout: cannot be off: expected a duration from 1ms to 1000h
  shutdown_timeout: 0
                    ^)"},
    {"DurationMissing", "shutdown_timeout: ~",
     R"(gate.yaml:1:19: shutdown_timeout: expected a duration from 1ms to 1000h, got no value
  shutdown_timeout: ~
                    ^)"},
    {"StreamDrainOff", "stream_drain_timeout: off",
     R"(gate.yaml:1:23: stream_drain_timeout: cannot be off: expected a duration from 1ms to 1000h
  stream_drain_timeout: off
                        ^)"},
    {"AdminSocketRelative", "admin_socket: run/admin.sock",
     R"(gate.yaml:1:15: admin_socket: expected an absolute path, got 'run/admin.sock'
  admin_socket: run/admin.sock
                ^)"},
    {"AdminAddressName", "admin_address: localhost",
     R"(gate.yaml:1:16: admin_address: expected a numeric address such as 127.0.0.1 or ::1, got 'localhost'
  admin_address: localhost
                 ^)"},
    {"AdminAddressBracketed", "admin_address: '[::1]'",
     R"(gate.yaml:1:16: admin_address: expected a numeric address such as 127.0.0.1 or ::1, got '[::1]'
  admin_address: '[::1]'
                 ^)"},
    {"UserList", "user: [a]",
     R"(gate.yaml:1:7: user: expected a name or a number, got a list
  user: [a]
        ^)"},
    {"UserEmpty", "user: ''",
     R"(gate.yaml:1:7: user: is empty: expected a name or a number
  user: ''
        ^)"},
    {"GroupAlone", "group: www-data",
     R"(gate.yaml:1:8: group: says nothing without the key 'user'
  group: www-data
         ^)"},
    {"SizeUnit", "max_body_size: 10mb",
     R"(gate.yaml:1:18: max_body_size: unknown unit 'mb'; did you mean 'MB'?
  max_body_size: 10mb
                   ^)"},
    {"SizeK", "max_body_size: 64k",
     R"(gate.yaml:1:18: max_body_size: unknown unit 'k'; did you mean 'KB' or 'KiB'?
  max_body_size: 64k
                   ^)"},
    {"SizeFraction", "max_body_size: 1.5GB",
     R"(gate.yaml:1:17: max_body_size: a size is a whole number: use a smaller unit
  max_body_size: 1.5GB
                  ^)"},
    {"SizeNegative", "max_body_size: -1",
     R"(gate.yaml:1:16: max_body_size: a size cannot be negative
  max_body_size: -1
                 ^)"},
    {"SizeSmall", "max_header_size: 512",
     R"(gate.yaml:1:18: max_header_size: expected a size from 1KiB to 1MiB, got '512'
  max_header_size: 512
                   ^)"},
    {"SizeLarge", "max_header_size: 2MiB",
     R"(gate.yaml:1:18: max_header_size: expected a size from 1KiB to 1MiB, got '2MiB'
  max_header_size: 2MiB
                   ^)"},
    {"SizeOff", "max_header_size: off",
     R"(gate.yaml:1:18: max_header_size: cannot be off: expected a size from 1KiB to 1MiB
  max_header_size: off
                   ^)"},
    {"SizeOverflow", "max_body_size: 99999999TB",
     R"(gate.yaml:1:16: max_body_size: this size is too large
  max_body_size: 99999999TB
                 ^)"},
    {"MaxHeaders", "max_headers: 0",
     R"(gate.yaml:1:14: max_headers: expected a whole number from 1 to 10000, got '0'
  max_headers: 0
               ^)"},
    {"ProxiesText", "trusted_proxies: 10.0.0.0/8",
     R"(gate.yaml:1:18: trusted_proxies: expected a list of addresses and blocks such as 10.0.0.0/8, got '10.0.0.0/8'
  trusted_proxies: 10.0.0.0/8
                   ^)"},
    {"ProxiesMissing", "trusted_proxies:",
     R"(gate.yaml:1:17: trusted_proxies: expected a list of addresses and blocks such as 10.0.0.0/8, got no value
  trusted_proxies:
                  ^)"},
    {"ProxiesMapping", "trusted_proxies: {from: 10.0.0.0/8}",
     R"(gate.yaml:1:18: trusted_proxies: expected a list of addresses and blocks such as 10.0.0.0/8, got a mapping)"
     R"(: put a value that begins with '{' in quotes
  trusted_proxies: {from: 10.0.0.0/8}
                   ^)"},
    {"ProxyName", "trusted_proxies: [10.0.0.1, balancer]",
     R"(gate.yaml:1:29: trusted_proxies: 'balancer': expected an address or a block such as 10.0.0.0/8
  trusted_proxies: [10.0.0.1, balancer]
                              ^)"},
    {"ProxyHostBits", "trusted_proxies:\n  - 10.0.0.0/8\n  - 192.168.1.7/16",
     R"(gate.yaml:3:5: trusted_proxies: '192.168.1.7/16': has bits set behind its prefix; did you mean '192.168.0.0/16'?
    - 192.168.1.7/16
      ^)"},
    {"ProxyPrefix", "trusted_proxies: [10.0.0.0/33]",
     R"(gate.yaml:1:19: trusted_proxies: '10.0.0.0/33': the prefix length must be a number from 0 to 32
  trusted_proxies: [10.0.0.0/33]
                    ^)"},
    {"ProxyPrefix6", "trusted_proxies:\n- 2001:db8::/129",
     R"(gate.yaml:2:3: trusted_proxies: '2001:db8::/129': the prefix length must be a number from 0 to 128
  - 2001:db8::/129
    ^)"},
    {"ProxyNetmask", "trusted_proxies: [10.0.0.0/255.0.0.0]",
     R"(gate.yaml:1:19: trusted_proxies: '10.0.0.0/255.0.0.0': the prefix length must be a number from 0 to 32
  trusted_proxies: [10.0.0.0/255.0.0.0]
                    ^)"},
    {"ProxyNull", "trusted_proxies: [~]",
     R"(gate.yaml:1:19: trusted_proxies: expected an address or a block such as 10.0.0.0/8, got no value
  trusted_proxies: [~]
                    ^)"},
    {"ProxyList", "trusted_proxies: [[10.0.0.1]]",
     R"(gate.yaml:1:19: trusted_proxies: expected an address or a block such as 10.0.0.0/8, got a list
  trusted_proxies: [[10.0.0.1]]
                    ^)"},
    {"ProxyUnquoted", "trusted_proxies: [::1]",
     R"(gate.yaml:1:19: expected a value here: put one that begins with a ':' or a bracket in quotes
  trusted_proxies: [::1]
                    ^)"},
    {"ProxyProtocolVersion", "proxy_protocol: v2",
     R"(gate.yaml:1:17: proxy_protocol: expected true or false, got 'v2'
  proxy_protocol: v2
                  ^)"},
};

/// A unix socket's address has room for so much.
TEST(AdminSocket, MayBeAsLongAsTheKernelTakes) {
  const auto path = [](size_t length) { return "admin_socket: /" + std::string(length - 1, 'x'); };
  EXPECT_EQ(diagnose(with_services(path(107))), "accepted");
  EXPECT_NE(diagnose(with_services(path(108))).find("admin_socket: is longer than 107 bytes"), std::string::npos);
}

class TopLevelErrors : public testing::TestWithParam<ErrorRow> {};

TEST_P(TopLevelErrors, SaysExactly) {
  const ErrorRow& row = GetParam();
  EXPECT_EQ(diagnose(with_services(row.text)), row.expected);
}

INSTANTIATE_TEST_SUITE_P(Rows, TopLevelErrors, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace restgate::config
