// SIGUSR2: the installed program takes the running one's place unnoticed, or nothing changes at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "integration/support/load.h"
#include "integration/support/played.h"
#include "support/service_manager.h"

namespace restgate::itest {
namespace {

using testing::HasSubstr;

/// A directory with a program in it that can be replaced, as a package manager does it.
class Installed {
 public:
  Installed() { restore(); }
  [[nodiscard]] std::string path() const { return directory_.path() + "/restgate"; }
  /// The binary under test.
  void restore() const {
    remove();
    std::filesystem::create_symlink(gateway_binary(), path());
  }
  void replace(const std::string& content, bool executable = true) const {
    remove();
    ASSERT_EQ(directory_.write("restgate", content), path());
    ASSERT_EQ(::chmod(path().c_str(), executable ? 0755 : 0644), 0);
  }
  void remove() const { std::filesystem::remove(path()); }
  [[nodiscard]] ProcessOptions options(std::map<std::string, std::string> environment = {}) const {
    return {.arguments = {}, .environment = std::move(environment)};
  }

 private:
  TempDir directory_;
};

ConfigText workers_of(const std::string& url, const std::string& count = "2") {
  ConfigText config = catch_all(url);
  // Under load a line for each request would be more than the reader of the log keeps up with.
  return config.set("workers", count).set("access_log", "false");
}

std::string message_of(const Json& record) {
  return record.value("msg", std::string());
}

/// Sends SIGUSR2 and waits for what comes of it.
class Upgrader {
 public:
  explicit Upgrader(Gateway& gateway) : gateway_(gateway) {}
  void succeed() { EXPECT_EQ(message_of(verdict()), "upgrade finished"); }
  Json be_refused() {
    Json record = verdict();
    EXPECT_THAT(message_of(record), testing::StartsWith("upgrade refused")) << record.dump();
    return record;
  }
  Json verdict() {
    gateway_.signal(SIGUSR2);
    return await();
  }
  Json await() {
    return gateway_.await_log(
        [](const Json& record) {
          const std::string message = message_of(record);
          return message == "upgrade finished" || message.starts_with("upgrade refused") ||
                 message.starts_with("upgrade failed");
        },
        "verdict on the upgrade", &seen_);
  }

 private:
  Gateway& gateway_;
  size_t seen_ = 0;
};

/// What each descriptor of a process is, without the numbers that change.
std::multiset<std::string> kinds_of_descriptors(pid_t pid) {
  std::multiset<std::string> kinds;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    kinds.insert(target.substr(0, target.find(":[")));
  }
  return kinds;
}

std::set<std::string> listening_sockets(pid_t pid) {
  std::set<std::string> listening;
  std::ifstream table("/proc/" + std::to_string(pid) + "/net/tcp6");
  std::set<std::string> inodes;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::array<std::string, 10> field;
    for (std::string& text : field) fields >> text;
    if (field[3] == "0A") inodes.insert("socket:[" + field[9] + "]");
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error))
    if (const std::string target = std::filesystem::read_symlink(entry.path(), error).string(); inodes.contains(target))
      listening.insert(target);
  return listening;
}

class UpgradeUnderLoad : public testing::TestWithParam<bool> {};

TEST_P(UpgradeUnderLoad, LosesNoRequestAndNoCount) {
  HandlerOrigin origin(always("steady"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  const pid_t master = gateway.pid();
  std::vector<pid_t> workers = gateway.workers();
  const std::set<std::string> sockets = listening_sockets(master);
  ASSERT_EQ(sockets.size(), 3U) << "two slots and the admin port";
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/", GetParam() ? "Connection: close\r\n" : ""),
             .expected_body = "steady",
             .clients = 4,
             .fresh_connections = GetParam()});
  load.await_more(50);
  for (int round = 0; round < 3; ++round) {
    const double before = gateway.metrics().requests("all", "GET", 200);
    upgrader.succeed();
    EXPECT_GE(gateway.metrics().requests("all", "GET", 200), before) << "a counter went back";
    const std::vector<pid_t> old_workers = std::exchange(workers, gateway.workers());
    EXPECT_FALSE(gateway.ended());
    EXPECT_EQ(listening_sockets(master), sockets);
    load.await_more(50);
    for (const pid_t old_worker : old_workers)
      EXPECT_TRUE(eventually([&] { return ::kill(old_worker, 0) != 0; })) << "not replaced, or not reaped";
    workers = gateway.workers();
  }
  load.stop();
  EXPECT_EQ(load.failures(), "");
  gateway.expect_requests("all", "GET", 200, static_cast<double>(load.answered()));
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_upgrades_total", {{"result", "success"}}), 3);
  EXPECT_EQ(metrics.sum("restgate_upgrades_total", {{"result", "failure"}}), 0);
  EXPECT_EQ(metrics.sum("restgate_generation"), 4);
  EXPECT_EQ(metrics.sum("restgate_worker_exits_total", {{"reason", "drained"}}), 6);
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(Upgrade, UpgradeUnderLoad, testing::Values(false, true),
                         [](const auto& row) { return row.param ? "FreshConnections" : "KeepAlive"; });

TEST(Upgrade, LeaksNoDescriptor) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  upgrader.succeed();
  std::multiset<std::string> before;
  EXPECT_TRUE(eventually([&] {  // without what belongs to the workers of the first program
    before = kinds_of_descriptors(gateway.pid());
    return before.count("/memfd:restgate-statistics (deleted)") == 2 && !before.contains("");
  })) << testing::PrintToString(before);
  for (int round = 0; round < 3; ++round) {
    upgrader.succeed();
    EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  }
  EXPECT_TRUE(eventually([&] { return kinds_of_descriptors(gateway.pid()) == before; }))
      << testing::PrintToString(kinds_of_descriptors(gateway.pid())) << testing::PrintToString(before);
  gateway.stop();
}

TEST(Upgrade, KeepsEveryCounterOfTheMaster) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  gateway.reload(workers_of(origin.url()));
  (void)gateway.refused_reload("nonsense");
  gateway.rewrite_config(workers_of(origin.url()).yaml());
  // The workers from before the reload are none that would be replaced.
  ASSERT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  gateway.await_metrics(
      [](const Metrics& m) {
        return m.sum("restgate_worker_restarts_total") == 1 && m.sum("restgate_workers", {{"state", "ready"}}) == 2;
      },
      "a worker in place of the victim");
  upgrader.succeed();
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "success"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "failure"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_worker_exits_total", {{"reason", "killed"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_worker_restarts_total"), 1);
  EXPECT_EQ(metrics.sum("restgate_config_last_reload_successful"), 1);
  gateway.stop();
}

TEST(Upgrade, ARequestInFlightIsFinishedAndCounted) {
  const Installed installed;
  Origin origin;
  Gateway gateway(workers_of(origin.url(), "1"), {}, installed.path());
  Upgrader upgrader(gateway);
  const pid_t old_worker = gateway.workers().at(0);
  Stream client = gateway.connect();
  client.send(request_head("GET", "/slow"));
  Stream backend = origin.accept();
  backend.read_request();
  upgrader.succeed();
  EXPECT_EQ(gateway.metrics().sum("restgate_requests_in_flight"), 1) << "the old worker's gauges are read";
  backend.send(response(200, "of the old program"));
  EXPECT_EQ(client.read_response().body, "of the old program");
  gateway.expect_requests("all", "GET", 200, 1);
  client.close();
  EXPECT_TRUE(eventually([&] { return ::kill(old_worker, 0) != 0; }));
  gateway.expect_requests("all", "GET", 200, 1);
  gateway.stop();
}

TEST(Upgrade, WorkersOfTheOldProgramAreStillSupervised) {
  const Installed installed;
  Origin origin;
  Gateway gateway(workers_of(origin.url(), "1"), {}, installed.path());
  Upgrader upgrader(gateway);
  const pid_t old_worker = gateway.workers().at(0);
  Stream client = gateway.connect();
  client.send(request_head("GET", "/slow"));
  Stream backend = origin.accept();
  backend.read_request();
  upgrader.succeed();
  ::kill(old_worker, SIGTRAP);  // a crash of which nothing but the master tells
  const Json record = gateway.await_log(
      [&](const Json& r) { return message_of(r) == "worker ended" && r.value("worker_pid", 0) == old_worker; },
      "obituary");
  EXPECT_EQ(record.at("reason"), "crashed");
  EXPECT_EQ(record.at("generation"), 1);
  EXPECT_GE(record.at("age_ms").get<int64_t>(), 0);
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_worker_exits_total", {{"reason", "crashed"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_requests_in_flight"), 0);
  gateway.signal(SIGTERM);
  EXPECT_EQ(gateway.wait_exit(), 0);
}

TEST(Upgrade, AStopAfterItEndsTheWorkersOfBothPrograms) {
  const Installed installed;
  Origin origin;
  Gateway gateway(workers_of(origin.url(), "1").set("shutdown_timeout", "60s"), {}, installed.path());
  Upgrader upgrader(gateway);
  Stream client = gateway.connect();
  client.send(request_head("GET", "/slow"));
  Stream backend = origin.accept();
  backend.read_request();
  upgrader.succeed();
  EXPECT_EQ(gateway.workers().size(), 2U);
  gateway.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return Stream::probe(gateway.port()) == ECONNREFUSED; }));
  backend.send(response(200, "done"));
  EXPECT_EQ(client.read_response().body, "done");
  EXPECT_EQ(gateway.wait_exit(), 0);
}

TEST(Upgrade, TakesTheConfigurationOfTheFile) {
  HandlerOrigin first(always("first"));
  HandlerOrigin second(always("second"));
  const Installed installed;
  Gateway gateway(workers_of(first.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  gateway.rewrite_config(workers_of(second.url(), "3").yaml());
  upgrader.succeed();
  EXPECT_EQ(gateway.get("/").body, "second");
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 3; }));
  gateway.reload(workers_of(first.url()));
  EXPECT_EQ(gateway.get("/").body, "first") << "and is reloaded like any other";
  gateway.stop();
}

struct BadProgram {
  std::string name;
  std::function<void(const Installed&)> install;
  std::string reason;
};

class BadPrograms : public testing::TestWithParam<BadProgram> {};

TEST_P(BadPrograms, ChangeNothing) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  const std::vector<pid_t> workers = gateway.workers();
  const std::multiset<std::string> descriptors = kinds_of_descriptors(gateway.pid());
  GetParam().install(installed);
  const Json record = upgrader.be_refused();
  EXPECT_THAT(record.at("reason").get<std::string>(), HasSubstr(GetParam().reason));
  EXPECT_EQ(record.at("program"), installed.path());
  EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_EQ(gateway.workers(), workers);
  EXPECT_TRUE(eventually([&] { return kinds_of_descriptors(gateway.pid()) == descriptors; }));
  const Metrics metrics = gateway.metrics();
  EXPECT_EQ(metrics.sum("restgate_upgrades_total", {{"result", "failure"}}), 1);
  EXPECT_EQ(metrics.sum("restgate_generation"), 1);
  EXPECT_EQ(metrics.sum("restgate_config_last_reload_successful"), 1);
  installed.restore();
  upgrader.succeed();
  gateway.stop();
}

INSTANTIATE_TEST_SUITE_P(
    Upgrade, BadPrograms,
    testing::Values(
        BadProgram{"Failing", [](const Installed& i) { i.replace("#!/bin/sh\necho no libraries >&2\nexit 1\n"); },
                   "exited with code 1"},
        BadProgram{"Text", [](const Installed& i) { i.replace("this is no program"); }, "exited with code 127"},
        BadProgram{"NotExecutable", [](const Installed& i) { i.replace("#!/bin/sh\n", false); },
                   "exited with code 127"},
        BadProgram{"Missing", [](const Installed& i) { i.remove(); }, "exited with code 127"},
        BadProgram{"Foreign", [](const Installed& i) { i.replace("#!/bin/sh\necho configuration ok\n"); },
                   "does not say that it can take over"},
        BadProgram{"Crashing", [](const Installed& i) { i.replace("#!/bin/sh\nkill -SEGV $$\n"); }, "SIGSEGV"}),
    [](const auto& row) { return row.param.name; });

TEST(Upgrade, WhatTheProgramSaysIsLogged) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  installed.replace("#!/bin/sh\necho 'libevent is missing' >&2\nexit 1\n");
  (void)upgrader.be_refused();
  (void)gateway.await_log([](const Json& r) { return r.value("line", "") == "libevent is missing"; }, "its words");
  gateway.stop();
}

TEST(Upgrade, AProgramThatHangsHoldsUpNothingButReloads) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  const std::vector<pid_t> workers = gateway.workers();
  installed.replace("#!/bin/sh\nexec sleep 1000\n");
  gateway.signal(SIGUSR2);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 3; })) << "the program that is asked";
  EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_EQ(gateway.admin("/readyz").status(), 200);
  gateway.rewrite_config(workers_of(origin.url(), "1").yaml());
  gateway.signal(SIGHUP);
  gateway.signal(SIGUSR2);  // one is enough
  (void)gateway.await_log([](const Json& r) { return message_of(r) == "upgrade: one is under way already"; }, "a note");
  EXPECT_EQ(gateway.metrics().sum("restgate_generation"), 1) << "the reload waits";
  for (const pid_t pid : gateway.workers())
    if (std::find(workers.begin(), workers.end(), pid) == workers.end()) ::kill(pid, SIGKILL);
  (void)upgrader.await();
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_generation") == 2; }, "the reload");
  gateway.stop();
}

TEST(Upgrade, AStopDuringTheCheckIsAStop) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  installed.replace("#!/bin/sh\nexec sleep 1000\n");
  gateway.signal(SIGUSR2);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 3; }));
  gateway.stop();
}

TEST(Upgrade, ABadConfigurationChangesNothing) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  const std::vector<pid_t> workers = gateway.workers();
  gateway.rewrite_config(workers_of(origin.url()).yaml() + "        patern: /typo\n");
  const Json record = upgrader.be_refused();
  EXPECT_THAT(record.at("reason").get<std::string>(), HasSubstr("exited with code 1"));
  (void)gateway.await_log([](const Json& r) { return r.value("line", "").find("patern") != std::string::npos; },
                          "the diagnostics");
  EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_EQ(gateway.workers(), workers);
  gateway.stop();
}

TEST(Upgrade, APortThatIsTakenLeavesTheOldWorkersServing) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Upgrader upgrader(gateway);
  const std::vector<pid_t> workers = gateway.workers();
  const Origin taken;
  gateway.rewrite_config(workers_of(origin.url()).set("port", std::to_string(taken.port())).yaml());
  // Only the new program finds out: a check binds nothing.
  const Json record = upgrader.verdict();
  EXPECT_THAT(message_of(record), testing::StartsWith("upgrade failed"));
  EXPECT_THAT(record.at("reason").get<std::string>(), HasSubstr("in use"));
  EXPECT_EQ(gateway.workers(), workers);
  EXPECT_EQ(gateway.get("/").status(), 200);
  EXPECT_EQ(gateway.metrics().sum("restgate_upgrades_total", {{"result", "failure"}}), 1);
  // The next reload is the new program's, and takes the old one's workers out of service.
  gateway.reload(workers_of(origin.url()));
  for (const pid_t worker : workers) EXPECT_TRUE(eventually([&] { return ::kill(worker, 0) != 0; }));
  EXPECT_EQ(gateway.get("/").status(), 200);
  gateway.stop();
}

TEST(Upgrade, DuringAReloadItComesAfterIt) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url(), "4"), {}, installed.path());
  Upgrader upgrader(gateway);
  gateway.signal(SIGHUP);
  gateway.signal(SIGUSR2);
  EXPECT_EQ(message_of(upgrader.await()), "upgrade finished");
  gateway.await_metrics([](const Metrics& m) { return m.sum("restgate_generation") == 3; }, "both");
  gateway.stop();
}

TEST(Upgrade, ManySignalsLoseNothing) {
  HandlerOrigin origin(always("steady"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), {}, installed.path());
  Load load({.port = gateway.port(),
             .request = request_head("GET", "/", "Connection: close\r\n"),
             .expected_body = "steady",
             .clients = 2,
             .fresh_connections = true});
  for (int i = 0; i < 30; ++i) {
    gateway.signal(i % 3 == 0 ? SIGUSR2 : SIGHUP);
    load.await_more(5);
  }
  const auto await_upgrades = [&](int count) {
    gateway.await_metrics(
        [count](const Metrics& m) {
          return m.sum("restgate_upgrades_total", {{"result", "success"}}) >= count &&
                 m.sum("restgate_workers", {{"state", "draining"}}) == 0;
        },
        "upgrades");
  };
  await_upgrades(1);  // all signals may have come before the first one was done
  gateway.signal(SIGUSR2);
  await_upgrades(2);
  load.stop();
  EXPECT_EQ(load.failures(), "");
  gateway.expect_requests("all", "GET", 200, static_cast<double>(load.answered()));
  EXPECT_EQ(gateway.metrics().sum("restgate_upgrades_total", {{"result", "failure"}}), 0);
  gateway.stop();
}

TEST(Upgrade, TheServiceManagerSeesAReload) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()),
                  installed.options({{"NOTIFY_SOCKET", manager.address()}, {"WATCHDOG_USEC", "200000"}}),
                  installed.path());
  Upgrader upgrader(gateway);
  (void)manager.await("READY=1");
  const std::vector<std::string> stored = manager.names();
  for (int round = 0; round < 2; ++round) {
    upgrader.succeed();
    (void)manager.await("RELOADING=1");
    EXPECT_THAT(manager.await("READY=1"), HasSubstr("serving on port"));
    EXPECT_EQ(manager.await("WATCHDOG=1"), "WATCHDOG=1") << "the new program goes on with it";
  }
  EXPECT_EQ(manager.names(), stored) << "nothing is stored twice";
  gateway.stop();
  (void)manager.await("STOPPING=1");
}

// Whatever a worker has written over, the others and their clients go on.
TEST(Upgrade, AWorkersSpoiltStatisticsCostItsCountsAlone) {
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), installed.options(), installed.path());
  Upgrader upgrader(gateway);
  EXPECT_EQ(gateway.get("/").status(), 200);
  bool spoilt = false;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(gateway.pid()) + "/fd")) {
    std::error_code gone;
    if (spoilt || std::filesystem::read_symlink(entry, gone) != "/memfd:restgate-statistics (deleted)") continue;
    std::fstream block(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    spoilt = static_cast<bool>(block.write("spoilt!!", 8).flush());
  }
  ASSERT_TRUE(spoilt);
  upgrader.succeed();
  EXPECT_EQ(gateway.get("/").status(), 200);
  const auto told = [](const Json& r) {
    return message_of(r).starts_with("upgrade: a worker's statistics cannot be read");
  };
  const std::vector<Json> logs = gateway.logs();
  EXPECT_EQ(std::count_if(logs.begin(), logs.end(), told), 1);
  gateway.stop();
}

TEST(Upgrade, TheServiceManagerSeesARefusalUntilARollSucceeds) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), installed.options({{"NOTIFY_SOCKET", manager.address()}}),
                  installed.path());
  Upgrader upgrader(gateway);
  (void)manager.await("READY=1");
  installed.replace("#!/bin/sh\nexit 7\n");
  upgrader.be_refused();
  (void)manager.await(
      "STATUS=upgrade refused: the installed program fails the check: it exited with code 7; "
      "generation 1 serves on; upgrades failed: 1");
  installed.restore();
  upgrader.succeed();
  EXPECT_THAT(manager.await("READY=1"), HasSubstr("serving on port"));
  gateway.stop();
}

/// Two programs that are refused for the same reason are two refusals: who waits for the second one is not to read the
/// first one's verdict.
TEST(Upgrade, TheServiceManagerSeesWhyAndWhetherTheProgramWouldRun) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  const Installed installed;
  Gateway gateway(workers_of(origin.url()), installed.options({{"NOTIFY_SOCKET", manager.address()}}),
                  installed.path());
  Upgrader upgrader(gateway);
  (void)manager.await("READY=1");
  // It likes every configuration, and knows nothing of taking over.
  installed.replace("#!/bin/sh\nunset RESTGATE_UPGRADE_STATE\nexec " + gateway_binary() + " \"$@\"\n");
  const std::string accepted = "STATUS=upgrade refused: the installed program accepts the configuration " +
                               gateway.config_path() +
                               ", but cannot take over: it does not say that it can take over; "
                               "generation 1 serves on; upgrades failed: ";
  upgrader.be_refused();
  (void)manager.await(accepted + "1");
  upgrader.be_refused();
  (void)manager.await("STATUS=serving on port " + std::to_string(gateway.port()) + ": generation 1, 2 workers");
  (void)manager.await(accepted + "2");
  // It knows of it, but cannot read the state.
  installed.replace("#!/bin/sh\nRESTGATE_UPGRADE_STATE=-1 exec " + gateway_binary() + " \"$@\"\n");
  upgrader.be_refused();
  (void)manager.await("STATUS=upgrade refused: the installed program accepts the configuration " +
                      gateway.config_path() +
                      ", but cannot take over: it says so; generation 1 serves on; upgrades failed: 3");
  installed.restore();
  gateway.rewrite_config("nonsense");
  upgrader.be_refused();
  (void)manager.await("STATUS=upgrade refused: the installed program refuses the configuration " +
                      gateway.config_path() + ": it exited with code 1; generation 1 serves on; upgrades failed: 4");
  gateway.stop();
}

TEST(Upgrade, AVariableOfSomebodyElseIsNoState) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  const std::string path = directory.write("c.yaml", workers_of(origin.url()).yaml());
  const Finished run = run_gateway({.arguments = {"-config", path}, .environment = {{"RESTGATE_UPGRADE_STATE", "0"}}});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.err, HasSubstr("RESTGATE_UPGRADE_STATE"));
}

}  // namespace
}  // namespace restgate::itest
