// MetricsText: the metrics as text for /metrics, rendered when asked for, but never so often that it holds the master
// up. Master.
//
// With thousands of routes a scrape takes a good part of 100 ms of the one thread that also supervises. So rendering
// takes at most a fifth of its time: asked earlier, it gives the last text again. Where a scrape is cheap (up to some
// hundred routes) the text is always new.
#pragma once

#include <prometheus/collectable.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace restgate::master {

class MetricsText {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kCheap{5};  ///< a rendering up to this long is always done anew
  static constexpr int kRest = 4;                        ///< times its own length until a longer one is done anew

  /// `collectable` must outlive it. `now`: for tests.
  explicit MetricsText(const prometheus::Collectable& collectable, std::function<Clock::time_point()> now = Clock::now)
      : collectable_(collectable), now_(std::move(now)) {}

  /// In the text exposition format, version 0.0.4. Shared: several slow clients may be reading the same text.
  [[nodiscard]] std::shared_ptr<const std::string> get();

 private:
  const prometheus::Collectable& collectable_;
  std::function<Clock::time_point()> now_;
  std::shared_ptr<const std::string> text_;
  Clock::time_point finished_{};
  Clock::duration took_{};
};

}  // namespace restgate::master
