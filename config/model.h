// Config: one validated configuration. Immutable once built; shared copy-on-write by master and workers.
//
// Built only by config/parser.h. Everything in it is normalised: no later stage checks it again.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/cidr.h"
#include "common/http_method.h"
#include "common/log.h"
#include "common/platform/identity.h"
#include "common/stats/schema.h"
#include "config/pattern.h"

namespace restgate::config {

/// Where something stands in the file; 1-based.
struct SourceMark {
  uint32_t line = 0;
  uint32_t column = 0;
};

enum class Scheme : uint8_t { Http, Https };

/// A service_url taken apart.
struct ServiceUrl {
  Scheme scheme = Scheme::Http;
  std::string host;       ///< lower case; an IPv6 literal without its brackets
  uint16_t port = 80;     ///< as given, or the scheme's own
  std::string authority;  ///< what the backend gets as Host: host[:port], the scheme's own port left out
  std::string base_path;  ///< "" or "/base": never ends with '/'
  std::string query;      ///< without '?'; goes before the client's
};

/// How an https service's certificate is checked and what we show it.
struct TlsOptions {
  std::string ca_file;           ///< "": the system's CAs
  std::string server_name;       ///< "": the URL's host
  std::string client_cert_file;  ///< "": none
  std::string client_key_file;
  bool verify = true;
};

struct Service {
  std::string name;
  ServiceUrl url;
  bool preserve_host = false;
  TlsOptions tls;
  SourceMark mark;
};

struct Route {
  std::string name;
  std::vector<std::string> methods;  ///< upper case as declared, no duplicates; GET also serves HEAD
  Pattern pattern;
  std::string description;
  uint32_t service = 0;                                  ///< index in Config::services
  std::chrono::milliseconds response_header_timeout{0};  ///< the route's own or the global one; 0: off
  std::chrono::milliseconds read_timeout{0};             ///< likewise
  std::chrono::milliseconds write_timeout{0};            ///< likewise
  uint64_t max_body_size = 0;                            ///< likewise; bytes, 0: no limit
  SourceMark mark;
};

/// How a record of the access log is written.
enum class AccessFormat : uint8_t { Text, Json, Combined };

/// Where the access log goes, how, and which requests are in it.
struct AccessLogOptions {
  bool enabled = true;
  std::string file;                          ///< absolute path; "": standard error
  std::optional<AccessFormat> format;        ///< nothing: as log_format says
  uint16_t min_status = 0;                   ///< from here on all; 0: not given
  std::chrono::milliseconds slower_than{0};  ///< of those that took longer all; 0: not given
  uint32_t sample = 0;                       ///< 1 in so many of all others; 0: not given

  bool operator==(const AccessLogOptions&) const = default;
};

struct Config {
  std::string file;  ///< path as given, for messages

  uint16_t port = 7000;
  uint16_t admin_port = 9000;
  LogLevel log_level = LogLevel::Info;
  LogFormat log_format = LogFormat::Text;
  std::chrono::milliseconds read_header_timeout{10'000};  ///< 0: off, as for every duration here
  std::chrono::milliseconds read_timeout{0};
  std::chrono::milliseconds write_timeout{0};
  std::chrono::milliseconds idle_timeout{120'000};
  std::chrono::milliseconds shutdown_timeout{15'000};
  std::chrono::milliseconds pre_drain_delay{0};               ///< at a shutdown: still accepting
  std::chrono::milliseconds stream_drain_timeout{3'600'000};  ///< of this generation's workers, once it is an old one
  std::chrono::milliseconds response_header_timeout{0};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds tunnel_idle_timeout{0};
  uint32_t workers = 0;          ///< 0: auto
  bool config_watch = false;     ///< reload by itself when the file, or one that it names, has got another content
  std::string admin_address;     ///< numeric; "": every address of both families
  std::string admin_token_file;  ///< "": no token is asked for
  /// SHA-256 of the token in that file. Only in a configuration that was loaded from a file.
  std::optional<std::array<uint8_t, 32>> admin_token;
  std::string admin_socket;  ///< absolute path of a unix socket; "": none
  std::string user;          ///< as given; "": the workers run as the master does
  std::string group;         ///< likewise
  /// What `user` and `group` come to on this system. Only in a configuration that was loaded from a file.
  std::optional<platform::Identity> identity;
  AccessLogOptions access_log;
  /// Upper bounds of the duration histograms, microseconds.
  stats::DurationBounds request_duration_buckets = stats::default_duration_bounds();
  uint32_t max_header_size = 64 * 1024;  ///< bytes of a message's head
  uint32_t max_headers = 200;            ///< fields of a message's head
  uint64_t max_body_size = 0;            ///< bytes; 0: no limit
  bool via = true;                       ///< add a Via field both ways
  bool request_id = true;                ///< X-Request-Id: kept or made, sent both ways
  bool tracing = false;                  ///< traceparent: begun, with a span of our own
  bool server_timing = false;            ///< add a Server-Timing field to responses
  bool proxy_protocol = false;           ///< each connection begins with a PROXY header
  /// Whose X-Forwarded-* are believed. Nothing: the key is not there, everybody's are added to. Empty: nobody's.
  std::optional<std::vector<Cidr>> trusted_proxies;

  std::vector<Service> services;
  std::vector<Route> routes;         ///< of all services, in file order; a route's id is its index
  std::vector<std::string> methods;  ///< MethodId → name: the standard ones, then those that routes declare
};

}  // namespace restgate::config
