// Deadline: how long a test is prepared to wait, and the failure that is thrown when it waited in vain. Test process.
//
// A deadline never paces a test: every wait ends as soon as its condition holds.
#pragma once

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>

namespace restgate::itest {

/// A broken expectation of a helper. GoogleTest reports it as the failure of the running test.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How many times longer than usual everything may take: more under sanitizers, and as RESTGATE_TEST_PATIENCE says.
int patience_factor();

/// The time after which a condition that should hold soon is given up.
inline std::chrono::milliseconds patience() {
  return std::chrono::seconds(10) * patience_factor();
}

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Deadline(std::chrono::milliseconds after = patience()) : at_(Clock::now() + after) {}

  [[nodiscard]] Clock::time_point at() const { return at_; }
  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }
  /// Milliseconds left, as poll(2) takes them; 0 when it has passed.
  [[nodiscard]] int left_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

 private:
  Clock::time_point at_;
};

/// Looks at `condition` again and again until it holds or the deadline passes; returns whether it held.
/// For facts that nobody announces (metrics, /proc); where there is an event, wait for the event.
template <typename Condition>
[[nodiscard]] bool eventually(Condition condition, Deadline deadline = Deadline());

void pause_between_looks();

template <typename Condition>
bool eventually(Condition condition, Deadline deadline) {
  while (true) {
    if (condition()) return true;
    if (deadline.passed()) return false;
    pause_between_looks();
  }
}

}  // namespace restgate::itest
