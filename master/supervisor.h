// Supervisor: keeps the workers as they are wanted. Master; its one thread.
//
// Events (signals, messages, timers) only leave a note. step(), after each turn of the loop, reads the notes, asks
// reconcile() what to do and does it: so workers are forked in one place, outside of any callback.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/result.h"
#include "master/crash_log.h"
#include "master/fleet.h"
#include "master/generation.h"
#include "master/loaded_config.h"
#include "master/metrics_collector.h"
#include "master/plan.h"
#include "master/reload_tickets.h"
#include "master/service_notifier.h"
#include "master/spawner.h"
#include "master/status/chronicle.h"

namespace restgate::master {

/// What else of the master follows the configuration (the admin port): changed with a roll, or not at all.
class Companion {
 public:
  /// Binds what `config` newly asks for. An Error fails the reload.
  virtual Status prepare(const config::Config& config) = 0;
  /// The roll is done: what was prepared is what counts.
  virtual void commit() = 0;
  /// The roll was abandoned: lets go of what was prepared.
  virtual void roll_back() = 0;

 protected:
  ~Companion() = default;
};

/// A verdict, for those who ask later.
struct ReloadReport {
  Verdict verdict;
  std::string file;
  std::chrono::system_clock::time_point time;
};

class Supervisor {
 public:
  struct Setup {
    std::function<LoadedResult(const std::string& file)> load;  ///< reads a configuration
    Companion* companion = nullptr;                             ///< outlives the supervisor
    std::function<void(const Generation&)> on_serving;          ///< once: every worker of a generation is ready
    std::function<void(const Stranger&)> on_stranger;           ///< a child has ended that was no worker; may be empty
    Limits limits;
    /// The service manager has copies of the listening sockets: what waits in them at the end is for a later life.
    bool sockets_are_stored = false;
  };

  /// `loop` and `spawner` outlive it.
  Supervisor(EventLoop& loop, Spawner& spawner, Setup setup);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  /// Before start(): sockets that were open before this program was, for the port that they have.
  void adopt(ListenerSet listeners);
  /// Binds the sockets of the first configuration; its workers come with the next step().
  Status start(LoadedConfig first);
  /// Instead of start(), in a program that takes the master's place: goes on with what another one left, then rolls
  /// `next` in. `running`: the configuration of the generation that serves. An Error leaves it unusable.
  Status resume(const UpgradeState& state, LoadedConfig running, LoadedResult next);
  /// What such a program needs. REQUIRES: settled().
  void save(UpgradeState& state) const;
  /// Nothing is under way that another program could not go on with: no roll, no worker that starts,
  /// no port that is being given up.
  [[nodiscard]] bool settled() const;
  /// A reload has been asked for and not been looked at yet.
  [[nodiscard]] bool reload_asked() const { return !requested_.empty(); }
  [[nodiscard]] bool stopping() const { return plan_->desired().shutdown.has_value() || shutdowns_noted_ > 0; }
  /// While true, reloads wait.
  void hold_reloads(bool hold);
  /// One was refused or came to nothing: counted, and part of the status until a roll succeeds.
  void note_failed_upgrade(std::string reason);

  /// Does what is due, and stops the loop when all is done. For the loop's turn hook.
  void step();

  /// Asks for a reload from `file`, which is then the one in use; "": from the one in use. `listener`: may be empty;
  /// it is called within step(), unless the ticket is abandoned.
  ReloadTickets::Id request_reload(std::string file, ReloadTickets::Listener listener);
  void abandon_reload(ReloadTickets::Id ticket) { tickets_.abandon(ticket); }
  void note_reload() { request_reload("", {}); }
  void note_shutdown() { ++shutdowns_noted_; }
  /// Log files have been renamed: new ones, please.
  void note_rotation() { rotation_noted_ = true; }

  /// 0: drained. 1: cut short, or nobody ever served.
  [[nodiscard]] int exit_code() const { return exit_code_; }
  /// "" when connections are served and will be for a while; else why not.
  [[nodiscard]] std::string not_ready_reason() const;
  [[nodiscard]] MasterFacts facts() const;
  /// What became of the latest reload; nothing: there was none.
  [[nodiscard]] const std::optional<ReloadReport>& last_report() const { return last_report_; }
  /// What a reload reads when it is told no other file: that of the configuration that serves, or is about to.
  [[nodiscard]] const std::string& config_file() const;
  /// The configuration that serves, or is about to, the hash of its text, and what was read with it.
  [[nodiscard]] const config::Config& latest_config() const { return pending_ ? pending_->config : current_->config; }
  [[nodiscard]] const std::string& latest_hash() const { return pending_ ? pending_->hash : current_->config_hash; }
  [[nodiscard]] const FileHashes& latest_named_files() const {
    return pending_ ? pending_->named : current_->named_files;
  }
  /// Another one whenever they are others.
  using Mark = std::pair<uint64_t, uint64_t>;
  [[nodiscard]] Mark latest_mark() const { return {current_->id, pending_ ? reloads_begun_ : 0}; }
  [[nodiscard]] stats::Accumulator statistics() const { return fleet_.statistics(); }
  [[nodiscard]] stats::Sources statistics_sources() const { return fleet_.statistics_sources(); }
  [[nodiscard]] ServiceState service_state() const;
  [[nodiscard]] std::span<const std::unique_ptr<ListenerSet>> listeners() const { return listener_sets_; }
  [[nodiscard]] const CrashLog& crashes() const { return crashes_; }
  [[nodiscard]] const Chronicle& chronicle() const { return chronicle_; }
  [[nodiscard]] const Fleet& fleet() const { return fleet_; }
  /// The one that serves, in a roll that before it. REQUIRES: start() or resume() succeeded.
  [[nodiscard]] const Generation& serving_generation() const { return serving(); }

 private:
  void bury_the_dead(TimePoint now);
  void on_death(const Death& death, TimePoint now);
  void begin_shutdown(TimePoint now);
  void tell_of_drain(TimePoint now);
  /// In a shutdown, after pre_drain_delay.
  [[nodiscard]] bool draining(TimePoint now) const;
  void close_listeners(TimePoint now);
  void take_requests(TimePoint now);
  /// Reads `file` for the requests that ask for it.
  void load_anew(const std::string& file, std::span<const ReloadTickets::Id> tickets, TimePoint now);
  void reload_failed(const std::string& file, Verdict verdict);
  void upgrade_over(bool succeeded, const std::string& why);
  void announce();
  void tell_of_waiting();

  // One for each action; true: something changed.
  bool apply(const action::Spawn& order, TimePoint now);
  bool apply(const action::Drain& order, TimePoint now);
  bool apply(const action::Kill& order, TimePoint now);
  bool apply(const action::BeginRoll& order, TimePoint now);
  bool apply(const action::AbortRoll& order, TimePoint now);
  bool apply(const action::FinishRoll& order, TimePoint now);
  bool apply(const action::WakeAt& order, TimePoint now);
  bool apply(const action::Exit& order, TimePoint now);

  /// The set that serves this port: one that there is, or a new one.
  Result<ListenerSet*> listeners_for(uint16_t port, uint32_t workers);
  void retire_unused_listeners(TimePoint now);
  void close_retired_listeners(TimePoint now);
  /// What a worker of this generation serves besides its own port: those that are, or will be, given up.
  [[nodiscard]] std::vector<int> retired_descriptors(uint64_t generation) const;
  [[nodiscard]] const Generation* generation(uint64_t id) const;
  [[nodiscard]] const Generation& serving() const { return previous_ ? *previous_ : *current_; }

  EventLoop& loop_;
  Setup setup_;
  Fleet fleet_;
  std::vector<std::unique_ptr<ListenerSet>> listener_sets_;  // before the generations, which refer to them
  struct Retired {
    std::unique_ptr<ListenerSet> set;
    TimePoint take_last;  // when the workers take what waits
    TimePoint close;      // when the sockets go
    bool told = false;
  };
  std::vector<Retired> retired_;
  std::unique_ptr<Generation> current_;
  std::unique_ptr<Generation> previous_;  // in a roll
  std::optional<LoadedConfig> pending_;
  std::optional<Plan> plan_;
  TimerEvent wake_;
  TimePoint wake_at_ = TimePoint::max();

  struct ReloadRequest {
    ReloadTickets::Id ticket;
    std::string file;
  };
  std::vector<ReloadRequest> requested_;
  ReloadTickets tickets_;
  std::optional<ReloadReport> last_report_;
  int shutdowns_noted_ = 0;
  bool rotation_noted_ = false;
  bool drain_told_ = false;
  bool announced_ = false;
  bool waiting_told_ = false;                        // that a reload waits
  TimePoint close_listeners_at_ = TimePoint::max();  // in a shutdown: at the latest
  bool cut_short_ = false;                           // a worker was ended before its work was done, in a shutdown
  int exit_code_ = 0;

  uint64_t last_generation_ = 0;
  uint64_t restarts_ = 0;
  uint64_t reloads_succeeded_ = 0;
  uint64_t reloads_failed_ = 0;
  uint64_t reloads_begun_ = 0;
  uint64_t upgrades_succeeded_ = 0;
  uint64_t upgrades_failed_ = 0;
  bool upgrading_ = false;  // the roll that follows is that of an upgrade
  bool hold_reloads_ = false;
  bool last_reload_successful_ = true;
  std::string last_failure_;     // of a reload
  std::string upgrade_refusal_;  // since the latest roll; "": none
  std::chrono::system_clock::time_point last_reload_{};
  std::array<uint64_t, kExitReasonCount> exits_{};
  CrashLog crashes_;
  Chronicle chronicle_;
};

}  // namespace restgate::master
