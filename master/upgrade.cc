#include "master/upgrade.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

#include "common/log.h"
#include "common/version.h"

namespace restgate::master {
namespace {

constexpr std::chrono::milliseconds kCheckLimit{20'000};
/// For so long a client of the admin port may hold it up.
constexpr std::chrono::milliseconds kAdminPatience{1'000};

platform::Program with_state(platform::Program program, int state) {
  program.variables.emplace_back(kUpgradeVariable, std::to_string(state));
  return program;
}

}  // namespace

Upgrade::Upgrade(Parts parts, std::optional<platform::Program> program) : parts_(parts), program_(std::move(program)) {}

void Upgrade::step() {
  if (std::exchange(noted_, false)) begin();
  if (phase_ != Phase::Idle && parts_.supervisor.stopping()) {
    log::warn("upgrade: given up, since the gateway is stopping");
    forget();
  }
  switch (phase_) {
    case Phase::Idle:
      break;
    case Phase::Wanted:
      check();
      break;
    case Phase::Checking:
      judge();
      break;
    case Phase::Agreed:
      hold();
      break;
    case Phase::Held:
      become_it();
      break;
  }
}

void Upgrade::begin() {
  if (phase_ != Phase::Idle) {
    log::info("upgrade: one is under way already");
    return;
  }
  parts_.supervisor.note_upgrade_begun();
  if (!program_ || program_->path.empty()) {
    refuse("this gateway was not started as a program of its own");
  } else {
    phase_ = Phase::Wanted;
    waiting_told_ = false;
  }
}

void Upgrade::check() {
  if (!parts_.supervisor.settled() || parts_.supervisor.reload_asked()) {
    if (!std::exchange(waiting_told_, true)) log::info("upgrade: waits until no worker is being started");
    return;
  }
  log::info("upgrade: asking the installed program", {{"program", program_->path}});
  parts_.supervisor.hold_reloads(true);
  platform::Program trial{
      program_->path, {program_->arguments.front(), "-t", "-config", parts_.supervisor.config_file()}, {}};
  auto written = write_upgrade_state(state());
  if (!written) return refuse(written.error().message);
  check_.emplace(parts_.loop, kCheckLimit);
  const int fd = written->get();
  if (Status started = check_->start(with_state(std::move(trial), fd), fd); !started)
    return refuse(started.error().message);
  phase_ = Phase::Checking;
}

void Upgrade::on_stranger(const Stranger& stranger) {
  if (check_) check_->on_exit(stranger.pid, stranger.status);
}

void Upgrade::judge() {
  if (!check_->verdict()) return;
  const UpgradeCheck::Verdict verdict = *check_->verdict();
  check_.reset();
  if (!verdict.passed()) return refuse(reason_of(verdict), verdict.output);
  phase_ = Phase::Agreed;
  patient_until_ = Clock::now() + kAdminPatience;
  parts_.management.hold(true);
  if (parts_.management.busy()) log::info("upgrade: waits for clients of the admin port");
  hold();
}

// packaging/libexec/upgrade reads these words, up to and after the file's name: it starts only that program anew which
// would run.
std::string Upgrade::reason_of(const UpgradeCheck::Verdict& verdict) const {
  const std::string& file = parts_.supervisor.config_file();
  switch (verdict.outcome) {
    case UpgradeCheck::Outcome::CannotTakeOver:
      return "the installed program accepts the configuration " + file + ", but cannot take over: " + verdict.reason;
    case UpgradeCheck::Outcome::ConfigurationRefused:
      return "the installed program refuses the configuration " + file + ": " + verdict.reason;
    case UpgradeCheck::Outcome::CanTakeOver:
    case UpgradeCheck::Outcome::NoAnswer:
      break;
  }
  return "the installed program fails the check: " + verdict.reason;
}

/// Nothing would be lost now.
bool Upgrade::may_leave() {
  if (!parts_.supervisor.settled() || parts_.supervisor.reload_asked()) return false;
  return !parts_.management.busy() || Clock::now() >= patient_until_;
}

void Upgrade::hold() {
  if (parts_.supervisor.reload_asked()) return give_way();
  if (!may_leave()) return;
  held_.emplace();
  phase_ = Phase::Held;
  parts_.loop.request_turn();  // for the signals that came before
}

/// Who asked for a reload meanwhile gets its verdict first; then all begins anew.
void Upgrade::give_way() {
  forget();
  phase_ = Phase::Wanted;
}

void Upgrade::become_it() {
  if (!may_leave()) {
    held_.reset();
    phase_ = Phase::Agreed;
    return;
  }
  const UpgradeState left = state();
  auto written = write_upgrade_state(left);
  if (!written) return refuse(written.error().message);
  std::vector<int> kept = left.descriptors();
  kept.push_back(written->get());
  log::info("upgrade: the installed program takes over",
            {{"program", program_->path}, {"version", version()}, {"commit", commit()}});
  parts_.notifier.announce_upgrade();
  std::fflush(nullptr);
  refuse(platform::become(with_state(*program_, written->get()), kept).message);
}

UpgradeState Upgrade::state() const {
  UpgradeState state;
  state.master = getpid();
  state.program = std::string(version()) + " (" + std::string(commit()) + ")";
  parts_.supervisor.save(state);
  parts_.management.save(state);
  return state;
}

void Upgrade::refuse(const std::string& reason, const std::vector<std::string>& output) {
  for (const std::string& line : output) log::error("upgrade: the installed program says", {{"line", line}});
  log::error("upgrade refused: nothing has changed",
             {{"reason", reason}, {"program", program_ ? program_->path : std::string()}});
  parts_.supervisor.note_failed_upgrade(reason);
  forget();
}

void Upgrade::forget() {
  phase_ = Phase::Idle;
  check_.reset();
  held_.reset();
  parts_.management.hold(false);
  parts_.supervisor.hold_reloads(false);
}

}  // namespace restgate::master
