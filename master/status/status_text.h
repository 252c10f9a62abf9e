// StatusText: what /status says, as JSON (status.schema.json beside this describes it). Master; owned by the
// Management.
//
// The numbers are those of the latest sample.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "master/status/costly_text.h"
#include "master/status/json_writer.h"
#include "master/status/sampler.h"
#include "master/supervisor.h"

namespace restgate::master {

class StatusText {
 public:
  static constexpr size_t kExchanges = 50;  ///< listed at most

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
  CostlyText text_;
  size_t size_ = 4096;  // expected
};

}  // namespace restgate::master
