// The tables of keys against the model: the defaults that they tell are those that a configuration has.
#include "config/keys.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "config/error_rows.h"
#include "config/parser.h"

namespace restgate::config {
namespace {

/// A file that writes every default out.
std::string all_defaults() {
  std::string text;
  std::string services = "observed_services:\n";
  for (const KeyLevel& level : key_levels()) {
    std::string lines;
    const std::string indent(level.path.empty() ? 0 : level.path.ends_with("tls") ? 6 : 4, ' ');
    if (level.path == "observed_services[]")
      lines = "  - name: a\n    service_url: https://a\n    routes: [{name: r, methods: GET, pattern: /}]\n";
    if (level.path.ends_with("tls")) lines = "    tls:\n";
    for (const KeyInfo& key : level.keys)
      if (!key.default_text.empty())
        lines += indent + std::string(key.name) + ": " + std::string(key.default_text) + "\n";
    if (level.path.empty())
      text = lines;
    else if (!level.path.ends_with("routes[]"))
      services += lines;
  }
  return text + services;
}

TEST(Keys, DefaultsAreThoseOfTheModel) {
  const LoadResult result = parse(all_defaults(), "f");
  ASSERT_TRUE(result.ok()) << to_string(result.error());
  const Config expected;
  EXPECT_EQ(result->port, expected.port);
  EXPECT_EQ(result->admin_port, expected.admin_port);
  EXPECT_EQ(result->workers, expected.workers);
  EXPECT_EQ(result->log_level, expected.log_level);
  EXPECT_EQ(result->log_format, expected.log_format);
  EXPECT_EQ(result->access_log, expected.access_log);
  EXPECT_EQ(result->request_id, expected.request_id);
  EXPECT_EQ(result->tracing, expected.tracing);
  EXPECT_EQ(result->server_timing, expected.server_timing);
  EXPECT_EQ(result->request_duration_buckets, expected.request_duration_buckets);
  EXPECT_EQ(result->read_header_timeout, expected.read_header_timeout);
  EXPECT_EQ(result->read_timeout, expected.read_timeout);
  EXPECT_EQ(result->write_timeout, expected.write_timeout);
  EXPECT_EQ(result->idle_timeout, expected.idle_timeout);
  EXPECT_EQ(result->shutdown_timeout, expected.shutdown_timeout);
  EXPECT_EQ(result->pre_drain_delay, expected.pre_drain_delay);
  EXPECT_EQ(result->stream_drain_timeout, expected.stream_drain_timeout);
  EXPECT_EQ(result->connect_timeout, expected.connect_timeout);
  EXPECT_EQ(result->response_header_timeout, expected.response_header_timeout);
  EXPECT_EQ(result->tunnel_idle_timeout, expected.tunnel_idle_timeout);
  EXPECT_EQ(result->max_header_size, expected.max_header_size);
  EXPECT_EQ(result->max_headers, expected.max_headers);
  EXPECT_EQ(result->max_body_size, expected.max_body_size);
  EXPECT_EQ(result->via, expected.via);
  EXPECT_EQ(result->config_watch, expected.config_watch);
  EXPECT_EQ(result->proxy_protocol, expected.proxy_protocol);
  EXPECT_EQ(result->trusted_proxies, expected.trusted_proxies);
  EXPECT_EQ(result->services.at(0).preserve_host, Service().preserve_host);
  EXPECT_EQ(result->services.at(0).tls.verify, TlsOptions().verify);
}

TEST(Keys, EachSaysWhatItIsAndWhatItsDefaultIs) {
  for (const KeyLevel& level : key_levels()) {
    std::set<std::string_view> names;
    for (const KeyInfo& key : level.keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name;
      EXPECT_TRUE(key.doc.ends_with('.')) << key.name;
      EXPECT_FALSE(expectation(key).empty()) << key.name;
      const bool has_default = !key.default_text.empty() || !key.default_note.empty();
      EXPECT_NE(key.required, has_default) << key.name;
      for (const char c : std::string(key.name) + std::string(key.doc) + std::string(key.default_text))
        EXPECT_TRUE(c >= ' ' && c != '|') << key.name;  // a table's cell and a JSON string as they are
    }
  }
}

TEST(Keys, BoundsAreInclusive) {
  for (const std::string_view good :
       {"port: 65535", "workers: 1", "workers: 256", "max_headers: 1", "max_headers: 10000", "max_header_size: 1KiB",
        "max_header_size: 1MiB", "idle_timeout: 1ms", "idle_timeout: 1000h", "max_body_size: 1", "pre_drain_delay: 0s",
        "pre_drain_delay: 0", "pre_drain_delay: off", "access_log: {min_status: 100, sample: 1}",
        "access_log: {min_status: 599, sample: 1000000}"})
    EXPECT_EQ(diagnose(with_services(good)), "accepted") << good;
  for (const std::string_view bad :
       {"port: 65536", "workers: 257", "max_headers: 10001", "max_header_size: 1023", "max_header_size: 1048577",
        "idle_timeout: 1000h1ms", "access_log: {min_status: 99}", "access_log: {min_status: 600}",
        "access_log: {sample: 0}", "access_log: {slower_than: off}"})
    EXPECT_NE(diagnose(with_services(bad)), "accepted") << bad;
}

}  // namespace
}  // namespace restgate::config
