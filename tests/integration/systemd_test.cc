// Under a service manager (systemd, Type=notify): what it is told, and the sockets that it keeps or hands over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "common/platform/inherited_listener.h"
#include "common/platform/sockets.h"
#include "integration/support/load.h"
#include "integration/support/played.h"
#include "support/service_manager.h"

namespace restgate::itest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ProcessOptions under(const ServiceManager& manager, std::map<std::string, std::string> more = {}) {
  more["NOTIFY_SOCKET"] = manager.address();
  return {.arguments = {}, .environment = std::move(more)};
}

/// What the manager hands over when it starts the service anew: all that it was asked to keep.
ProcessOptions again_under(const ServiceManager& manager) {
  ProcessOptions options = under(manager);
  for (const auto& [name, fd] : manager.store()) options.given.emplace_back(name, fd.get());
  return options;
}

ConfigText two_workers(const std::string& url, uint16_t port = 0) {
  ConfigText config = catch_all(url);
  return config.set("workers", "2").set("access_log", "false").set("port", std::to_string(port));
}

/// A listener of the test's own, as a socket unit makes it: not shared, blocking.
UniqueFd unit_socket() {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const platform::Address address = *platform::Address::parse("127.0.0.1", 0);
  EXPECT_EQ(::bind(fd.get(), address.get(), address.length()), 0);
  EXPECT_EQ(::listen(fd.get(), 16), 0);
  return fd;
}

std::string environment_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Told : public testing::TestWithParam<ServiceManager::Name> {};

TEST_P(Told, OfItsWholeLife) {
  ServiceManager manager(GetParam());
  HandlerOrigin origin(always("x"));
  Gateway gateway(two_workers(origin.url()), under(manager));
  const std::string ready = manager.await("READY=1");
  EXPECT_THAT(ServiceManager::value(ready, "STATUS"), HasSubstr("generation 1, 2 workers"));
  const std::string port = std::to_string(gateway.port());
  EXPECT_THAT(manager.names(), ElementsAre("restgate-" + port + "-0", "restgate-" + port + "-1"));

  gateway.reload(two_workers(origin.url()));
  const std::string reloading = manager.await("RELOADING=1");
  EXPECT_GT(std::stoll(ServiceManager::value(reloading, "MONOTONIC_USEC")), 0);
  EXPECT_THAT(ServiceManager::value(manager.await("READY=1"), "STATUS"), HasSubstr("generation 2"));

  (void)gateway.refused_reload("observed_services: 7\n");
  (void)manager.await("RELOADING=1");
  const std::string refused = ServiceManager::value(manager.await("READY=1"), "STATUS");
  EXPECT_THAT(refused, StartsWith("reload failed: "));
  EXPECT_THAT(refused, HasSubstr("generation 2 serves on"));

  gateway.stop();
  EXPECT_THAT(manager.await("STOPPING=1"), HasSubstr("STATUS=stopping"));
  EXPECT_EQ(manager.names().size(), 2U) << "the store is for the next life";
}

INSTANTIATE_TEST_SUITE_P(Systemd, Told, testing::Values(ServiceManager::Name::Path, ServiceManager::Name::Abstract),
                         [](const auto& row) { return row.param == ServiceManager::Name::Path ? "Path" : "Abstract"; });

TEST(Systemd, SignsOfLifeIfTheyAreAskedOfThisProcess) {
  HandlerOrigin origin(always("x"));
  {
    ServiceManager manager;
    Gateway gateway(two_workers(origin.url()), under(manager, {{"WATCHDOG_USEC", "100000"}}));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(manager.await("WATCHDOG=1"), "WATCHDOG=1");
    gateway.signal(SIGSTOP);  // a master that does not turn gives none
    gateway.signal(SIGCONT);
    EXPECT_EQ(manager.await("WATCHDOG=1"), "WATCHDOG=1");
    gateway.stop();
  }
  ServiceManager manager;
  Gateway gateway(two_workers(origin.url()), under(manager, {{"WATCHDOG_USEC", "1000"}, {"WATCHDOG_PID", "1"}}));
  (void)manager.await("READY=1");
  gateway.stop();
  (void)manager.await("STOPPING=1");
  EXPECT_THAT(manager.all(), testing::Each(testing::Not(HasSubstr("WATCHDOG"))));
}

TEST(Systemd, ThePortThatIsGivenUpLeavesTheStore) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  Gateway gateway(two_workers(origin.url()), under(manager));
  (void)manager.await("READY=1");
  const std::string old_port = std::to_string(gateway.port());
  UniqueFd next = unit_socket();  // finds a port that is free
  const uint16_t port = platform::local_port(next.get());
  next.reset();
  gateway.reload(two_workers(origin.url(), port));
  (void)manager.await("FDSTOREREMOVE=1\nFDNAME=restgate-" + old_port + "-0");
  EXPECT_TRUE(eventually([&] {
    (void)manager.all();
    const std::string prefix = "restgate-" + std::to_string(port);
    return manager.names() == std::vector<std::string>{prefix + "-0", prefix + "-1"};
  })) << testing::PrintToString(manager.names());
  gateway.stop();
}

TEST(Systemd, ARestartLosesNobodyWhoWaitsInTheQueue) {
  ServiceManager manager;
  HandlerOrigin origin(always("served"));
  uint16_t port = 0;
  {
    Gateway first(two_workers(origin.url()), under(manager));
    port = first.port();
    EXPECT_EQ(first.get("/").body, "served");
    first.stop();
  }
  // Nobody is there. The kernel takes connections all the same, for the sockets are in the store.
  std::vector<Stream> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(Stream::connect(port));
    waiting.back().send(request_head("GET", "/waited", "Connection: close\r\n"));
  }
  (void)manager.all();
  Gateway second(two_workers(origin.url(), port), again_under(manager));
  EXPECT_EQ(second.port(), port);
  for (Stream& client : waiting) EXPECT_EQ(client.read_response().body, "served");
  (void)manager.await("READY=1");
  EXPECT_EQ(manager.store().size(), 2U) << "nothing is stored twice: " << testing::PrintToString(manager.names());
  second.stop();
}

TEST(Systemd, ARestartUnderLoadLosesNoRequest) {
  ServiceManager manager;
  HandlerOrigin origin(always("steady"));
  auto gateway = std::make_unique<Gateway>(two_workers(origin.url()), under(manager));
  const uint16_t port = gateway->port();
  Load load({.port = port,
             .request = request_head("GET", "/", "Connection: close\r\n"),
             .expected_body = "steady",
             .clients = 4,
             .fresh_connections = true});
  for (int round = 0; round < 3; ++round) {
    load.await_more(50);
    gateway->stop();
    (void)manager.all();
    gateway = std::make_unique<Gateway>(two_workers(origin.url(), port), again_under(manager));
  }
  load.await_more(50);
  load.stop();
  EXPECT_EQ(load.failures(), "");
  gateway->stop();
}

TEST(Systemd, ARestartAfterTheMasterWasKilledFindsItsSockets) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  auto gateway = std::make_unique<Gateway>(two_workers(origin.url()), under(manager));
  const uint16_t port = gateway->port();
  (void)manager.await("READY=1");
  gateway->signal(SIGKILL);
  (void)gateway->wait_exit();
  Gateway next(two_workers(origin.url(), port), again_under(manager));
  EXPECT_EQ(next.get("/").status(), 200);
  next.stop();
}

TEST(Systemd, MoreWorkersThanStoredSocketsGetMoreAndFewerUseThemAll) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  uint16_t port = 0;
  {
    Gateway first(two_workers(origin.url()), under(manager));
    port = first.port();
    first.stop();
  }
  (void)manager.all();
  {
    Gateway second(two_workers(origin.url(), port).set("workers", "4"), again_under(manager));
    (void)manager.await("READY=1");
    EXPECT_EQ(manager.store().size(), 4U);
    second.stop();
  }
  Gateway third(two_workers(origin.url(), port).set("workers", "1"), again_under(manager));
  for (int i = 0; i < 30; ++i) EXPECT_EQ(third.get("/").status(), 200) << "a slot that nobody serves";
  third.stop();
}

TEST(Systemd, SocketActivation) {
  HandlerOrigin origin(always("x"));
  const UniqueFd data = unit_socket();
  const UniqueFd admin = unit_socket();
  const UniqueFd stranger = unit_socket();
  const uint16_t port = platform::local_port(data.get());
  const uint16_t admin_port = platform::local_port(admin.get());
  Stream early = Stream::connect(port);  // before anybody is there
  early.send(request_head("GET", "/early"));
  ServiceManager manager;
  ProcessOptions options = under(manager);
  options.given = {{"restgate.socket", stranger.get()}, {"restgate.socket", data.get()}, {"admin", admin.get()}};
  ConfigText config = two_workers(origin.url(), port).set("admin_port", std::to_string(admin_port));
  Gateway gateway(config, options);
  EXPECT_EQ(gateway.port(), port);
  EXPECT_EQ(gateway.admin_port(), admin_port);
  EXPECT_EQ(early.read_response().body, "x");
  EXPECT_EQ(gateway.admin("/readyz").status(), 200);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(gateway.get("/").status(), 200);
  gateway.await_log([&](const Json& r) { return r.value("port", 0) == platform::local_port(stranger.get()); },
                    "a note of the rest");
  // The socket is the unit's, with or without the service; only what was opened beside it is to be stored.
  (void)manager.await("READY=1");
  for (const int fd : manager.descriptors()) EXPECT_FALSE(platform::same_socket(fd, data.get()));
  gateway.reload(config.set("log_level", "info"));
  gateway.stop();
  EXPECT_EQ(Stream::probe(port), 0) << "still open: it is the unit's";
}

TEST(Systemd, ItsVariablesAndDescriptorsAreNotForTheWorkers) {
  ServiceManager manager;
  HandlerOrigin origin(always("x"));
  const UniqueFd stranger = unit_socket();
  ProcessOptions options = under(manager, {{"WATCHDOG_USEC", "60000000"}});
  options.given = {{"stranger", stranger.get()}};
  Gateway gateway(two_workers(origin.url()), options);
  for (const pid_t worker : gateway.workers()) {
    const std::string environment = environment_of(worker);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LISTEN_PID"})
      EXPECT_EQ(environment.find(name), std::string::npos) << environment;
  }
  gateway.stop();
}

TEST(Systemd, WithoutAStoreAnEndIsAnEnd) {
  // No service manager: whoever comes after the end is refused, though somebody else may hold the socket.
  Played played({.settings = {{"shutdown_timeout", "60s"}}});
  played.forward(request_head("GET", "/slow"));
  played.gateway.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return Stream::probe(played.gateway.port()) == ECONNREFUSED; }));
  played.backend.send(response(200, "done"));
  EXPECT_EQ(played.client.read_response().body, "done");
  EXPECT_EQ(played.gateway.wait_exit(), 0);
}

TEST(Systemd, WithoutAListenerAtTheOtherEndItServesAllTheSame) {
  HandlerOrigin origin(always("x"));
  for (const std::string address : {"/nonexistent/notify", "vsock:2:1", "@nobody-is-here"}) {
    Gateway gateway(two_workers(origin.url()), {.arguments = {}, .environment = {{"NOTIFY_SOCKET", address}}});
    EXPECT_EQ(gateway.get("/").status(), 200) << address;
    gateway.stop();
  }
}

}  // namespace
}  // namespace restgate::itest
