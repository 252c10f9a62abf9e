// Upgrade: SIGUSR2, the upgrade in place. The installed program is asked (UpgradeCheck), then the master becomes it:
// same process, same sockets, same workers, which the new program then rolls like at a reload. Master; its one thread.
//
//   Idle ──SIGUSR2──▶ Wanted ──nothing else is under way──▶ Checking ──it can──▶ Agreed ──▶ Held ──▶ (the new program)
//                                                              └─ it cannot: Idle, nothing has changed
//
// Held: signals wait, for one turn of the loop, so that none is lost between the two programs. From Checking on,
// reloads wait too: what was checked is what is taken over.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/program.h"
#include "master/fleet.h"
#include "master/management.h"
#include "master/service_notifier.h"
#include "master/supervisor.h"
#include "master/upgrade_check.h"

namespace restgate::master {

class Upgrade {
 public:
  /// All outlive it.
  struct Parts {
    EventLoop& loop;
    Supervisor& supervisor;
    Management& management;
    ServiceNotifier& notifier;
  };

  /// `program`: as this one was started, with the variables that its successor shall find; none: it cannot be upgraded.
  Upgrade(Parts parts, std::optional<platform::Program> program);

  void note() { noted_ = true; }
  /// A child has ended that was no worker.
  void on_stranger(const Stranger& stranger);
  /// Does what is due. After the supervisor's step().
  void step();

 private:
  enum class Phase : uint8_t { Idle, Wanted, Checking, Agreed, Held };

  void begin();
  void check();
  void judge();
  void hold();
  void give_way();
  void become_it();
  /// What the check has found, in words.
  [[nodiscard]] std::string reason_of(const UpgradeCheck::Verdict& verdict) const;
  void refuse(const std::string& reason, const std::vector<std::string>& output = {});
  void forget();
  [[nodiscard]] bool may_leave();
  [[nodiscard]] UpgradeState state() const;

  Parts parts_;
  std::optional<platform::Program> program_;
  Phase phase_ = Phase::Idle;
  bool noted_ = false;
  bool waiting_told_ = false;
  TimePoint patient_until_{};  // with clients of the admin port
  std::optional<UpgradeCheck> check_;
  std::optional<platform::SignalsHeld> held_;
};

}  // namespace restgate::master
