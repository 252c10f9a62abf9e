// UpgradeState: what one program leaves to the next when the master upgrades itself in place: same process, same
// children, other code. Master.
//
// The old program writes it into a sealed memfd, whose descriptor (and every one that the state names) stays open
// across exec. Before that, the new program is asked whether it can read it, so that a state of another layout is a
// refused upgrade, not a lost gateway. Named numbers are JSON; texts that may hold anything follow it as bytes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/platform/unix_socket.h"
#include "common/result.h"
#include "common/stats.h"
#include "common/unique_fd.h"
#include "master/reconcile.h"
#include "master/upgrade_past.h"

namespace restgate::master {

struct UpgradeState {
  /// To be raised when what is written changes its meaning. What is only added keeps it.
  static constexpr uint32_t kVersion = 1;

  struct Slot {
    int fd = -1;
    std::string name;  ///< ListenerSet::Slot::name
  };
  struct Listeners {
    uint16_t wanted_port = 0;
    std::vector<Slot> slots;
  };
  struct Admin {
    uint16_t wanted_port = 0;
    int fd = -1;
  };
  struct AdminSocket {
    std::string path;
    platform::FileId file;
    int fd = -1;
  };
  struct Worker {
    WorkerView view;
    std::optional<action::KillCause> kill_cause;
    uint32_t row = 0;  ///< of the scoreboard
    int control = -1;
    int statistics = -1;       ///< its block
    int flights = -1;          ///< its flight recorder
    std::string access_log{};  ///< the file's name; "": none
  };
  struct Mailbox {
    int in = -1;
    int out = -1;
  };
  /// The one that serves.
  struct Generation {
    uint64_t id = 0;
    uint32_t workers = 1;
    uint32_t listeners = 0;  ///< which of them
    std::string file;        ///< its configuration file
    std::string config;      ///< what that said
  };
  struct Counters {
    uint64_t restarts = 0;
    uint64_t reloads_succeeded = 0;
    uint64_t reloads_failed = 0;
    uint64_t upgrades_succeeded = 0;
    uint64_t upgrades_failed = 0;
    std::map<std::string, uint64_t> exits;  ///< by reason
  };

  pid_t master = 0;     ///< the process that this is for
  std::string program;  ///< version and commit of who wrote it
  std::vector<Listeners> listeners;
  Admin admin;
  std::optional<AdminSocket> admin_socket;
  int scoreboard = -1;
  std::vector<Mailbox> mailboxes;
  std::vector<Worker> workers;
  Generation generation;
  uint64_t last_generation = 0;
  Counters counters;
  bool last_reload_successful = true;
  std::string last_failure;
  std::chrono::system_clock::time_point last_reload{};
  bool reload_wanted = false;  ///< a SIGHUP came that nobody has answered yet
  UpgradePast past;
  stats::Accumulator totals;  ///< of the workers that are gone

  /// Every descriptor that it names.
  [[nodiscard]] std::vector<int> descriptors() const;

  [[nodiscard]] std::string serialize() const;
  /// Fails on everything that this program cannot take over: another version, statistics or scoreboard of another
  /// layout, damage. Touches no descriptor.
  static Result<UpgradeState> parse(std::string_view bytes);
};

/// The state in a memfd that nobody can change any more; close-on-exec.
Result<UniqueFd> write_upgrade_state(const UpgradeState& state);
/// Reads it back; takes only a memfd that is sealed like that.
Result<UpgradeState> read_upgrade_state(int fd);

}  // namespace restgate::master
