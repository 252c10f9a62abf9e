#include "common/platform/systemd.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <map>

#include "support/service_manager.h"

namespace restgate::platform {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

EnvironmentReader environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found != variables.end() ? found->second.c_str() : nullptr;
  };
}

struct GivenRow {
  std::map<std::string, std::string> variables;
  std::vector<std::string> names;
};

TEST(Systemd, NamesOfGivenDescriptors) {
  const std::vector<GivenRow> rows = {
      {{}, {}},
      {{{"LISTEN_FDS", "2"}}, {}},
      {{{"LISTEN_PID", "41"}, {"LISTEN_FDS", "2"}}, {}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}}, {"unknown", "unknown"}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "a:b"}}, {"a", "b"}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "a::c"}}, {"a", "unknown", "c"}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "a:b"}}, {"a"}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "3"}, {"LISTEN_FDNAMES", "a"}}, {"a", "unknown", "unknown"}},
      {{{"LISTEN_PID", "42x"}, {"LISTEN_FDS", "1"}}, {}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", "-1"}}, {}},
      {{{"LISTEN_PID", "42"}, {"LISTEN_FDS", ""}}, {}},
  };
  for (const GivenRow& row : rows)
    EXPECT_EQ(given_names(environment(row.variables), 42), row.names) << testing::PrintToString(row.variables);
  const auto many = environment({{"LISTEN_PID", "42"}, {"LISTEN_FDS", "18446744073709551615"}});
  EXPECT_EQ(given_names(many, 42).size(), 4096U);
}

TEST(Systemd, WatchdogPeriod) {
  const auto period = [](std::map<std::string, std::string> variables) {
    return watchdog_period(environment(std::move(variables)), 42).count();
  };
  EXPECT_EQ(period({}), 0);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "3000000"}}), 3'000'000);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "42"}}), 3'000'000);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", "41"}}), 0);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "3000000"}, {"WATCHDOG_PID", ""}}), 0);
  EXPECT_EQ(period({{"WATCHDOG_USEC", "soon"}}), 0);
}

TEST(Systemd, TakesItOutOfTheEnvironment) {
  // In a child: descriptors of fixed numbers and the environment are the whole process's.
  const pid_t child = fork();
  if (child == 0) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (dup2(listener, 3) != 3) _exit(10);
    close(4);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", "2", 1);  // the second one is closed
    setenv("LISTEN_FDNAMES", "a:b", 1);
    setenv("NOTIFY_SOCKET", "@x", 1);
    setenv("WATCHDOG_USEC", "2000000", 1);
    const ServiceEnvironment taken = take_service_environment();
    if (taken.notify_socket != "@x" || taken.watchdog.count() != 2'000'000) _exit(11);
    if (taken.descriptors.size() != 1 || taken.descriptors[0].fd.get() != 3 || taken.descriptors[0].name != "a")
      _exit(12);
    if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0) _exit(13);
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC"})
      if (getenv(name) != nullptr) _exit(14);
    using Variables = std::vector<std::pair<std::string, std::string>>;
    if (taken.variables != Variables{{"NOTIFY_SOCKET", "@x"}, {"WATCHDOG_USEC", "2000000"}}) _exit(15);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
}

class Notify : public testing::TestWithParam<ServiceManager::Name> {};

TEST_P(Notify, TakesTextAndADescriptor) {
  ServiceManager manager(GetParam());
  const auto socket = NotifySocket::open(manager.address());
  ASSERT_TRUE(socket.ok()) << socket.error().message;
  EXPECT_EQ(socket->send("READY=1\nSTATUS=fine"), NotifySocket::Sent::Yes);
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=fine");
  EXPECT_EQ(socket->send("FDSTORE=1\nFDNAME=x", STDIN_FILENO), NotifySocket::Sent::Yes);
  EXPECT_EQ(manager.next(), "FDSTORE=1\nFDNAME=x");
  EXPECT_THAT(manager.names(), ElementsAre("x"));
  EXPECT_GE(manager.descriptors().at(0), 0);
}

TEST_P(Notify, NeverWaitsForAManagerThatIsBusy) {
  ServiceManager manager(GetParam());
  const auto socket = NotifySocket::open(manager.address());
  ASSERT_TRUE(socket.ok());
  NotifySocket::Sent sent = NotifySocket::Sent::Yes;
  for (int i = 0; i < 100'000 && sent == NotifySocket::Sent::Yes; ++i) sent = socket->send("STATUS=more");
  EXPECT_EQ(sent, NotifySocket::Sent::Later);
  (void)manager.next();
  EXPECT_EQ(socket->send("STATUS=again"), NotifySocket::Sent::Yes);
}

INSTANTIATE_TEST_SUITE_P(Systemd, Notify, testing::Values(ServiceManager::Name::Path, ServiceManager::Name::Abstract),
                         [](const auto& row) { return row.param == ServiceManager::Name::Path ? "Path" : "Abstract"; });

TEST(Systemd, AddressesThatAreNone) {
  for (const std::string& address : {std::string("relative/path"), std::string("/"), std::string("@"),
                                     std::string("vsock:2:1234"), "/" + std::string(200, 'x')})
    EXPECT_FALSE(NotifySocket::open(address).ok()) << address;
  const auto nobody = NotifySocket::open("/nonexistent/notify");
  ASSERT_TRUE(nobody.ok());
  EXPECT_EQ(nobody->send("READY=1"), NotifySocket::Sent::Failed);
}

}  // namespace
}  // namespace restgate::platform
