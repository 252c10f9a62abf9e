// `restgate reload`: has the running gateway load a file, and its exit code is the verdict.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "common/platform/unix_socket.h"
#include "integration/support/played.h"

namespace restgate::itest {
namespace {

Finished restgate_reload(std::vector<std::string> arguments, const std::string& config_of_environment = "") {
  arguments.insert(arguments.begin(), "reload");
  ProcessOptions options{.arguments = std::move(arguments), .environment = {}};
  if (!config_of_environment.empty()) options.environment["RESTGATE_CONFIG_PATH"] = config_of_environment;
  return run_gateway(options);
}

/// One request on a connection to the admin socket.
Message ask(const std::string& socket, const std::string& method, const std::string& target,
            const std::string& body = "") {
  auto connected = platform::connect_unix(socket);
  if (!connected) throw Failure(connected.error().message);
  ::fcntl(connected->get(), F_SETFL, O_NONBLOCK);
  Stream client(std::move(connected).value());
  return client.exchange(method + " " + target + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body);
}

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

class ReloadCommand : public testing::Test {
 protected:
  [[nodiscard]] ConfigText config(const std::string& socket, const std::string& route) const {
    ConfigText text;
    text.set("workers", "2").service("backend", origin_.url()).route(route, "GET", "/" + route);
    if (!socket.empty()) text.set("admin_socket", socket);
    return text;
  }
  [[nodiscard]] ConfigText config(const std::string& route) const { return config(socket_, route); }
  void start() { gateway_ = std::make_unique<Gateway>(config("a")); }
  void TearDown() override {
    if (gateway_ != nullptr && !gateway_->ended() && !HasFailure()) gateway_->stop();
  }
  [[nodiscard]] double last_reload_successful() const {
    return gateway_->metrics().sum("restgate_config_last_reload_successful");
  }

  HandlerOrigin origin_{always("x")};
  TempDir directory_;
  const std::string socket_ = directory_.path() + "/admin.sock";
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(ReloadCommand, ReturnsWhenTheNewConfigurationServes) {
  start();
  gateway_->rewrite_config(config("b").yaml());
  const Finished run = restgate_reload({}, gateway_->config_path());
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(run.out, "reload finished: generation 2, 2 workers\n");
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(gateway_->get("/b").status(), 200);
  EXPECT_EQ(gateway_->get("/a").status(), 404);
}

TEST_F(ReloadCommand, TellsWhatIsWrongAsACheckDoes) {
  start();
  for (const std::string& broken : {config("b").yaml() + "        patern: /x\n        metods: GET\n",
                                    config("b").yaml() + "oh: [dear\n", config("b").yaml() + "\tport: 1\n"}) {
    gateway_->rewrite_config(broken);
    const Finished check = run_gateway({.arguments = {"-t", "-config", gateway_->config_path()}, .environment = {}});
    EXPECT_EQ(check.exit_code, 1);
    const Finished run = restgate_reload({"-config", gateway_->config_path()});
    EXPECT_EQ(run.exit_code, 1);
    EXPECT_EQ(run.err, check.err);
    EXPECT_EQ(run.out, "");
    EXPECT_EQ(gateway_->get("/a").status(), 200);
    EXPECT_EQ(gateway_->get("/b").status(), 404);
    EXPECT_EQ(last_reload_successful(), 0);
  }
  gateway_->await_log(
      [&](const Json& r) {
        return r.value("msg", "") == "configuration error" &&
               r.value("where", "").starts_with(gateway_->config_path() + ":") &&
               r.dump().find("patern") != std::string::npos;
      },
      "the error with its place");
  gateway_->rewrite_config(config("b").yaml());
  EXPECT_EQ(restgate_reload({}, gateway_->config_path()).exit_code, 0);
  EXPECT_EQ(last_reload_successful(), 1);
}

TEST_F(ReloadCommand, TellsWhyAGoodFileCouldNotBeTaken) {
  start();
  const Origin taken;
  gateway_->rewrite_config(config("b").set("admin_port", std::to_string(taken.port())).yaml());
  const Finished run = restgate_reload({}, gateway_->config_path());
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_EQ(run.err, "restgate: reload failed: the configuration before it serves on: admin_port: port " +
                         std::to_string(taken.port()) + " is in use by another program\n");
  EXPECT_EQ(gateway_->get("/a").status(), 200);
  EXPECT_EQ(last_reload_successful(), 0);
}

TEST_F(ReloadCommand, UsesAnotherFileFromThenOn) {
  start();
  const std::string other = directory_.write("other.yaml", config("b").yaml());
  const std::string bad = directory_.write("bad.yaml", config("c").set("workers", "many").yaml());
  EXPECT_EQ(restgate_reload({"-config", bad}).exit_code, 1);
  EXPECT_EQ(restgate_reload({"-socket", socket_, "-config", bad + ".none"}).exit_code, 1);
  gateway_->rewrite_config(config("d").yaml());
  EXPECT_EQ(restgate_reload({}, gateway_->config_path()).exit_code, 0);
  EXPECT_EQ(gateway_->get("/d").status(), 200) << "what was refused is not in use";

  // As the client sees it, which works elsewhere.
  const std::string relative = std::filesystem::relative(other).string();
  const Finished run = restgate_reload({"-config", relative});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(gateway_->get("/b").status(), 200);
  const Json record = gateway_->await_log(
      [](const Json& r) { return r.value("msg", "").find("is used from now on") != std::string::npos; },
      "the new name");
  EXPECT_TRUE(std::filesystem::equivalent(record.at("file").get<std::string>(), other)) << record;

  directory_.write("other.yaml", config("e").yaml());
  gateway_->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return gateway_->get("/e").status() == 200; })) << "a plain signal reads it, too";
}

TEST_F(ReloadCommand, SaysThatNobodyCouldBeAsked) {
  const std::string none = directory_.write("none.yaml", config("", "a").yaml());
  const std::string dead = directory_.write("dead.yaml", config("a").yaml());
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  const Case cases[] = {
      {{"-config", dead}, "no gateway answers at " + socket_ + ": No such file or directory"},
      {{"-socket", directory_.path() + "/other"}, "no gateway answers at " + directory_.path() + "/other"},
      {{"-config", none}, none + ": the key admin_socket is not there"},
      {{"-config", none + ".none"}, none + ".none: there is no such file"},
      {{"-config", "/dev/stdin", "-socket", socket_}, "/dev/stdin is of this process alone"},
      {{}, "which gateway?"},
      {{"-socket"}, "-socket needs the path of a socket"},
  };
  for (const Case& test : cases) {
    const Finished run = restgate_reload(test.arguments);
    EXPECT_EQ(run.exit_code, 2) << run.err;
    EXPECT_NE(run.err.find(test.says), std::string::npos) << run.err;
    EXPECT_EQ(run.out, "");
  }
}

TEST_F(ReloadCommand, ManyAtOnceAllGetAVerdict) {
  start();
  std::vector<std::unique_ptr<Process>> clients;
  for (int i = 0; i < 6; ++i)
    clients.push_back(std::make_unique<Process>(
        gateway_binary(), ProcessOptions{.arguments = {"reload", "-socket", socket_}, .environment = {}}));
  std::set<std::string> said;
  for (const auto& client : clients) {
    EXPECT_EQ(client->wait_exit(), 0) << client->err_text();
    ASSERT_EQ(client->out_lines().size(), 1U);
    EXPECT_TRUE(client->out_lines()[0].starts_with("reload finished: generation "));
    said.insert(client->out_lines()[0]);
  }
  const Metrics metrics = gateway_->metrics();
  EXPECT_EQ(metrics.sum("restgate_reloads_total", {{"result", "success"}}), said.size()) << "no roll without a verdict";
  EXPECT_EQ(metrics.sum("restgate_generation"), 1 + said.size());
}

TEST_F(ReloadCommand, TheSocketIsForItsOwnerAndGoesWithTheGateway) {
  start();
  struct stat info {};
  ASSERT_EQ(::lstat(socket_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(ask(socket_, "GET", "/healthz").body, "ok\n");
  EXPECT_EQ(ask(socket_, "GET", "/readyz").status(), 200);
  EXPECT_EQ(ask(socket_, "GET", "/metrics").status(), 200);
  EXPECT_EQ(ask(socket_, "GET", "/version").status(), 200);
  EXPECT_EQ(ask(socket_, "GET", "/reload").status(), 405);
  EXPECT_EQ(ask(socket_, "POST", "/reload", "not/absolute").status(), 400);
  EXPECT_EQ(gateway_->admin("/reload", "POST").status(), 404) << "the port takes no orders";
  EXPECT_EQ(gateway_->metrics().sum("restgate_reloads_total"), 0);
  gateway_->stop();
  EXPECT_FALSE(exists(socket_));
}

TEST_F(ReloadCommand, ADeadGatewaysSocketIsReplacedALiveOnesNever) {
  start();
  const Finished second =
      run_gateway({.arguments = {"-config", directory_.write("second.yaml", config("a").yaml())}, .environment = {}});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.err.find("admin_socket: " + socket_ + " is in use by another process"), std::string::npos)
      << second.err;
  EXPECT_EQ(ask(socket_, "GET", "/healthz").status(), 200);

  gateway_->signal(SIGKILL);
  EXPECT_EQ(gateway_->wait_exit(), -SIGKILL);
  EXPECT_TRUE(exists(socket_));
  start();
  EXPECT_EQ(ask(socket_, "GET", "/healthz").status(), 200);
}

TEST_F(ReloadCommand, TheSocketSurvivesAnUpgrade) {
  start();
  const auto before = platform::file_id(socket_);
  for (int round = 0; round < 2; ++round) {
    size_t seen = gateway_->logs().size();
    gateway_->signal(SIGUSR2);
    gateway_->await_log([](const Json& r) { return r.value("msg", "") == "upgrade finished"; }, "upgrade", &seen);
    EXPECT_EQ(platform::file_id(socket_), before);
    const Finished run = restgate_reload({}, gateway_->config_path());
    EXPECT_EQ(run.exit_code, 0) << run.err;
  }
  gateway_->stop();
  EXPECT_FALSE(exists(socket_));
}

TEST_F(ReloadCommand, DuringAnUpgradeItGetsItsVerdictAndThenTheUpgradeComes) {
  start();
  size_t seen = gateway_->logs().size();
  const auto await = [&](const std::string& message) {
    gateway_->await_log([&](const Json& r) { return r.value("msg", "") == message; }, message, &seen);
  };
  gateway_->signal(SIGUSR2);
  await("upgrade: asking the installed program");
  const Finished run = restgate_reload({}, gateway_->config_path());
  EXPECT_EQ(run.exit_code, 0) << run.err;
  await("upgrade finished");
  gateway_->stop();
}

TEST_F(ReloadCommand, TheSocketFollowsTheConfiguration) {
  start();
  const std::string moved = directory_.path() + "/moved.sock";
  gateway_->rewrite_config(config(moved, "a").yaml());
  // The verdict still comes on the connection that asked for it, though its socket goes with the reload.
  const Finished run = restgate_reload({"-socket", socket_});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_FALSE(exists(socket_));
  EXPECT_EQ(restgate_reload({}, gateway_->config_path()).out, "reload finished: generation 3, 2 workers\n");

  // A reload that fails leaves it where it is, and nothing where it was to go.
  gateway_->rewrite_config(config(directory_.path() + "/no/such/place", "a").yaml());
  EXPECT_EQ(restgate_reload({"-socket", moved}).exit_code, 1);
  const Origin taken;
  gateway_->rewrite_config(config("a").set("port", std::to_string(taken.port())).yaml());
  EXPECT_EQ(restgate_reload({"-socket", moved}).exit_code, 1);
  EXPECT_FALSE(exists(socket_));
  EXPECT_EQ(ask(moved, "GET", "/healthz").status(), 200);

  for (int i = 0; i < 4; ++i) (void)gateway_->next_verdict();  // of the above

  // Somebody has cleaned up: the next reload puts it back.
  std::filesystem::remove(moved);
  gateway_->reload(config(moved, "a"));
  EXPECT_EQ(ask(moved, "GET", "/healthz").status(), 200);

  gateway_->reload(config("", "a"));
  EXPECT_FALSE(exists(moved));
  gateway_->reload(config("a"));
  EXPECT_EQ(ask(socket_, "GET", "/healthz").status(), 200);
}

}  // namespace
}  // namespace restgate::itest
