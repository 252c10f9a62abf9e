// AccessLog: one line per exchange, batched, written once a turn of the loop; never blocks the worker. Worker.
//
// What standard error does not take at once is kept up to a bound, then dropped and counted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/log.h"
#include "common/platform/output.h"
#include "common/stats.h"

namespace restgate::worker {

struct AccessRecord {
  std::string_view method;
  std::string_view path;  ///< the target as received
  std::string_view route;
  std::string_view service;
  std::string_view client;  ///< address
  std::string_view reason;  ///< code; empty: all went well
  uint16_t status = 0;
  uint64_t bytes = 0;  ///< sent to the client
  int64_t duration_us = 0;
};

class AccessLog {
 public:
  /// `enabled` false: write() does nothing.
  AccessLog(bool enabled, LogFormat format, stats::Writer stats, uint64_t generation);
  void write(const AccessRecord& record);
  /// Writes what has gathered, as far as standard error takes it now.
  void flush();
  [[nodiscard]] bool pending() const { return !batch_.empty(); }

 private:
  void append_text(const AccessRecord& record);
  void append_json(const AccessRecord& record);
  void append_time();

  static constexpr size_t kMaxPending = 1 << 20;

  bool enabled_;
  LogFormat format_;
  platform::SharedOutput output_;
  stats::Writer stats_;
  std::string suffix_;  // the fields that never change: worker pid and generation
  std::string batch_;
  size_t written_ = 0;  // of batch_
};

}  // namespace restgate::worker
