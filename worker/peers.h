// Peers: what the scoreboard says of the other workers: who serves which slot, who has room. Worker.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "common/scoreboard.h"

namespace restgate::worker {

class Peers {
 public:
  /// A heartbeat older than this: its worker does not turn, others take over its slots.
  static constexpr int64_t kStaleMs = 150;

  /// `scoreboard` may be null (a worker alone, in tests): there are no peers then.
  Peers(const Scoreboard* scoreboard, uint32_t own_row, uint64_t generation)
      : scoreboard_(scoreboard), own_row_(own_row), generation_(generation) {}

  /// Whether another worker, of whatever generation, takes from `slot` and is alive.
  [[nodiscard]] bool serve(uint32_t slot, int64_t now_ms) const;

  /// Where connections go that this worker must give up: the index of the least loaded worker of the newest generation
  /// that accepts; after a roll that was abandoned that is an older one. `indexes`: only workers below it can be
  /// reached.
  [[nodiscard]] std::optional<uint32_t> successor(uint32_t indexes);
  /// Where a fresh connection is better off, when `mine` are here: clearly more than the least loaded worker of this
  /// generation has. The difference that chance makes is not clearly more: hence the square root.
  [[nodiscard]] std::optional<uint32_t> lighter(uint32_t mine, uint32_t indexes, int64_t now_ms);
  /// One more has been sent to the worker that was named last; it does not show in its row yet.
  void sent();

 private:
  struct Sent {
    uint32_t beats = 0;  ///< of the row, when it was sent
    uint32_t count = 0;
  };
  [[nodiscard]] uint32_t rows() const {
    return scoreboard_ == nullptr ? 0 : scoreboard_->rows_used.load(std::memory_order_acquire);
  }
  /// Connections that the worker has or is about to get.
  [[nodiscard]] uint32_t load(uint32_t row);

  const Scoreboard* scoreboard_;
  const uint32_t own_row_;
  const uint64_t generation_;
  uint32_t named_row_ = 0;
  std::array<Sent, kScoreboardRows> sent_{};
};

}  // namespace restgate::worker
