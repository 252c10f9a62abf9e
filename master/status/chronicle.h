// Chronicle: what has happened to the gateway as a whole, with times: the marks on its charts. Pure; master; owned by
// the Supervisor.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace restgate::master {

enum class EventKind : uint8_t {
  Start,
  Reload,
  ReloadFailed,
  Resize,  ///< a reload changed the number of workers
  Crash,   ///< a worker ended that was not meant to
  Upgrade,
  UpgradeFailed,
  Stop,
};
inline constexpr size_t kEventKinds = 8;

/// "start", "reload", "reload_failed", …
[[nodiscard]] constexpr std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::Start:
      return "start";
    case EventKind::Reload:
      return "reload";
    case EventKind::ReloadFailed:
      return "reload_failed";
    case EventKind::Resize:
      return "resize";
    case EventKind::Crash:
      return "crash";
    case EventKind::Upgrade:
      return "upgrade";
    case EventKind::UpgradeFailed:
      return "upgrade_failed";
    case EventKind::Stop:
      return "stop";
  }
  return "";
}

struct Event {
  uint64_t number = 0;  ///< each has a higher one than the one before, also across an upgrade in place
  std::chrono::system_clock::time_point time{};
  EventKind kind = EventKind::Start;
  uint64_t generation = 0;
  std::string text;  ///< a sentence
};

class Chronicle {
 public:
  static constexpr size_t kKept = 100;

  void add(EventKind kind, uint64_t generation, std::string text) {
    events_.push_back({++last_, std::chrono::system_clock::now(), kind, generation, std::move(text)});
    forget_oldest();
  }
  /// What another program had in it, in place of what there is. Later numbers are higher.
  void restore(std::deque<Event> events) {
    events_ = std::move(events);
    if (!events_.empty()) last_ = std::max(last_, events_.back().number);
    forget_oldest();
  }
  /// The oldest first.
  [[nodiscard]] const std::deque<Event>& events() const { return events_; }
  /// Number of the latest one.
  [[nodiscard]] uint64_t last() const { return last_; }

 private:
  void forget_oldest() {
    while (events_.size() > kKept) events_.pop_front();
  }

  std::deque<Event> events_;
  uint64_t last_ = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
};

}  // namespace restgate::master
