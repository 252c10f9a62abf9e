// Operations nobody notices: each under all kinds of traffic at once, and no client can tell.
//
// Each goes on for RESTGATE_TORTURE_SECONDS (2): `make test` runs the short form, `make torture` the long one.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <thread>

#include "integration/torture/operations.h"
#include "integration/torture/ports.h"
#include "integration/torture/table.h"

namespace restgate::itest::torture {
namespace {

using std::chrono::milliseconds;

class Torture : public testing::Test {
 protected:
  /// Judges, and adds a line to the table.
  static void expect_unnoticed(const Evidence& evidence) {
    const Verdict verdict = judge(evidence);
    for (const std::string& complaint : verdict.complaints) ADD_FAILURE() << complaint;
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    table().add(std::string(test->test_suite_name()) + "." + test->name(), evidence, verdict);
  }
  /// All that has been judged so far.
  static void TearDownTestSuite() { std::cout << "\n" << table().text() << "\n" << std::flush; }

 private:
  static Table& table() {
    static Table table;
    return table;
  }
};

double reloads(Trial& trial, const std::string& result) {
  return trial.gateway().metrics().sum("restgate_reloads_total", {{"result", result}});
}

TEST_F(Torture, NothingAtAll) {
  Trial trial;
  trial.begin();
  trial.repeat(milliseconds(500), [] {});
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Hup) {
  Trial trial;
  trial.begin();
  reload_again_and_again(trial);
  EXPECT_TRUE(eventually([&] { return reloads(trial, "success") >= 2; }));
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, ManyReloads) {
  Trial trial({.stream_length = milliseconds(300)});
  trial.begin();
  reload_very_often(trial);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Kill) {
  Trial trial;
  trial.begin();
  kill_workers(trial);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Stop) {
  Trial trial;
  trial.begin();
  const std::vector<pid_t> before = trial.gateway().workers();
  stop_workers(trial);
  EXPECT_EQ(trial.gateway().workers(), before) << "two seconds are no reason to end a worker";
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Resize) {
  Trial trial;
  trial.begin();
  resize(trial);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, PortChange) {
  const std::vector<uint16_t> ports = free_ports(4);
  Trial trial({.port = ports[0]});
  trial.begin();
  change_port(trial, ports);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, BadConfig) {
  Trial trial;
  trial.begin();
  const std::vector<pid_t> before = trial.gateway().workers();
  break_config(trial);
  EXPECT_EQ(trial.gateway().workers(), before);
  EXPECT_GE(reloads(trial, "failure"), 2);
  EXPECT_EQ(reloads(trial, "success"), 0);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Upgrade) {
  const Installed installed;
  Trial trial({.program = installed.path()});
  trial.begin();
  upgrade(trial, installed);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, BadBinary) {
  const Installed installed;
  Trial trial({.program = installed.path()});
  trial.begin();
  const ino_t good = executed_inode(trial.gateway().pid());
  const std::vector<pid_t> before = trial.gateway().workers();
  break_binary(trial, installed);
  EXPECT_EQ(executed_inode(trial.gateway().pid()), good);
  EXPECT_EQ(trial.gateway().workers(), before);
  installed.renew();
  trial.gateway().signal(SIGUSR2);
  EXPECT_TRUE(await_upgrade(trial, installed)) << "a good binary is taken after the bad ones";
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Terminate) {
  Trial trial({.settings = {{"pre_drain_delay", "1s"}}});
  trial.begin();
  expect_unnoticed(trial.conclude_by_sigterm());
}

/// The same across a network with 10 ms between a packet and what answers it: handshakes, requests and ends of
/// connections are on their way while something is done.
class TortureFromAfar : public Torture {
 protected:
  using Scenario = std::function<void(const DelayedLink&)>;
  /// On a thread of its own, which ends in another network namespace than it began in.
  static void run(const Scenario& scenario) {
    if (!DelayedLink::possible()) GTEST_SKIP() << "wants root and /dev/net/tun";
    std::thread([&] {
      try {
        const DelayedLink link(milliseconds(5));
        scenario(link);
      } catch (const Failure& failure) {
        ADD_FAILURE() << failure.what();
      }
    }).join();
  }
};

TEST_F(TortureFromAfar, Hup) {
  run([](const DelayedLink& link) {
    Trial trial({.link = &link});
    trial.begin();
    reload_again_and_again(trial);
    expect_unnoticed(trial.conclude());
  });
}

TEST_F(TortureFromAfar, Resize) {
  run([](const DelayedLink& link) {
    Trial trial({.link = &link});
    trial.begin();
    resize(trial);
    expect_unnoticed(trial.conclude());
  });
}

TEST_F(TortureFromAfar, PortChange) {
  run([](const DelayedLink& link) {
    const std::vector<uint16_t> ports = free_ports(4);
    Trial trial({.port = ports[0], .link = &link});
    trial.begin();
    change_port(trial, ports);
    expect_unnoticed(trial.conclude());
  });
}

TEST_F(TortureFromAfar, Kill) {
  run([](const DelayedLink& link) {
    Trial trial({.link = &link});
    trial.begin();
    kill_workers(trial);
    expect_unnoticed(trial.conclude());
  });
}

}  // namespace
}  // namespace restgate::itest::torture
