// config_watch: a changed file is taken over without a signal, in whatever way it was changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "integration/support/load.h"
#include "integration/support/played.h"
#include "unit/worker/tls_support.h"

namespace restgate::itest {
namespace {

namespace fs = std::filesystem;

constexpr char kFinished[] = "reload finished";

std::string message_of(const Json& record) {
  return record.value("msg", std::string());
}

ConfigText route_of(const std::string& url, const std::string& name, bool watch = true) {
  ConfigText config;
  config.set("workers", "2").set("access_log", "false").set("config_watch", watch ? "true" : "false");
  return config.service("backend", url).route(name, "GET", "/" + name);
}

/// What Kubernetes makes of a ConfigMap's volume: restgate.yaml → ..data/restgate.yaml, ..data → ..N; an update is a
/// new ..N and one rename() of a link.
class ConfigMap {
 public:
  explicit ConfigMap(const std::string& file) : file_(file), directory_(fs::path(file).parent_path()) {
    std::ifstream stream(file_);
    publish({std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()});
    fs::create_symlink("..data/restgate.yaml", directory_ / "link");
    fs::rename(directory_ / "link", file_);
  }
  void publish(const std::string& yaml) {
    const std::string before = "..2026_" + std::to_string(version_);
    const std::string next = "..2026_" + std::to_string(++version_);
    fs::create_directory(directory_ / next);
    std::ofstream(directory_ / next / "restgate.yaml") << yaml;
    fs::create_symlink(next, directory_ / "..data_tmp");
    fs::rename(directory_ / "..data_tmp", directory_ / "..data");
    fs::remove_all(directory_ / before);
  }

 private:
  fs::path file_;
  fs::path directory_;
  int version_ = 0;
};

TEST(ConfigWatch, FollowsAConfigMapWithoutLosingARequest) {
  HandlerOrigin origin(always("steady"));
  Gateway gateway(route_of(origin.url(), "a"));
  ConfigMap map(gateway.config_path());
  Load load({.port = gateway.port(), .request = request_head("GET", "/a"), .expected_body = "steady", .clients = 2});
  for (const char* route : {"b", "c"}) {
    ConfigText next = route_of(origin.url(), "a");
    next.route(route, "GET", std::string("/") + route);
    map.publish(next.yaml());
    EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
    EXPECT_EQ(gateway.get(std::string("/") + route).status(), 200);
    load.await_more(20);
  }
  load.stop();
  EXPECT_EQ(load.failures(), "");
  EXPECT_EQ(gateway.metrics().sum("restgate_generation"), 3)
      << "two contents, two reloads: that the file became a link was none";
  gateway.stop();
}

TEST(ConfigWatch, FollowsAWriteInPlaceAndARename) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(route_of(origin.url(), "a"));
  std::ofstream(gateway.config_path()) << route_of(origin.url(), "b").yaml();
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(gateway.get("/b").status(), 200);
  gateway.rewrite_config(route_of(origin.url(), "c").yaml());
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(gateway.get("/c").status(), 200);
  gateway.stop();
}

TEST(ConfigWatch, ABadFileIsRefusedOnceAndAGoodOneAfterItTaken) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(route_of(origin.url(), "a"));
  gateway.rewrite_config("prot: 1\n");
  EXPECT_THAT(message_of(gateway.next_verdict()), testing::StartsWith("reload failed"));
  EXPECT_EQ(gateway.metrics().sum("restgate_config_last_reload_successful"), 0);
  gateway.rewrite_config("prot: 1\n");  // the same again: nothing new to say
  gateway.rewrite_config(route_of(origin.url(), "a").yaml());
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished) << "back to what was in service: no failure stands";
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_config_last_reload_successful"), 1);
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "failure"}}), 1);
  gateway.stop();
}

TEST(ConfigWatch, IsOffUnlessAskedForAndSwitchedByAReload) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(route_of(origin.url(), "a", false));
  EXPECT_EQ(descriptor_targets(gateway.pid()).count("anon_inode:inotify"), 0U);
  gateway.reload(route_of(origin.url(), "b"));  // switches it on
  gateway.rewrite_config(route_of(origin.url(), "c").yaml());
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(descriptor_targets(gateway.pid()).count("anon_inode:inotify"), 1U);
  for (const pid_t worker : gateway.workers())
    EXPECT_EQ(descriptor_targets(worker).count("anon_inode:inotify"), 0U) << "it is the master's";
  gateway.rewrite_config(route_of(origin.url(), "d", false).yaml());  // switches it off, the last thing it does
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_TRUE(eventually([&] { return descriptor_targets(gateway.pid()).count("anon_inode:inotify") == 0; }));
  gateway.rewrite_config(route_of(origin.url(), "e", false).yaml());
  EXPECT_EQ(gateway.get("/e").status(), 404);
  gateway.stop();
}

TEST(ConfigWatch, AnswersASignalOnce) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(route_of(origin.url(), "a"));
  gateway.reload(route_of(origin.url(), "b"));  // the signal overtakes the watch
  gateway.rewrite_config(route_of(origin.url(), "c").yaml());
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(gateway.get("/c").status(), 200);
  EXPECT_EQ(gateway.metrics().sum("restgate_generation"), 3);
  gateway.stop();
}

TEST(ConfigWatch, SurvivesAnUpgrade) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(route_of(origin.url(), "a"));
  size_t seen = 0;
  gateway.signal(SIGUSR2);
  gateway.await_log([](const Json& record) { return message_of(record) == "upgrade finished"; }, "end of the upgrade",
                    &seen);
  gateway.rewrite_config(route_of(origin.url(), "b").yaml());
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(gateway.get("/b").status(), 200);
  gateway.stop();
}

TEST(ConfigWatch, TakesARenewedCertificate) {
  HandlerOrigin origin(always("x"));
  TempDir secrets;
  const std::string authority = secrets.path() + "/ca.pem";
  test::Certificate{{}}.write_certificate(authority);
  ConfigText config = route_of(origin.url(), "a");
  // A service that nobody asks: what counts is that its file is read anew.
  config.service("secure", "https://127.0.0.1:1", {{"tls", "{ca_file: " + authority + "}"}}).route("s", "GET", "/s");
  Gateway gateway(config);
  test::Certificate{{}}.write_certificate(authority);
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  EXPECT_EQ(gateway.metrics().sum("restgate_generation"), 2);
  secrets.write("ca.pem", "no certificate\n");
  EXPECT_THAT(message_of(gateway.next_verdict()), testing::StartsWith("reload failed"));
  gateway.stop();
}

TEST(ConfigWatch, TakesAnotherToken) {
  HandlerOrigin origin(always("x"));
  TempDir secrets;
  secrets.write("token", "correct-horse-battery\n");
  ConfigText config = route_of(origin.url(), "a");
  config.set("admin_token_file", secrets.path() + "/token");
  Gateway gateway(config);
  secrets.write("token", "another-horse-battery\n");
  EXPECT_EQ(message_of(gateway.next_verdict()), kFinished);
  const auto status_with = [&gateway](const std::string& token) {
    Stream client = Stream::connect(gateway.admin_port());
    return client.exchange(request_head("GET", "/status", "Authorization: Bearer " + token + "\r\n")).status();
  };
  EXPECT_EQ(status_with("correct-horse-battery"), 401);
  EXPECT_EQ(status_with("another-horse-battery"), 200);
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
