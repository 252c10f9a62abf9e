// CostlyText: a text that whoever asks often cannot take much of the one thread's time with: one that took long to
// write is given again for a while. Pure; master.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace restgate::master {

class CostlyText {
 public:
  using Text = std::shared_ptr<const std::string>;
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kCheap{5};  ///< writing it up to so long is always done anew
  static constexpr int kRest = 9;                        ///< times its own length until a longer one is

  /// `now`: for tests.
  explicit CostlyText(std::function<Clock::time_point()> now = &Clock::now) : now_(std::move(now)) {}

  /// `state`: a text of another one is not given again.
  template <typename Write>
  Text get(uint64_t state, Write write) {
    const Clock::time_point begin = now_();
    if (text_ != nullptr && state_ == state && took_ > kCheap && begin - finished_ < took_ * kRest) return text_;
    state_ = state;
    text_ = write();
    finished_ = now_();
    took_ = finished_ - begin;
    return text_;
  }
  /// It is not given again.
  void drop() { text_.reset(); }

 private:
  std::function<Clock::time_point()> now_;
  Text text_;
  uint64_t state_ = 0;
  Clock::time_point finished_{};
  Clock::duration took_{};
};

}  // namespace restgate::master
