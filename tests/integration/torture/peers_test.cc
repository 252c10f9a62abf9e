// What a client sees of 12 reloads: the same traffic through the gateway and through its peers. `make torture-peers`.
//
// Measured, not judged: a peer's losses are no failure of a test.
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
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

/// What is reloaded.
struct Subject {
  std::string name;
  uint16_t port = 0;
  std::function<void()> reload;
  std::function<size_t()> generations;  ///< configurations taken so far
  std::function<size_t()> processes;
};

/// The parameter: whether the clients are 10 ms away.
class Peers : public testing::TestWithParam<bool> {
 protected:
  static void run(const std::function<void(const DelayedLink*)>& scenario) {
    if (!GetParam()) return scenario(nullptr);
    if (!DelayedLink::possible()) GTEST_SKIP() << "wants root and /dev/net/tun";
    // In a network namespace of its own, which ends with the thread.
    std::thread([&] {
      const DelayedLink link(milliseconds(5));
      scenario(&link);
    }).join();
  }

  static void measure(const Subject& subject, const DelayedLink* link) {
    TrafficOptions options{.port = subject.port};
    if (link != nullptr) {
      options.address = link->address();
      options.settle_in = [link] { link->enter_outer(); };
    }
    Traffic traffic(options);
    traffic.await_more();
    const size_t first = subject.generations();
    // A signal may be lost (haproxy's master takes none while it executes itself anew) or merged with the one before.
    const Deadline deadline(std::chrono::seconds(60));
    while (subject.generations() < first + kReloads && !deadline.passed()) {
      subject.reload();
      traffic.pause(kInterval);
    }
    traffic.pause(kAfterwards);
    const size_t reloads = subject.generations() - first;
    const size_t processes = subject.processes();  // while the tunnels are open
    const Scores scores = traffic.stop();
    const std::string name = subject.name + (link != nullptr ? ", 10 ms" : "");
    explain(name, scores);
    table().add(name, reloads, scores, processes);
  }

  static void measure_peer(const PeerKind& kind) {
    if (!Peer::there(kind)) GTEST_SKIP() << kind.program << " is not installed";
    run([&](const DelayedLink* link) {
      const StageOrigin origin;
      const Peer peer(kind, link == nullptr ? "127.0.0.1" : link->address(), origin.port());
      std::cout << peer.version() << "\n";
      measure({.name = kind.name,
               .port = peer.port(),
               .reload = [&] { peer.reload(); },
               .generations = [&] { return peer.generations(); },
               .processes = [&] { return peer.processes(); }},
              link);
    });
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

TEST_P(Peers, Restgate) {
  run([](const DelayedLink* link) {
    Trial trial;
    const Gateway& gateway = trial.gateway();
    measure({.name = "restgate",
             .port = gateway.port(),
             .reload = [&] { gateway.signal(SIGHUP); },
             .generations =
                 [&] {
                   return static_cast<size_t>(gateway.metrics().sum("restgate_reloads_total", {{"result", "success"}}));
                 },
             .processes = [&] { return processes_of_group(gateway.pid()).size(); }},
            link);
  });
}

TEST_P(Peers, Nginx) {
  measure_peer(nginx());
}

TEST_P(Peers, Haproxy) {
  measure_peer(haproxy(/*gentle=*/false));
}

TEST_P(Peers, HaproxyGentle) {
  measure_peer(haproxy(/*gentle=*/true));
}

INSTANTIATE_TEST_SUITE_P(Torture, Peers, testing::Values(false, true),
                         [](const auto& row) { return row.param ? "FromAfar" : "OnTheLoopback"; });

}  // namespace
}  // namespace restgate::itest::torture
