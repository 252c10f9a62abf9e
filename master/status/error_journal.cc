#include "master/status/error_journal.h"

#include <algorithm>
#include <utility>

namespace restgate::master {

void ErrorJournal::add(const stats::Snapshot& counted) {
  for (const stats::RouteStats& route : counted.routes) {
    for (const stats::ErrorCount& entry : route.errors) {
      key_.assign(entry.reason).append(1, ' ').append(route.name);  // no reason has a blank
      auto found = kinds_.find(key_);
      if (found == kinds_.end()) {
        if (kinds_.size() >= kKinds) continue;
        found = kinds_.emplace(key_, Counts{}).first;
      }
      found->second.sum += entry.count;
    }
  }
}

void ErrorJournal::finish(std::chrono::system_clock::time_point now) {
  for (auto& [kind, counts] : kinds_) {
    const uint64_t sum = std::exchange(counts.sum, 0);
    if (sum <= counts.told) continue;
    const uint64_t fresh = sum - std::exchange(counts.told, sum);
    const size_t blank = kind.find(' ');
    if (based_) note(std::string_view(kind).substr(blank + 1), std::string_view(kind).substr(0, blank), fresh, now);
  }
  based_ = true;
}

void ErrorJournal::drop() {
  for (auto& [kind, counts] : kinds_) counts.sum = 0;
}

void ErrorJournal::note(std::string_view route, std::string_view reason, uint64_t count,
                        std::chrono::system_clock::time_point now) {
  const auto same = std::find_if(recent_.begin(), recent_.end(), [&](const RecentError& error) {
    return error.route == route && error.reason == reason && now - error.last <= kSame;
  });
  RecentError error{std::string(route), std::string(reason), now, now, count};
  if (same != recent_.end()) {
    error.first = same->first;
    error.count += same->count;
    recent_.erase(same);
  } else if (recent_.size() == kKept) {
    recent_.pop_back();
  }
  recent_.push_front(std::move(error));
}

}  // namespace restgate::master
