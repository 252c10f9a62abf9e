#include "master/spawner.h"

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "common/ipc.h"
#include "common/platform/identity.h"
#include "config/model.h"

namespace restgate::master {
namespace {

/// Forks a worker with this body and returns its wait status.
int status_of(Spawner::Body body, std::function<void()> leave_master = {}, std::vector<int> listeners = {}) {
  Spawner spawner(std::move(body), std::move(leave_master), nullptr);
  auto channels = ipc::Channel::make_pair();
  EXPECT_TRUE(channels.ok());
  worker::Heritage heritage;
  heritage.control = std::move(channels->second);
  heritage.listeners = std::move(listeners);
  const auto pid = spawner.spawn(std::move(heritage), "worker");
  EXPECT_TRUE(pid.ok());
  int status = 0;
  EXPECT_EQ(waitpid(*pid, &status, 0), *pid);
  return status;
}

int exit_code_of(Spawner::Body body, std::function<void()> leave_master = {}, std::vector<int> listeners = {}) {
  const int status = status_of(std::move(body), std::move(leave_master), std::move(listeners));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::set<int> open_descriptors() {
  std::set<int> fds;
  DIR* listing = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(listing))
    if (entry->d_name[0] != '.' && std::atoi(entry->d_name) != dirfd(listing)) fds.insert(std::atoi(entry->d_name));
  closedir(listing);
  return fds;
}

/// A signal set of /proc/self/status, such as SigIgn.
uint64_t signal_set(const std::string& name) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  char line[256];
  uint64_t set = 0;
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::string(line).starts_with(name + ":")) set = std::strtoull(line + name.size() + 1, nullptr, 16);
  std::fclose(file);
  return set;
}

bool has(uint64_t set, int signo) {
  return (set >> (signo - 1) & 1) != 0;
}

/// In a child: what it says is no concern of the test's output.
void silence() {
  const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  dup2(nowhere.get(), STDERR_FILENO);
}

TEST(Spawner, TheBodysResultIsTheExitCode) {
  EXPECT_EQ(exit_code_of([](worker::Heritage) { return 0; }), 0);
  EXPECT_EQ(exit_code_of([](worker::Heritage) { return 7; }), 7);
}

TEST(Spawner, AChildHasNothingButItsHeritage) {
  const UniqueFd secret(dup(STDERR_FILENO));
  const UniqueFd listener(dup(STDERR_FILENO));
  const auto body = [](worker::Heritage heritage) {
    const std::set<int> expected = {0, 1, 2, heritage.listeners.at(0), heritage.control.fd()};
    return open_descriptors() == expected ? 0 : 1;
  };
  EXPECT_EQ(exit_code_of(body, {}, {listener.get()}), 0);
}

TEST(Spawner, AChildStartsWithCleanSignals) {
  const auto body = [](worker::Heritage) {
    const uint64_t ignored = signal_set("SigIgn");
    for (const int signo : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE})
      if (!has(ignored, signo)) return 1;
    if (has(ignored, SIGTERM) || has(signal_set("SigCgt"), SIGTERM)) return 2;
    return signal_set("SigBlk") == 0 ? 0 : 3;
  };
  struct sigaction handler {};
  struct sigaction before {};
  handler.sa_handler = [](int) {};
  sigaction(SIGTERM, &handler, &before);
  EXPECT_EQ(exit_code_of(body), 0);
  sigaction(SIGTERM, &before, nullptr);
}

TEST(Spawner, TheMastersSignalMaskIsAsBefore) {
  const uint64_t before = signal_set("SigBlk");
  (void)exit_code_of([](worker::Heritage) { return 0; });
  EXPECT_EQ(signal_set("SigBlk"), before);
}

TEST(Spawner, TheChildLeavesTheMasterFirst) {
  int left = 0;  // in the child's copy of the memory
  EXPECT_EQ(exit_code_of([&](worker::Heritage) { return left; }, [&] { left = 5; }), 5);
  EXPECT_EQ(left, 0);
}

TEST(Spawner, AChildMayLeaveACore) {
  // As after a change of user.
  const auto forbid = [] { prctl(PR_SET_DUMPABLE, 0); };
  EXPECT_EQ(exit_code_of([](worker::Heritage) { return prctl(PR_GET_DUMPABLE); }, forbid), 1);
}

TEST(Spawner, AnExceptionIsACrash) {
  const auto body = [](worker::Heritage) -> int {
    silence();
    throw std::runtime_error("nobody catches this");
  };
  EXPECT_EQ(exit_code_of(body), -SIGABRT);
}

/// A line of /proc/self/status, such as "Uid".
std::string status_line(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  return "";
}

TEST(Spawner, AChildGetsNoNewPrivileges) {
  const std::string before = status_line("NoNewPrivs");
  EXPECT_EQ(exit_code_of([](worker::Heritage) { return status_line("NoNewPrivs") == "1" ? 0 : 1; }), 0);
  EXPECT_EQ(status_line("NoNewPrivs"), before) << "the master may start another program";
}

/// Forks a worker of this configuration.
int exit_code_with(const config::Config& config, Spawner::Body body) {
  Spawner spawner(std::move(body), {}, nullptr);
  auto channels = ipc::Channel::make_pair();
  EXPECT_TRUE(channels.ok());
  worker::Heritage heritage;
  heritage.control = std::move(channels->second);
  heritage.config = &config;
  const auto pid = spawner.spawn(std::move(heritage), "worker");
  EXPECT_TRUE(pid.ok());
  int status = 0;
  EXPECT_EQ(waitpid(*pid, &status, 0), *pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Spawner, AChildBecomesTheUserOfItsConfiguration) {
  config::Config config;
  config.identity = {4'000'000'001, 4'000'000'002, {4'000'000'002, 4'000'000'003}};
  if (!platform::check_may_become(*config.identity)) GTEST_SKIP() << "needs root";
  const auto body = [](worker::Heritage heritage) {
    if (platform::current_identity() != *heritage.config->identity) return 2;
    if (status_line("Uid") != "4000000001\t4000000001\t4000000001\t4000000001") return 3;
    if (status_line("Gid") != "4000000002\t4000000002\t4000000002\t4000000002") return 4;
    if (status_line("CapPrm") != "0000000000000000" || status_line("NoNewPrivs") != "1") return 5;
    int signal_of_death = 0;
    prctl(PR_GET_PDEATHSIG, &signal_of_death);
    if (signal_of_death != SIGTERM) return 6;
    return prctl(PR_GET_DUMPABLE) == 1 ? 0 : 7;
  };
  const uid_t before = getuid();
  EXPECT_EQ(exit_code_with(config, body), 0);
  EXPECT_EQ(getuid(), before);
}

TEST(Spawner, AChildThatCannotChangeItsUserDoesNotServe) {
  // Whoever may change to any user does so first, as a service manager would have.
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    silence();
    const platform::Identity somebody{4'000'000'001, 4'000'000'002, {4'000'000'002}};
    if (platform::check_may_become(somebody).ok() && !platform::become(somebody)) _exit(1);
    config::Config config;
    config.identity = {4'000'000'005, 4'000'000'005, {4'000'000'005}};
    _exit(exit_code_with(config, [](worker::Heritage) { return 42; }) == 1 ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Spawner, TheControlChannelsFarEndIsTheChildsAlone) {
  auto channels = ipc::Channel::make_pair();
  ASSERT_TRUE(channels.ok());
  Spawner spawner(
      [](worker::Heritage heritage) {
        return heritage.control.send({ipc::Kind::Ready, 0, 3}) ? 0 : 1;
      },
      {}, nullptr);
  worker::Heritage heritage;
  heritage.control = std::move(channels->second);
  const auto pid = spawner.spawn(std::move(heritage), "worker");
  ASSERT_TRUE(pid.ok());
  int status = 0;
  ASSERT_EQ(waitpid(*pid, &status, 0), *pid);
  ipc::Message message;
  EXPECT_EQ(channels->first.receive(message), ipc::Channel::Receipt::Message);
  EXPECT_EQ(message.value, 3U);
  EXPECT_EQ(channels->first.receive(message), ipc::Channel::Receipt::Closed);
}

}  // namespace
}  // namespace restgate::master
