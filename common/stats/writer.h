// Writer: what a worker counts with. Worker process; one thread; never blocks, allocates or throws.
//
// Cheap to copy: pointers into its block's mapping, which must outlive it. Only one process may write to a block, so
// an increment is a relaxed load and a relaxed store on cache lines that nobody else writes.
// A default-constructed Writer is invalid (false) and counts nothing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "common/http_method.h"
#include "common/reason.h"
#include "common/stats/layout.h"
#include "common/stats/schema.h"

namespace restgate::stats {

namespace detail {

/// The bounds of a histogram, for finding buckets: a duration is compared with all of them, without a branch. They are
/// padded to a round number of four-byte numbers, so that compilers make vectors of them.
class BucketSearch {
 public:
  BucketSearch() { upper_.fill(INT32_MAX); }
  /// REQUIRES: at most kMaxDurationBounds, none above kMaxDurationBound.
  explicit BucketSearch(const DurationBounds& bounds) : BucketSearch() {
    std::copy(bounds.begin(), bounds.end(), upper_.begin());
    many_ = bounds.size() > kFew;
  }
  /// The first bucket whose bound is not below the duration.
  [[nodiscard]] size_t operator()(uint64_t duration_us) const noexcept {
    const auto value = static_cast<int32_t>(std::min<uint64_t>(duration_us, INT32_MAX));
    int32_t above = 0;
    for (size_t i = 0; i < kFew; ++i) above += value > upper_[i] ? 1 : 0;
    if (many_) [[unlikely]]
      for (size_t i = kFew; i < upper_.size(); ++i) above += value > upper_[i] ? 1 : 0;
    return static_cast<size_t>(above);
  }

 private:
  static constexpr size_t kFew = 16;
  std::array<int32_t, 2 * kFew> upper_;
  bool many_ = false;
};
static_assert(kMaxDurationBounds <= 32 && kMaxDurationBound < INT32_MAX);

}  // namespace detail

class Writer {
 public:
  Writer() = default;
  [[nodiscard]] explicit operator bool() const noexcept { return process_ != nullptr; }

  void add(Counter counter, uint64_t n = 1) noexcept {
    if (process_ != nullptr) bump(process_->counters[static_cast<size_t>(counter)], n);
  }
  void set(Gauge gauge, int64_t value) noexcept {
    if (process_ != nullptr) process_->gauges[static_cast<size_t>(gauge)].store(value, std::memory_order_relaxed);
  }
  void add(Gauge gauge, int64_t delta) noexcept {
    if (process_ != nullptr) shift(process_->gauges[static_cast<size_t>(gauge)], delta);
  }

  /// One turn of the event loop, and for how long it kept others waiting.
  void loop_turn(uint64_t busy_us) noexcept {
    if (process_ == nullptr) return;
    size_t bucket = 0;  // mostly the first one
    while (bucket < kLoopLatencyBounds.size() && busy_us > kLoopLatencyBounds[bucket]) ++bucket;
    bump(process_->counters[static_cast<size_t>(Counter::LoopLatency) + bucket], 1);
    bump(process_->counters[static_cast<size_t>(Counter::LoopTurns)], 1);
    bump(process_->counters[static_cast<size_t>(Counter::LoopBusyMicros)], busy_us);
  }

  /// `service`: index in the BlockSpec; one out of range counts nothing.
  void add(ServiceCounter counter, uint32_t service, uint64_t n = 1) noexcept {
    if (service < service_count_) bump(service_numbers(service)[static_cast<size_t>(counter)], n);
  }
  void add(ServiceGauge gauge, uint32_t service, int64_t delta) noexcept {
    if (service < service_count_) shift(level(gauge, service), delta);
  }
  void set(ServiceGauge gauge, uint32_t service, int64_t value) noexcept {
    if (service < service_count_) level(gauge, service).store(value, std::memory_order_relaxed);
  }
  void backend_duration(uint32_t service, uint64_t duration_us) noexcept {
    if (service < service_count_) observe(services_ + service * service_stride_, duration_us);
  }

  /// One finished exchange. `route`: kUnmatchedRoute, or the configuration's index + 1 (out of range: unmatched);
  /// `status`: as sent to the client or as logged (499); what is no three-digit code counts as code 0.
  void request(uint32_t route, MethodId method, uint16_t status, uint64_t duration_us) noexcept {
    if (route >= route_count_) [[unlikely]] {
      if (route_count_ == 0) return;
      route = kUnmatchedRoute;
    }
    const uint32_t code = status >= 100 && status <= 999 ? status : 0U;
    const uint32_t known = method < method_count_ ? method : kOtherMethod;
    layout::Count* slot = routes_ + route * route_stride_;
    count_request(*reinterpret_cast<layout::Cell*>(slot), route, (known << 16) | code);
    observe(slot + kCellNumbers, duration_us);
  }

  /// A request of this route will be counted: what that needs is fetched meanwhile.
  void expect(uint32_t route) const noexcept {
    if (route < route_count_) __builtin_prefetch(routes_ + route * route_stride_, 1);
  }

  /// One exchange that went wrong, once for its reason. Reason::None counts nothing.
  void error(uint32_t route, Reason reason) noexcept {
    if (reason == Reason::None || route_count_ == 0) return;
    if (route >= route_count_) route = kUnmatchedRoute;
    count(layout::cell_key(layout::CellKind::Error, route, static_cast<uint32_t>(reason)), overflow_[route].errors);
  }

 private:
  friend class Block;
  static constexpr size_t kCellNumbers = sizeof(layout::Cell) / sizeof(layout::Count);

  static void bump(layout::Count& count, uint64_t n) noexcept {
    count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  static void shift(layout::Level& level, int64_t delta) noexcept {
    level.store(level.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  }
  void observe(layout::Count* histogram, uint64_t duration_us) noexcept {
    bump(histogram[0], duration_us);
    bump(histogram[1 + bucket_of_(duration_us)], 1);
  }
  /// What stands behind the histogram: counters, then gauges.
  [[nodiscard]] layout::Count* service_numbers(uint32_t service) noexcept {
    return services_ + service * service_stride_ + histogram_numbers_;
  }
  [[nodiscard]] layout::Level& level(ServiceGauge gauge, uint32_t service) noexcept {
    return reinterpret_cast<layout::Level&>(
        service_numbers(service)[kServiceCounterCount + static_cast<size_t>(gauge)]);
  }

  void count_request(layout::Cell& first, uint32_t route, uint32_t detail) noexcept {
    const uint64_t key = layout::cell_key(layout::CellKind::Request, route, detail);
    const uint64_t found = first.key.load(std::memory_order_relaxed);
    if (found == key) [[likely]]
      return bump(first.count, 1);
    if (found != 0) return count(key, overflow_[route].requests);
    first.count.store(1, std::memory_order_relaxed);
    first.key.store(key, std::memory_order_release);
  }

  void count(uint64_t key, layout::Count& overflow) noexcept {
    uint64_t at = (key * 0x9E3779B97F4A7C15U) >> hash_shift_;
    for (;; at = (at + 1) & cell_mask_) {
      const uint64_t found = cells_[at].key.load(std::memory_order_relaxed);
      if (found == key) [[likely]] {
        bump(cells_[at].count, 1);
        return;
      }
      if (found == 0) break;
    }
    const uint64_t used = process_->cells_used.load(std::memory_order_relaxed);
    if (used >= layout::cell_limit(cell_mask_ + 1)) {
      bump(overflow, 1);
      return;
    }
    process_->cells_used.store(used + 1, std::memory_order_relaxed);
    cells_[at].count.store(1, std::memory_order_relaxed);
    cells_[at].key.store(key, std::memory_order_release);
  }

  layout::ProcessSlot* process_ = nullptr;
  layout::Count* services_ = nullptr;
  layout::Count* routes_ = nullptr;
  layout::OverflowSlot* overflow_ = nullptr;
  layout::Cell* cells_ = nullptr;
  size_t service_stride_ = 0;  ///< in numbers
  size_t route_stride_ = 0;
  size_t histogram_numbers_ = 0;
  detail::BucketSearch bucket_of_;
  uint64_t cell_mask_ = 0;
  uint32_t hash_shift_ = 0;
  uint32_t route_count_ = 0;  ///< "unmatched" included; 0: invalid
  uint32_t service_count_ = 0;
  uint32_t method_count_ = 0;
};

}  // namespace restgate::stats
