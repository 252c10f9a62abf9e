// Watch: looks at the gateway from outside all through a torture: its metrics, its readiness. Test process, one thread.
//
// Counters may never go back, nor a series of one vanish; the admin port has to answer every time, and to be ready.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "integration/support/metrics.h"

namespace restgate::itest::torture {

class Watch {
 public:
  explicit Watch(uint16_t admin_port) : admin_port_(admin_port), thread_([this] { run(); }) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }

  void stop();
  // After stop().
  [[nodiscard]] size_t looks() const { return looks_; }
  /// What was seen and must not be.
  [[nodiscard]] const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  void run();
  void look();
  void compare(const Metrics& metrics);
  [[nodiscard]] std::string ask(const std::string& target) const;

  uint16_t admin_port_;
  size_t looks_ = 0;
  std::map<std::string, double> counters_;
  std::vector<std::string> complaints_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // the last: it uses the others
};

}  // namespace restgate::itest::torture
