// ErrorJournal: which errors happened of late, where and how often, told from counters that only grow. Pure; master.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/stats/snapshot.h"

namespace restgate::master {

struct RecentError {
  std::string route;
  std::string reason;  ///< as the label of restgate_errors_total
  std::chrono::system_clock::time_point first{};
  std::chrono::system_clock::time_point last{};
  uint64_t count = 0;  ///< between the two
};

/// Fed with sums of all workers; told when a sum is complete.
class ErrorJournal {
 public:
  static constexpr size_t kKept = 100;
  /// Of one kind, longer apart than this: another entry.
  static constexpr std::chrono::seconds kSame{60};
  /// Kinds (route and reason) whose counters are remembered; what comes after is not told.
  static constexpr size_t kKinds = 50'000;

  /// What one worker, or all that are gone, have counted.
  void add(const stats::Snapshot& counted);
  /// All of them have been added: what has grown since the last time happened about now. The first time is the base.
  void finish(std::chrono::system_clock::time_point now);
  /// Forgets what was added since the last finish().
  void drop();

  /// The latest first.
  [[nodiscard]] const std::deque<RecentError>& recent() const { return recent_; }

 private:
  struct Counts {
    uint64_t told = 0;
    uint64_t sum = 0;
  };
  void note(std::string_view route, std::string_view reason, uint64_t count, std::chrono::system_clock::time_point now);

  std::unordered_map<std::string, Counts> kinds_;  // "reason route"
  std::string key_;
  bool based_ = false;
  std::deque<RecentError> recent_;
};

}  // namespace restgate::master
