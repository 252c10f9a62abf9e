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

/// Bucket of a duration: the first whose bound is not below it. Compares with all bounds, without a branch.
[[nodiscard]] inline size_t bucket_index(uint64_t duration_us) noexcept {
  // Padded to 16 four-byte numbers: four vector compares.
  static constexpr std::array<int32_t, 16> kBounds = [] {
    std::array<int32_t, 16> bounds{};
    bounds.fill(INT32_MAX);
    for (size_t i = 0; i < kDurationBucketCount; ++i) bounds[i] = static_cast<int32_t>(kDurationBucketMicros[i]);
    return bounds;
  }();
  static_assert(kDurationBucketCount <= 16 && kDurationBucketMicros.back() < INT32_MAX);
  const auto value = static_cast<int32_t>(std::min<uint64_t>(duration_us, INT32_MAX));
  int32_t above = 0;
  for (const int32_t bound : kBounds) above += value > bound ? 1 : 0;
  return static_cast<size_t>(above);
}

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

  /// `service`: index in the BlockSpec; one out of range counts nothing.
  void add(ServiceCounter counter, uint32_t service, uint64_t n = 1) noexcept {
    if (service < service_count_) bump(services_[service].counters[static_cast<size_t>(counter)], n);
  }
  void add(ServiceGauge gauge, uint32_t service, int64_t delta) noexcept {
    if (service < service_count_) shift(services_[service].gauges[static_cast<size_t>(gauge)], delta);
  }
  void backend_duration(uint32_t service, uint64_t duration_us) noexcept {
    if (service < service_count_) observe(services_[service].duration, duration_us);
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
    count(layout::cell_key(layout::CellKind::Request, route, (known << 16) | code), overflow_[route].requests);
    observe(routes_[route].duration, duration_us);
  }

  /// One exchange that went wrong, once for its reason. Reason::None counts nothing.
  void error(uint32_t route, Reason reason) noexcept {
    if (reason == Reason::None || route_count_ == 0) return;
    if (route >= route_count_) route = kUnmatchedRoute;
    count(layout::cell_key(layout::CellKind::Error, route, static_cast<uint32_t>(reason)), overflow_[route].errors);
  }

 private:
  friend class Block;

  static void bump(layout::Count& count, uint64_t n) noexcept {
    count.store(count.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  static void shift(layout::Level& level, int64_t delta) noexcept {
    level.store(level.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
  }
  static void observe(layout::HistogramSlot& histogram, uint64_t duration_us) noexcept {
    bump(histogram.buckets[detail::bucket_index(duration_us)], 1);
    bump(histogram.sum_us, duration_us);
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
  layout::ServiceSlot* services_ = nullptr;
  layout::RouteSlot* routes_ = nullptr;
  layout::OverflowSlot* overflow_ = nullptr;
  layout::Cell* cells_ = nullptr;
  uint64_t cell_mask_ = 0;
  uint32_t hash_shift_ = 0;
  uint32_t route_count_ = 0;  ///< "unmatched" included; 0: invalid
  uint32_t service_count_ = 0;
  uint32_t method_count_ = 0;
};

}  // namespace restgate::stats
