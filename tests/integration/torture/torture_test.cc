// Operations nobody notices: what is done to the gateway under all kinds of traffic at once, and that no client can
// tell.
//
// Each operation goes on for RESTGATE_TORTURE_SECONDS (2): `make test` runs the short form, `make torture` the long
// one.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <iostream>

#include "integration/torture/ports.h"
#include "integration/torture/table.h"
#include "integration/torture/trial.h"

namespace restgate::itest::torture {
namespace {

using std::chrono::milliseconds;

class Torture : public testing::Test {
 protected:
  /// Judges; a line for the table.
  static void expect_unnoticed(const Evidence& evidence) {
    const Verdict verdict = judge(evidence);
    for (const std::string& complaint : verdict.complaints) ADD_FAILURE() << complaint;
    table().add(testing::UnitTest::GetInstance()->current_test_info()->name(), evidence, verdict);
  }
  static void TearDownTestSuite() { std::cout << "\n" << table().text() << "\n" << std::flush; }

 private:
  static Table& table() {
    static Table table;
    return table;
  }
};

size_t reloads(Trial& trial, const std::string& result) {
  return static_cast<size_t>(trial.gateway().metrics().sum("restgate_reloads_total", {{"result", result}}));
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
  trial.repeat(milliseconds(300), [&] { trial.gateway().signal(SIGHUP); });
  EXPECT_GE(reloads(trial, "success"), 2U);
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Kill) {
  Trial trial;
  trial.begin();
  trial.repeat(milliseconds(500), [&] { trial.kill_worker(); });
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Stop) {
  Trial trial;
  trial.begin();
  const std::vector<pid_t> before = trial.gateway().workers();
  trial.repeat(milliseconds(2500), [&] { trial.stop_worker(milliseconds(2000)); });
  EXPECT_EQ(trial.gateway().workers(), before) << "two seconds are no reason to end a worker";
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Resize) {
  Trial trial;
  trial.begin();
  for (bool done = false; !done; done = true)
    trial.repeat(milliseconds(1200), [&] {
      for (const char* workers : {"2", "1", "4"}) {
        trial.reload(trial.config().set("workers", workers));
        trial.traffic().pause(milliseconds(400));
      }
    });
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, PortChange) {
  const std::vector<uint16_t> ports = free_ports(2);
  Trial trial({.port = ports[0]});
  trial.begin();
  size_t turn = 0;
  trial.repeat(milliseconds(1500), [&] {
    const uint16_t next = ports[++turn % 2];
    trial.reload(trial.config().set("port", std::to_string(next)));
    if (!eventually([&] { return Stream::probe(next) == 0; })) throw Failure("the new port does not open");
    trial.traffic().follow(next);
  });
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, BadConfig) {
  Trial trial;
  trial.begin();
  const std::vector<pid_t> before = trial.gateway().workers();
  const std::string good = trial.config().yaml();
  size_t turn = 0;
  trial.repeat(milliseconds(300), [&] {
    const std::vector<std::string> bad = {"", good + "        patern: /typo\n", good.substr(0, good.size() / 2), "\t",
                                          ConfigText(trial.config()).set("port", "99999").yaml()};
    trial.gateway().rewrite_config(bad[++turn % bad.size()]);
    trial.gateway().signal(SIGHUP);
  });
  EXPECT_EQ(trial.gateway().workers(), before);
  EXPECT_GE(reloads(trial, "failure"), 2U);
  EXPECT_EQ(reloads(trial, "success"), 0U);
  expect_unnoticed(trial.conclude());
}

/// A binary of the trial's own, which can be replaced as a package's upgrade does.
class Installed {
 public:
  Installed() { replace_by_file(gateway_binary()); }
  [[nodiscard]] std::string path() const { return directory_.path() + "/restgate"; }
  /// A new file in place of the old one.
  void replace_by_file(const std::string& source) const {
    std::filesystem::copy_file(source, path() + ".new");
    std::filesystem::rename(path() + ".new", path());
  }
  void replace_by_text(const std::string& text, bool executable) const {
    directory_.write("restgate", text);
    using std::filesystem::perms;
    std::filesystem::permissions(path(), executable ? perms::owner_all : perms::owner_read);
  }

 private:
  TempDir directory_;
};

TEST_F(Torture, Upgrade) {
  const Installed installed;
  Trial trial({.program = installed.path()});
  trial.begin();
  trial.repeat(milliseconds(1000), [&] {
    installed.replace_by_file(gateway_binary());
    trial.gateway().signal(SIGUSR2);
    const bool taken = eventually([&] { return executed_inode(trial.gateway().pid()) == inode_of(installed.path()); });
    if (!taken) throw Failure("the new binary is not executed");
  });
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, BadBinary) {
  const Installed installed;
  Trial trial({.program = installed.path()});
  trial.begin();
  const ino_t good = executed_inode(trial.gateway().pid());
  const std::vector<pid_t> before = trial.gateway().workers();
  size_t turn = 0;
  trial.repeat(milliseconds(500), [&] {
    switch (turn++ % 4) {
      case 0:
        installed.replace_by_text("#!/bin/sh\nexit 1\n", true);
        break;
      case 1:
        installed.replace_by_text(
            "\x7f"
            "ELF and nothing more",
            true);
        break;
      case 2:
        installed.replace_by_text("", true);
        break;
      case 3:
        std::filesystem::remove(installed.path());
        break;
    }
    trial.gateway().signal(SIGUSR2);
  });
  EXPECT_EQ(executed_inode(trial.gateway().pid()), good);
  EXPECT_EQ(trial.gateway().workers(), before);
  installed.replace_by_file(gateway_binary());
  trial.gateway().signal(SIGUSR2);
  EXPECT_TRUE(eventually([&] { return executed_inode(trial.gateway().pid()) == inode_of(installed.path()); }))
      << "a good binary is taken after the bad ones";
  expect_unnoticed(trial.conclude());
}

TEST_F(Torture, Terminate) {
  Trial trial({.settings = {{"pre_drain_delay", "1s"}}});
  trial.begin();
  expect_unnoticed(trial.conclude_by_sigterm());
}

}  // namespace
}  // namespace restgate::itest::torture
