// Least privilege: as whom the workers run, and what they have of the master's.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "integration/support/played.h"
#include "unit/worker/tls_support.h"

namespace restgate::itest {
namespace {

// Numbers that no system has given to anybody.
constexpr uid_t kSomebody = 4'000'000'001;
const std::string kSomebodyText = std::to_string(kSomebody);

std::string four_times(uid_t id) {
  const std::string text = std::to_string(id);
  return text + "\t" + text + "\t" + text + "\t" + text;
}

ConfigText as_somebody(ConfigText config) {
  return config.set("user", kSomebodyText).set("group", kSomebodyText);
}

void expect_confined(pid_t worker) {
  // One that has just been forked is a child of the master's already; this is the last thing that it does.
  EXPECT_TRUE(eventually([&] { return process_status(worker, "NoNewPrivs") == "1"; }));
  EXPECT_EQ(process_status(worker, "Uid"), four_times(kSomebody));
  EXPECT_EQ(process_status(worker, "Gid"), four_times(kSomebody));
  EXPECT_EQ(process_status(worker, "Groups"), kSomebodyText + " ");
  EXPECT_EQ(process_status(worker, "CapPrm"), "0000000000000000");
  EXPECT_EQ(process_status(worker, "NoNewPrivs"), "1");
}

class AsRoot : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  }
};

TEST_F(AsRoot, WorkersAndOnlyTheyChangeTheirUser) {
  HandlerOrigin origin(always("x"));
  ConfigText config = as_somebody(catch_all(origin.url()).set("workers", "2"));
  Gateway gateway(config);
  EXPECT_EQ(process_status(gateway.pid(), "Uid"), four_times(0));
  ASSERT_EQ(gateway.workers().size(), 2U);
  for (const pid_t worker : gateway.workers()) expect_confined(worker);
  EXPECT_EQ(gateway.get("/").body, "x");

  // The master can still end them and replace them.
  const pid_t victim = gateway.workers().at(0);
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(eventually([&] {
    const std::vector<pid_t> now = gateway.workers();
    return now.size() == 2 && now.at(0) != victim && now.at(1) != victim;
  }));
  for (const pid_t worker : gateway.workers()) expect_confined(worker);

  // A connection changes its worker, and its worker's user, unnoticed.
  Stream kept = gateway.connect();
  EXPECT_EQ(kept.exchange(request_head("GET", "/")).body, "x");
  gateway.reload(catch_all(origin.url()));
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 1; }));
  EXPECT_EQ(process_status(gateway.workers().at(0), "Uid"), four_times(0));
  EXPECT_EQ(kept.exchange(request_head("GET", "/")).body, "x");
  gateway.reload(config);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 2; }));
  for (const pid_t worker : gateway.workers()) expect_confined(worker);
  EXPECT_EQ(kept.exchange(request_head("GET", "/")).body, "x");
  kept.close();
  gateway.stop();
}

TEST_F(AsRoot, WorkersGoWithTheMasterThoughTheyAreAnothersUsers) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(as_somebody(catch_all(origin.url())));
  const pid_t worker = gateway.workers().at(0);
  gateway.signal(SIGKILL);
  EXPECT_EQ(gateway.wait_exit(), -SIGKILL);
  EXPECT_TRUE(eventually([&] { return ::kill(worker, 0) != 0; }));
}

TEST_F(AsRoot, AHungWorkerIsEndedThoughItIsAnothersUser) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(as_somebody(catch_all(origin.url())));
  const pid_t worker = gateway.workers().at(0);
  ::kill(worker, SIGSTOP);
  EXPECT_TRUE(eventually(
      [&] {
        const std::vector<pid_t> now = gateway.workers();
        return now.size() == 1 && now.at(0) != worker;
      },
      Deadline(patience() * 2)));
  EXPECT_EQ(gateway.get("/").body, "x");
  gateway.stop();
}

TEST_F(AsRoot, AKeyThatOnlyRootMayReadIsUsedAllTheSame) {
  Origin origin;
  TempDir directory;
  const test::Certificate ca({});
  const test::Certificate server({.names = "DNS:localhost"}, &ca);
  const test::Certificate client_certificate({.names = "DNS:gateway.test"}, &ca);
  const std::string base = directory.path();
  ca.write_certificate(base + "/ca.pem");
  client_certificate.write_certificate(base + "/gateway.pem");
  client_certificate.write_key(base + "/gateway.key");
  for (const char* file : {"/ca.pem", "/gateway.pem", "/gateway.key"})
    ASSERT_EQ(::chmod((base + file).c_str(), 0600), 0);
  ConfigText config;
  config.service("backend", "https://localhost:" + std::to_string(origin.port()),
                 {{"tls", "{ca_file: " + base + "/ca.pem, client_cert_file: " + base +
                              "/gateway.pem, client_key_file: " + base + "/gateway.key}"}});
  config.route("all", "GET", "/{path...}");
  Gateway gateway(as_somebody(config));
  expect_confined(gateway.workers().at(0));
  for (int round = 0; round < 2; ++round) {
    Stream client = gateway.connect();
    client.send(request_head("GET", "/"));
    test::TlsServerContext context(server);
    test::TlsServer backend(context, origin.accept().take_fd());
    ASSERT_TRUE(eventually([&] { return backend.handshake(); }));
    std::string request;
    ASSERT_TRUE(eventually([&] { return (request += backend.read()).ends_with("\r\n\r\n"); }));
    const std::string answer = response(200, "over TLS");
    EXPECT_EQ(backend.write(answer), answer.size());
    EXPECT_EQ(client.read_response().body, "over TLS");
    client.close();
    // A worker that comes later needs no file either.
    std::filesystem::remove(base + "/gateway.key");
    const pid_t victim = gateway.workers().at(0);
    ::kill(victim, SIGKILL);
    EXPECT_TRUE(eventually([&] {
      const std::vector<pid_t> now = gateway.workers();
      return now.size() == 1 && now.at(0) != victim;
    }));
  }
  gateway.stop();
}

TEST_F(AsRoot, WhoMayNotChangeTheUserSaysSoAtTheLine) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string file = directory.write("c.yaml", "user: root\n" + catch_all(origin.url()).yaml());
  const Finished run = run_gateway({.arguments = {"-config", file}, .environment = {}, .user = kSomebody});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find(file + ":1:7: user: this process runs as user " + kSomebodyText + " and cannot"),
            std::string::npos)
      << run.err;
  EXPECT_NE(run.err.find("CAP_SETUID"), std::string::npos) << run.err;
  // A check says nothing of it: it is not the gateway.
  const Finished check = run_gateway({.arguments = {"-t", "-config", file}, .environment = {}, .user = kSomebody});
  EXPECT_EQ(check.exit_code, 0) << check.err;
}

// A service manager gives an ordinary user's master the right to bind low ports; its workers have no use for it.
TEST_F(AsRoot, WorkersHaveNoCapabilityOfTheirMaster) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string file = directory.write("c.yaml", catch_all(origin.url()).yaml());
  Process process("/usr/bin/setpriv",
                  {.arguments = {"--reuid=" + kSomebodyText, "--clear-groups", "--inh-caps=+net_bind_service",
                                 "--ambient-caps=+net_bind_service", gateway_binary(), "-config", file},
                   .environment = {}});
  process.await_err(
      [](const std::vector<std::string>& lines) {
        return std::any_of(lines.begin(), lines.end(),
                           [](const std::string& line) { return Json::parse(line).at("msg") == "serving"; });
      },
      "serving");
  EXPECT_EQ(process_status(process.pid(), "CapEff"), "0000000000000400");
  ASSERT_EQ(process.children().size(), 1U);
  // The last thing that a new worker does, as above.
  const pid_t worker = process.children().at(0);
  EXPECT_TRUE(eventually([&] { return process_status(worker, "NoNewPrivs") == "1"; }));
  for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
    EXPECT_EQ(process_status(worker, set), "0000000000000000") << set;
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait_exit(), 0);
}

TEST_F(AsRoot, ItsOwnUserIsNoChange) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string file = directory.write("c.yaml", as_somebody(catch_all(origin.url())).yaml());
  Process process(gateway_binary(), {.arguments = {"-config", file}, .environment = {}, .user = kSomebody});
  process.await_err(
      [](const std::vector<std::string>& lines) {
        return std::any_of(lines.begin(), lines.end(),
                           [](const std::string& line) { return Json::parse(line).at("msg") == "serving"; });
      },
      "serving");
  ASSERT_EQ(process.children().size(), 1U);
  expect_confined(process.children().at(0));
  process.signal(SIGTERM);
  EXPECT_EQ(process.wait_exit(), 0);
}

TEST(Privileges, WorkersNeverGetNewOnesTheMasterMay) {
  HandlerOrigin origin(always("x"));
  Gateway gateway(catch_all(origin.url()));
  EXPECT_EQ(process_status(gateway.workers().at(0), "NoNewPrivs"), "1");
  EXPECT_EQ(process_status(gateway.pid(), "NoNewPrivs"), process_status(::getpid(), "NoNewPrivs"));
  gateway.stop();
}

TEST(Privileges, WorkersHaveNoDescriptorOfTheMasterButTheirHeritage) {
  HandlerOrigin origin(always("x"));
  TempDir directory;
  const std::string socket = directory.path() + "/admin.sock";
  ConfigText config = catch_all(origin.url());
  config.set("workers", "3").set("admin_socket", socket);
  Gateway gateway(config);
  // The master's own, on top of everything that it has anyway: clients of the admin port.
  const Stream admin = Stream::connect(gateway.admin_port());
  gateway.reload(config);
  EXPECT_TRUE(eventually([&] { return gateway.workers().size() == 3; }));

  const std::multiset<std::string> of_master = descriptor_targets(gateway.pid());
  std::multiset<std::string> common_to_all;
  for (const pid_t worker : gateway.workers()) {
    std::multiset<std::string> shared;
    const std::multiset<std::string> of_worker = descriptor_targets(worker);
    std::set_intersection(of_master.begin(), of_master.end(), of_worker.begin(), of_worker.end(),
                          std::inserter(shared, shared.end()));
    // What has a name of its own rather than a kind's ("anon_inode:[eventpoll]").
    std::erase_if(shared, [](const std::string& target) { return target.starts_with("anon_inode:"); });
    size_t sockets = 0;
    for (const std::string& target : shared) sockets += target.starts_with("socket:") ? 1 : 0;
    EXPECT_EQ(sockets, 3U + 3U * 2) << "a listening socket and a mailbox with two ends for each worker";
    EXPECT_EQ(shared.size(), sockets + 3) << "standard input, output, error: " << testing::PrintToString(shared);
    if (common_to_all.empty()) common_to_all = shared;
    EXPECT_EQ(shared, common_to_all) << "no worker's control channel is another's";
  }
  gateway.stop();
}

}  // namespace
}  // namespace restgate::itest
