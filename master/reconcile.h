// reconcile(): what is to be done about the workers, as a pure function of what is wanted, what is there, and the time.
// Master. It forks nothing, kills nothing and reads no clock: the supervisor does what it answers.
//
// Life of a worker:   Starting ──ready──▶ Ready ──drain──▶ Draining ──▶ (exited: no longer in the list)
//                        └──────────────────┴──signal────▶ Killed ────▶
//
// The one rule of a roll: worker i of N serves the slots s with s mod N = i, and a worker of another generation than
// the current one drains when every slot that it serves is served by a ready worker of the current one. So a slot is
// never without a worker, whatever N was and will be, in a roll and in one that is abandoned.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace restgate::master {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

enum class WorkerState : uint8_t { Starting, Ready, Draining, Killed };

/// How patiently a worker drains. Roll: others serve; its clients get time to notice. End: nobody waits any longer.
enum class DrainMode : uint8_t { Roll, End };

/// What is known of a worker process that has not been reaped yet.
struct WorkerView {
  pid_t pid = 0;
  uint64_t generation = 0;
  uint32_t index = 0;
  uint32_t count = 1;  ///< workers of its generation
  uint32_t slots = 1;  ///< listening slots that it inherited
  WorkerState state = WorkerState::Starting;
  TimePoint started{};
  TimePoint heartbeat{};                             ///< last turn of its event loop; `started` until there was one
  TimePoint drain_deadline = TimePoint::max();       ///< Draining: when it was told to be gone
  std::chrono::milliseconds drain_limit{3'600'000};  ///< how long it may drain while others serve
  DrainMode drain_mode = DrainMode::Roll;            ///< Draining: Roll: it does not know the deadline; End: it does
  TimePoint killed_at{};                             ///< Killed: when the signal was sent
  int signal = 0;                                    ///< Killed: which
};

/// What a generation asks for.
struct GenerationPlan {
  uint64_t id = 0;
  uint32_t workers = 1;
  uint32_t slots = 1;  ///< slots there were when it became the current one
};

struct Shutdown {
  TimePoint deadline{};  ///< everything has to be gone by then
  TimePoint drain_at{};  ///< until then all goes on as before, but that nothing new is begun
};

/// What is wanted.
struct Desired {
  GenerationPlan current;                  ///< what is to serve; in a roll: the new one
  std::optional<GenerationPlan> previous;  ///< in a roll: what goes on serving if the new one fails
  std::string failure;                     ///< in a roll: why the new one failed; "": it did not
  std::optional<TimePoint> pending_since;  ///< since when a newer configuration waits for its roll
  std::optional<Shutdown> shutdown;
  std::vector<TimePoint> not_before;  ///< by index: no respawn before; an index beyond its end: at once
  TimePoint alone_since{};            ///< when the last worker was reaped
  uint32_t stillborn = 0;             ///< workers that died before any was ever ready
  TimePoint watching_since{};         ///< since when the master has not been stopped itself: heartbeats count from here
};

struct Limits {
  std::chrono::milliseconds start{10'000};         ///< from fork to ready
  std::chrono::milliseconds hang{5'000};           ///< without a heartbeat
  std::chrono::milliseconds abort_to_kill{1'000};  ///< from SIGABRT (a core, a report) to SIGKILL
  std::chrono::milliseconds force_grace{500};  ///< from a drain's deadline, which the worker keeps itself, to SIGKILL
  std::chrono::milliseconds lone_backoff{1'000};    ///< longest back-off while nobody serves
  std::chrono::milliseconds roll_patience{30'000};  ///< wait for draining generations before the oldest is cut short
  std::chrono::milliseconds cut_short{1'000};       ///< what the oldest then has left
  uint32_t draining_generations = 2;                ///< at most, a roll's own previous one included
  uint32_t stillborn = 5;                           ///< then the master gives up
};

namespace action {

/// Fork a worker.
struct Spawn {
  uint64_t generation = 0;
  uint32_t index = 0;
  bool operator==(const Spawn&) const = default;
};
/// Tell a worker to stop accepting and to finish until the deadline.
struct Drain {
  pid_t pid = 0;
  TimePoint deadline{};
  DrainMode mode = DrainMode::Roll;
  bool operator==(const Drain&) const = default;
};
enum class KillCause : uint8_t { Hung, NeverReady, DrainOverdue, AbortIgnored };
struct Kill {
  pid_t pid = 0;
  int signal = 0;
  KillCause cause = KillCause::Hung;
  bool operator==(const Kill&) const = default;
};
/// The pending configuration becomes the current generation, the current one the previous.
struct BeginRoll {
  bool operator==(const BeginRoll&) const = default;
};
/// The previous generation becomes the current one again.
struct AbortRoll {
  std::string reason;
  bool operator==(const AbortRoll&) const = default;
};
/// The new generation serves alone; the previous one will not be needed again.
struct FinishRoll {
  bool operator==(const FinishRoll&) const = default;
};
/// Nothing changes by itself before this moment.
struct WakeAt {
  TimePoint time{};
  bool operator==(const WakeAt&) const = default;
};
enum class ExitCause : uint8_t { Drained, Forced, NeverServed };
/// The master's work is done.
struct Exit {
  ExitCause cause = ExitCause::Drained;
  bool operator==(const Exit&) const = default;
};

}  // namespace action

using Action = std::variant<action::Spawn, action::Drain, action::Kill, action::BeginRoll, action::AbortRoll,
                            action::FinishRoll, action::WakeAt, action::Exit>;

/// The next steps, in the order in which to do them. To be called again once they are done, until it answers nothing
/// but at most one WakeAt; then at that time, or when a worker reports or exits, or the wish changes.
[[nodiscard]] std::vector<Action> reconcile(const Desired& desired, const std::vector<WorkerView>& workers,
                                            TimePoint now, const Limits& limits = {});

/// Whether `worker` accepts connections: ready and not told to go.
[[nodiscard]] bool accepting(const WorkerView& worker);

}  // namespace restgate::master
