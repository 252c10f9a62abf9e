// StatusText: what /status says, as JSON (status.schema.json beside this describes it). Master; owned by the
// Management.
//
// The numbers are those of the latest sample. A text that took long is given again for a while, so that whoever asks
// often cannot take much of the one thread's time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "master/status/json_writer.h"
#include "master/status/sampler.h"
#include "master/supervisor.h"

namespace restgate::master {

class StatusText {
 public:
  static constexpr std::chrono::milliseconds kCheap{5};  ///< writing it up to so long is always done anew
  static constexpr int kRest = 9;                        ///< times its own length until a longer one is
  static constexpr size_t kExchanges = 50;               ///< listed at most

  /// Both outlive it.
  StatusText(const Supervisor& supervisor, StatusSampler& sampler);

  [[nodiscard]] std::shared_ptr<const std::string> get();

  /// In a word what the gateway is doing: "starting", "serving", "reloading", "draining".
  [[nodiscard]] static std::string_view state_of(const ServiceState& state);

 private:
  [[nodiscard]] std::string write(size_t expected) const;
  void write_head(JsonWriter& json) const;
  void write_totals(JsonWriter& json) const;
  void write_lists(JsonWriter& json) const;

  const Supervisor& supervisor_;
  StatusSampler& sampler_;
  std::chrono::system_clock::time_point started_;  // the process: an upgrade in place changes nothing about it
  std::shared_ptr<const std::string> text_;
  uint64_t events_ = 0;  // when it was written: after a reload it is always done anew
  std::chrono::steady_clock::time_point finished_{};
  std::chrono::steady_clock::duration took_{};
};

}  // namespace restgate::master
