// LiveFrames: what /events sends, as server-sent events: a greeting with the past, then an update after each sample.
// Master; owned by the Management.
//
//   event: hello    all points of the history, all events, and an update
//   event: update   what changes every second; every few seconds the tables too; points and events that are new
//
// Each table is complete in itself, but that a route without requests of late is left out: a client that misses an
// update misses no more than that. Routes are arrays, by their place in /status of the same generation.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "master/status/costly_text.h"
#include "master/status/json_writer.h"
#include "master/status/sampler.h"
#include "master/supervisor.h"

namespace restgate::master {

class LiveFrames {
 public:
  using Frame = std::shared_ptr<const std::string>;
  static constexpr uint64_t kTablesEvery = 2;      ///< updates
  static constexpr uint64_t kLongTablesEvery = 5;  ///< with more than kManyRoutes that are busy
  static constexpr size_t kManyRoutes = 500;
  static constexpr size_t kErrors = 30;  ///< shown, as the following one
  static constexpr size_t kExchanges = 20;

  /// Both outlive it.
  LiveFrames(const Supervisor& supervisor, StatusSampler& sampler) : supervisor_(supervisor), sampler_(sampler) {}

  /// One that took long is given again until the next update.
  [[nodiscard]] Frame greeting();
  /// REQUIRES: a sample has just been taken. What is new is new since the last call.
  [[nodiscard]] Frame update();
  /// An update that nobody would get.
  void skip();

 private:
  [[nodiscard]] Frame write_greeting();
  void write_now(JsonWriter& json) const;
  void write_tables(JsonWriter& json);
  void write_history(JsonWriter& json, uint64_t points_before, uint64_t events_before) const;

  const Supervisor& supervisor_;
  StatusSampler& sampler_;
  CostlyText greeting_;
  uint64_t updates_ = 0;
  uint64_t points_ = 0;  // told so far
  uint64_t events_ = 0;  // likewise
  size_t busy_routes_ = 0;
};

}  // namespace restgate::master
