// What a client sees of 12 reloads: the same traffic through the gateway and through its peers. `make torture-peers`.
//
// Measured, not judged: only that everything answers before the first reload.
#include <gtest/gtest.h>
#include <signal.h>

#include <iostream>
#include <map>

#include "integration/torture/peer.h"
#include "integration/torture/table.h"
#include "integration/torture/trial.h"

namespace restgate::itest::torture {
namespace {

using std::chrono::milliseconds;

constexpr size_t kReloads = 12;
constexpr milliseconds kInterval{300};
constexpr milliseconds kAfterwards{2000};

class Peers : public testing::Test {
 protected:
  /// Reloads under traffic through `port`. At the end, while the tunnels are open: how many `reloads` were done, how
  /// many `processes` there are.
  template <typename Reload, typename Reloads, typename Processes>
  static void measure(const std::string& name, uint16_t port, Reload reload, Reloads reloads, Processes processes) {
    Traffic traffic({.port = port});
    traffic.await_more();
    for (size_t i = 0; i < kReloads; ++i) {
      reload();
      traffic.pause(kInterval);
    }
    traffic.pause(kAfterwards);
    const size_t done = reloads();
    const size_t left = processes();
    const Scores scores = traffic.stop();
    explain(name, scores);
    table().add(name, done, scores, left);
  }

  static void measure_peer(const PeerKind& kind) {
    if (!Peer::there(kind)) GTEST_SKIP() << kind.program << " is not installed";
    const StageOrigin origin;
    const Peer peer(kind, origin.port());
    std::cout << peer.version() << "\n";
    measure(
        kind.name, peer.port(), [&] { peer.reload(); }, [&] { return peer.reloads(); },
        [&] { return peer.processes(); });
  }

  static void TearDownTestSuite() { std::cout << "\n" << table().text() << "\n" << std::flush; }

 private:
  /// The causes, each with how often.
  static void explain(const std::string& name, const Scores& scores) {
    std::map<std::string, size_t> causes;
    for (const Mishap& mishap : total(scores).mishaps)
      ++causes[std::string(name_of(mishap.kind)) + ": " + std::string(name_of(mishap.outcome))];
    for (const auto& [cause, count] : causes) std::cout << name << ": " << cause << " × " << count << "\n";
  }
  static FailureTable& table() {
    static FailureTable table;
    return table;
  }
};

TEST_F(Peers, Restgate) {
  Trial trial;
  measure(
      "restgate", trial.gateway().port(), [&] { trial.gateway().signal(SIGHUP); },
      [&] {
        return static_cast<size_t>(trial.gateway().metrics().sum("restgate_reloads_total", {{"result", "success"}}));
      },
      [&] { return processes_of_group(trial.gateway().pid()).size(); });
}

TEST_F(Peers, Nginx) {
  measure_peer(nginx());
}

TEST_F(Peers, Haproxy) {
  measure_peer(haproxy(/*gentle=*/false));
}

TEST_F(Peers, HaproxyGentle) {
  measure_peer(haproxy(/*gentle=*/true));
}

}  // namespace
}  // namespace restgate::itest::torture
