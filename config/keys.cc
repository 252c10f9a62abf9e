#include "config/keys.h"

#include <string>

#include "config/text.h"
#include "config/value.h"

namespace restgate::config {
namespace {

constexpr uint64_t kHourMs = 3'600'000;
constexpr uint64_t kLongestMs = 1000 * kHourMs;  // a coarse timer's 32 bits of milliseconds hold it
constexpr uint64_t kLongestName = 128;           // bytes; it becomes a metrics label
constexpr uint64_t kLongestText = 4096;          // bytes, of a description or a file name
constexpr uint64_t kLongestSocketPath = 107;     // bytes, of a unix socket's address
constexpr uint64_t kLongestAddress = 64;         // bytes, of a numeric address with its zone
constexpr uint64_t kLongestAccount = 256;        // bytes, of a user's or group's name

constexpr std::string_view kLogLevels[] = {"trace", "debug", "info", "warn", "error"};  // as LogLevel
constexpr std::string_view kLogFormats[] = {"text", "json"};                            // as LogFormat
constexpr std::string_view kAccessFormats[] = {"text", "json", "combined"};             // as AccessFormat
constexpr std::string_view kInherited = "the top level's";

constexpr KeyInfo duration(std::string_view name, std::string_view default_text, std::string_view doc) {
  return {.name = name,
          .kind = ValueKind::Duration,
          .default_text = default_text,
          .may_be_off = default_text == "off" || default_text == "0s",
          .min = 1,
          .max = kLongestMs,
          .doc = doc};
}

constexpr KeyInfo boolean(std::string_view name, std::string_view default_text, std::string_view doc) {
  return {.name = name, .kind = ValueKind::Boolean, .default_text = default_text, .doc = doc};
}

constexpr KeyInfo port(std::string_view name, std::string_view default_text, std::string_view doc) {
  return {.name = name, .kind = ValueKind::Integer, .default_text = default_text, .min = 0, .max = 65535, .doc = doc};
}

constexpr KeyInfo name_key(std::string_view doc) {
  return {.name = "name", .kind = ValueKind::Name, .required = true, .min = 1, .max = kLongestName, .doc = doc};
}

constexpr KeyInfo file(std::string_view name, std::string_view note, std::string_view doc) {
  return {.name = name, .kind = ValueKind::File, .default_note = note, .min = 1, .max = kLongestText, .doc = doc};
}

constexpr KeyInfo account(std::string_view name, std::string_view note, std::string_view doc) {
  return {.name = name, .kind = ValueKind::Account, .default_note = note, .min = 1, .max = kLongestAccount, .doc = doc};
}

constexpr KeyInfo body_size(std::string_view default_text, std::string_view doc) {
  return {.name = "max_body_size",
          .kind = ValueKind::Size,
          .default_text = default_text,
          .may_be_off = true,
          .min = 1,
          .max = INT64_MAX,
          .doc = doc};
}

/// The same key at a route: its default is what the top level says.
constexpr KeyInfo inherited(KeyInfo key) {
  key.default_text = "";
  key.default_note = kInherited;
  key.may_be_off = true;
  return key;
}

constexpr Key<Config> kConfigKeys[] = {
    {port("port", "7000", "Port of the data plane, on every address. 0: any free port."), store<&Config::port>},
    {port("admin_port", "9000",
          "Port of health, readiness, metrics, status and the page. Must differ from `port`. 0: any free one."),
     store<&Config::admin_port>},
    {{.name = "admin_address",
      .kind = ValueKind::Address,
      .default_note = "every address",
      .min = 1,
      .max = kLongestAddress,
      .doc = "Address on which `admin_port` listens, such as `127.0.0.1` or `::1`."},
     store_admin_address},
    {file("admin_token_file", "none",
          "File with a token that clients of `admin_port` must send (`Authorization: Bearer TOKEN`) for everything but "
          "`/healthz` and `/readyz`. Read when the configuration is. The unix socket needs none."),
     store<&Config::admin_token_file>},
    {{.name = "admin_socket",
      .kind = ValueKind::File,
      .default_note = "none",
      .min = 1,
      .max = kLongestSocketPath,
      .doc = "Absolute path of a unix socket (mode 0600) that serves what `admin_port` serves, and `restgate reload`."},
     store_admin_socket},
    {{.name = "workers",
      .kind = ValueKind::IntegerOrAuto,
      .default_text = "auto",
      .min = 1,
      .max = 256,
      .doc = "Worker processes. `auto`: as many as CPUs that this process may use (affinity, cgroup quota)."},
     store<&Config::workers>},
    {boolean("config_watch", "false",
             "Reload by itself when the content of this file, or of one that it names (certificates, keys, token), has "
             "changed; so a ConfigMap's update is followed."),
     store<&Config::config_watch>},
    {account("user", "as the master",
             "User, by name or number, as whom the workers run; the master keeps what it needs. Needs a master that "
             "may change to it, such as root."),
     store<&Config::user>},
    {account("group", "those of `user`", "Group of the workers, by name or number, instead of the own one of `user`."),
     store<&Config::group>},
    {{.name = "log_level",
      .kind = ValueKind::Choice,
      .default_text = "info",
      .choices = kLogLevels,
      .doc = "Least severe level that is logged."},
     store<&Config::log_level>},
    {{.name = "log_format",
      .kind = ValueKind::Choice,
      .default_text = "text",
      .choices = kLogFormats,
      .doc = "How log records are written to stderr."},
     store<&Config::log_format>},
    {{.name = "access_log",
      .kind = ValueKind::BooleanOrMapping,
      .default_text = "true",
      .doc = "One record per request, at level info; or where they go, how, and of which requests."},
     store_access_log},
    {{.name = "request_duration_buckets",
      .kind = ValueKind::Durations,
      .default_text = "[500us, 1ms, 2.5ms, 5ms, 10ms, 25ms, 50ms, 100ms, 250ms, 500ms, 1s, 2.5s, 5s, 10s]",
      .min = 10,
      .max = stats::kMaxDurationBound,
      .doc = "Upper bounds of the histograms of durations: up to 30, ascending, 10us to 30m."},
     store_duration_buckets},
    {duration("read_header_timeout", "10s", "Time for a client to send a whole request head; then 408."),
     store<&Config::read_header_timeout>},
    {duration("read_timeout", "off", "Time for a client to send a whole request, body included."),
     store<&Config::read_timeout>},
    {duration("write_timeout", "off", "Time for a whole response to reach the client."), store<&Config::write_timeout>},
    {duration("idle_timeout", "120s", "How long a client connection is kept between two requests."),
     store<&Config::idle_timeout>},
    {duration("shutdown_timeout", "15s", "Time for requests in flight to finish at shutdown; then they are cut."),
     store<&Config::shutdown_timeout>},
    {duration("pre_drain_delay", "0s",
              "At shutdown, how long to go on accepting while `/readyz` says 503 already and answers carry "
              "`Connection: close`. `shutdown_timeout` begins after it."),
     store<&Config::pre_drain_delay>},
    {duration("stream_drain_timeout", "1h",
              "After a reload, how long workers of the old configuration may live for streams and tunnels that cannot "
              "be handed over."),
     store<&Config::stream_drain_timeout>},
    {duration("connect_timeout", "5s", "Time to connect to a backend, TLS included; then 504."),
     store<&Config::connect_timeout>},
    {duration("response_header_timeout", "off", "Time for a backend to send its response head; then 504."),
     store<&Config::response_header_timeout>},
    {duration("tunnel_idle_timeout", "off", "How long an upgraded connection (WebSocket) may be silent both ways."),
     store<&Config::tunnel_idle_timeout>},
    {{.name = "max_header_size",
      .kind = ValueKind::Size,
      .default_text = "64KiB",
      .min = 1024,
      .max = 1024 * 1024,
      .doc = "Bytes of a message's head, 1KiB to 1MiB; a longer request gets 431."},
     store<&Config::max_header_size>},
    {{.name = "max_headers",
      .kind = ValueKind::Integer,
      .default_text = "200",
      .min = 1,
      .max = 10'000,
      .doc = "Header fields of a message; a request with more gets 431."},
     store<&Config::max_headers>},
    {body_size("off", "Bytes of a request's body; a longer one gets 413."), store<&Config::max_body_size>},
    {boolean("via", "true", "Add a `Via` field to requests and responses."), store<&Config::via>},
    {{.name = "trusted_proxies",
      .kind = ValueKind::AddressBlocks,
      .default_note = "not set",
      .doc =
          "Proxies before this one, as a list of addresses and blocks such as `10.0.0.0/8`. Their `X-Forwarded-*` are "
          "kept, and the client in the log is the last address in `X-Forwarded-For` that is not theirs; everybody "
          "else's are replaced. Not set: `X-Forwarded-For` is added to, whoever sends it."},
     store_trusted_proxies},
    {boolean("request_id", "true",
             "Send `X-Request-Id` to backends and clients: the client's if it is 1 to 128 letters, digits or "
             "`._~+/=:@-`, else a new one (UUID version 7)."),
     store<&Config::request_id>},
    {boolean("tracing", "false",
             "Begin a trace (W3C `traceparent`) where a request has none, and be a span of it. `false`: a valid one is "
             "passed on as it is."),
     store<&Config::tracing>},
    {boolean("server_timing", "false",
             "Add a `Server-Timing` field to responses: `queue`, `connect`, `backend`, in milliseconds."),
     store<&Config::server_timing>},
    {boolean("proxy_protocol", "false",
             "Every connection begins with a PROXY protocol header (version 1 or 2), which tells the client's address; "
             "one that does not is closed."),
     store<&Config::proxy_protocol>},
    {{.name = "observed_services",
      .kind = ValueKind::List,
      .required = true,
      .doc = "The backend services and their routes."},
     nullptr},
};

constexpr uint64_t kMostSampled = 1'000'000;

constexpr Key<AccessLogOptions> kAccessLogKeys[] = {
    {{.name = "file",
      .kind = ValueKind::File,
      .default_note = "standard error",
      .min = 1,
      .max = kLongestText,
      .doc = "Absolute path of a file that records are appended to; opened anew at SIGUSR1."},
     store_access_log_file},
    {{.name = "format",
      .kind = ValueKind::Choice,
      .default_note = "as `log_format`",
      .choices = kAccessFormats,
      .doc = "`combined` is that of Apache and nginx; it has no more fields than it has there."},
     store_access_log_format},
    {{.name = "min_status",
      .kind = ValueKind::Integer,
      .default_note = "not set",
      .min = 100,
      .max = 599,
      .doc = "With this or `slower_than`: a record of requests that meet one of them. This status or above."},
     store<&AccessLogOptions::min_status>},
    {{.name = "slower_than",
      .kind = ValueKind::Duration,
      .default_note = "not set",
      .min = 1,
      .max = kLongestMs,
      .doc = "Requests that took longer."},
     store<&AccessLogOptions::slower_than>},
    {{.name = "sample",
      .kind = ValueKind::Integer,
      .default_note = "not set",
      .min = 1,
      .max = kMostSampled,
      .doc = "Of all other requests, 1 in so many; by itself, of all."},
     store<&AccessLogOptions::sample>},
};

constexpr Key<Service> kServiceKeys[] = {
    {name_key("Unique name, for logs and metrics."), store<&Service::name>},
    {{.name = "service_url",
      .kind = ValueKind::Url,
      .required = true,
      .doc =
          "`http://` or `https://`, host, optional port, base path and query. The base path goes before the client's "
          "path, the query before the client's query."},
     store_url},
    {boolean("preserve_host", "false", "Send the client's `Host` instead of the service's own."),
     store<&Service::preserve_host>},
    {{.name = "tls",
      .kind = ValueKind::Mapping,
      .default_note = "verified by the system's CAs",
      .doc = "How an `https` service is verified and what it is shown."},
     nullptr},
    {{.name = "routes", .kind = ValueKind::List, .required = true, .doc = "What of the service is reachable."},
     nullptr},
};

constexpr Key<TlsOptions> kTlsKeys[] = {
    {file("ca_file", "the system's CAs", "PEM file of the CAs that may have signed the service's certificate."),
     store<&TlsOptions::ca_file>},
    {{.name = "server_name",
      .kind = ValueKind::Host,
      .default_note = "the host of `service_url`",
      .min = 1,
      .max = 254,
      .doc = "Name that is sent as SNI and that the certificate must bear."},
     store_server_name},
    {file("client_cert_file", "none", "PEM file of the certificate chain that RESTGate shows the service."),
     store<&TlsOptions::client_cert_file>},
    {file("client_key_file", "none", "PEM file of that certificate's key. One needs the other."),
     store<&TlsOptions::client_key_file>},
    {boolean("verify", "true", "`false` accepts any certificate: for tests only."), store<&TlsOptions::verify>},
};

constexpr Key<Route> kRouteKeys[] = {
    {name_key("Unique name, for logs; the label `route` of the metrics. Not `unmatched`."), store<&Route::name>},
    {{.name = "methods",
      .kind = ValueKind::Methods,
      .required = true,
      .doc = "Methods, separated by commas or as a list. GET serves HEAD too."},
     store_methods},
    {{.name = "pattern",
      .kind = ValueKind::Pattern,
      .required = true,
      .doc = "Path: `{x}` is one segment, `{x:regex}` one that matches, `{x...}` the rest of the path."},
     store_pattern},
    {{.name = "description",
      .kind = ValueKind::Text,
      .default_note = "none",
      .max = kLongestText,
      .doc = "For people."},
     store<&Route::description>},
    {inherited(duration("response_header_timeout", "", "As at the top level, for this route.")),
     store<&Route::response_header_timeout>},
    {inherited(duration("read_timeout", "", "As at the top level, for this route.")), store<&Route::read_timeout>},
    {inherited(duration("write_timeout", "", "As at the top level, for this route.")), store<&Route::write_timeout>},
    {inherited(body_size("", "As at the top level, for this route.")), store<&Route::max_body_size>},
};

template <typename T>
std::vector<KeyInfo> infos(std::span<const Key<T>> keys) {
  std::vector<KeyInfo> all;
  for (const Key<T>& key : keys) all.push_back(key.info);
  return all;
}

}  // namespace

std::span<const Key<Config>> config_keys() {
  return kConfigKeys;
}
std::span<const Key<AccessLogOptions>> access_log_keys() {
  return kAccessLogKeys;
}
std::span<const Key<Service>> service_keys() {
  return kServiceKeys;
}
std::span<const Key<TlsOptions>> tls_keys() {
  return kTlsKeys;
}
std::span<const Key<Route>> route_keys() {
  return kRouteKeys;
}

std::vector<KeyLevel> key_levels() {
  return {
      {"", "the top level", infos(config_keys())},
      {"access_log", "access_log", infos(access_log_keys())},
      {"observed_services[]", "a service", infos(service_keys())},
      {"observed_services[].tls", "tls", infos(tls_keys())},
      {"observed_services[].routes[]", "a route", infos(route_keys())},
  };
}

}  // namespace restgate::config
