// UpgradeCheck: asks the program that is installed whether it would run with the present configuration and can take
// over from this one: `restgate -t -config F`, with a trial of the state. Master; its one thread.
//
// Another process, watched from the event loop: however that program behaves, the master serves on. Its verdict is what
// it says and how it exits; without both in time it is killed, with all that it has started.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/program.h"
#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::master {

/// Names the descriptor of the state for a program that shall take over, or (with -t) say whether it can.
inline constexpr const char* kUpgradeVariable = "RESTGATE_UPGRADE_STATE";
/// The line by which it says so. Old and new programs have to agree on it: it never changes.
inline constexpr std::string_view kUpgradeAgreement = "upgrade: this program can take over";
/// The line by which it says that it cannot, although it would run with the configuration. It never changes either.
inline constexpr std::string_view kUpgradeDenial = "upgrade: this program cannot take over";

/// The other side: says whether this program can take over the state of that descriptor. The process's exit code.
int answer_upgrade_check(int state);

class UpgradeCheck final : private IoHandler {
 public:
  enum class Outcome : uint8_t {
    CanTakeOver,
    CannotTakeOver,  ///< it would run with the configuration, but not go on with the state: it has to be started anew
    ConfigurationRefused,  ///< it would not run
    NoAnswer,              ///< whether it would run is not known: it crashed, hung, is no program
  };
  struct Verdict {
    Outcome outcome = Outcome::NoAnswer;
    std::string reason;               ///< why it cannot
    std::vector<std::string> output;  ///< the lines that it wrote, the first ones

    [[nodiscard]] bool passed() const { return outcome == Outcome::CanTakeOver; }
  };

  /// The loop outlives it.
  UpgradeCheck(EventLoop& loop, std::chrono::milliseconds limit);
  UpgradeCheck(const UpgradeCheck&) = delete;
  UpgradeCheck& operator=(const UpgradeCheck&) = delete;
  /// Kills it if it still runs; the master reaps it some time later.
  ~UpgradeCheck();

  /// Starts it. `state`: a descriptor that it inherits.
  Status start(const platform::Program& program, int state);
  /// A child of this process has ended. False: it was another one.
  bool on_exit(pid_t pid, int status);
  /// Once it has ended.
  [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

 private:
  void on_io(IoReady ready) override;
  void read_output();
  void on_overdue();
  [[nodiscard]] Verdict judge(int status) const;
  /// Wrote this line, and no other text in it.
  [[nodiscard]] bool said(std::string_view line) const;
  [[nodiscard]] std::vector<std::string> lines() const;

  EventLoop& loop_;
  std::chrono::milliseconds limit_;
  pid_t pid_ = 0;  // 0: not running
  bool overdue_ = false;
  std::string output_;
  std::optional<Verdict> verdict_;
  TimerEvent deadline_;
  UniqueFd pipe_;
  IoEvent readable_;  // last: gone before the descriptor that it watches
};

}  // namespace restgate::master
