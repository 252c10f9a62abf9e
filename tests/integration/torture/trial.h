// Trial: one torture of one gateway: the origin, the gateway, the traffic and the watch, from beginning to end. Test
// process.
//
// What is done to the gateway meanwhile is the test's; what may come of it is judged in verdict.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "integration/support/gateway.h"
#include "integration/torture/delayed_link.h"
#include "integration/torture/processes.h"
#include "integration/torture/stage_origin.h"
#include "integration/torture/traffic.h"
#include "integration/torture/verdict.h"
#include "integration/torture/watch.h"

namespace restgate::itest::torture {

/// How long each operation goes on: RESTGATE_TORTURE_SECONDS of the environment, else 2.
std::chrono::seconds torture_time();

struct TrialOptions {
  std::string program = gateway_binary();
  uint16_t port = 0;
  size_t workers = 4;
  ConfigText::Settings settings = {};  ///< more of the top level
  std::chrono::milliseconds stream_length{1200};
  const DelayedLink* link = nullptr;  ///< between the clients and the gateway; else the loopback
};

class Trial {
 public:
  explicit Trial(const TrialOptions& options = {});
  /// Starts the traffic and the watch, and waits until all of it flows.
  void begin();

  [[nodiscard]] Gateway& gateway() { return *gateway_; }
  [[nodiscard]] const Gateway& gateway() const { return *gateway_; }
  [[nodiscard]] Traffic& traffic() { return *traffic_; }
  [[nodiscard]] Watch& watch() { return *watch_; }
  /// Takes what the master's memory is now for what it should be at the end.
  void accept_memory();
  /// The configuration it was started with, to be changed.
  [[nodiscard]] ConfigText config() const;

  /// Does it every `interval` until the time is over, at least once.
  template <typename Operation>
  void repeat(std::chrono::milliseconds interval, Operation operation);
  /// For the table.
  void note_operation() { ++operations_; }
  /// Writes the configuration and sends SIGHUP.
  void reload(const ConfigText& config);
  /// kill -9 of a worker; what it was executing may be lost.
  void kill_worker();
  /// A worker that stands still for that time.
  void stop_worker(std::chrono::milliseconds time);

  /// Something else that must not have been.
  void complain(const std::string& what) { complaints_.push_back(what); }
  /// Ends the traffic, waits until the gateway is at rest, and stops it. What the judge needs.
  Evidence conclude();
  /// SIGTERM under the traffic: nobody connects anew once readiness is gone; waits until the gateway has ended.
  Evidence conclude_by_sigterm();

 private:
  [[nodiscard]] Evidence gather();
  void rest(Evidence& evidence);
  [[nodiscard]] pid_t any_worker();

  TrialOptions options_;
  StageOrigin origin_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Traffic> traffic_;
  std::unique_ptr<Watch> watch_;
  std::minstd_rand random_;
  size_t operations_ = 0;
  std::vector<Span> kills_;
  std::vector<Span> stops_;
  std::vector<std::string> complaints_;
  Footprint before_;
};

template <typename Operation>
void Trial::repeat(std::chrono::milliseconds interval, Operation operation) {
  const Deadline deadline(torture_time());
  do {
    const Deadline next(interval);
    operation();
    ++operations_;
    traffic_->pause(std::chrono::milliseconds(next.left_ms()));
  } while (!deadline.passed());
}

}  // namespace restgate::itest::torture
