// Scoreboard: the moment's facts about every worker process, in anonymous shared memory. Written by each worker in its
// own row, read by the master and by the other workers (rescue of a hung peer's sockets, balance).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace restgate {

inline constexpr uint32_t kScoreboardRows = 512;

struct alignas(128) ScoreboardRow {
  std::atomic<int32_t> pid{0};  ///< 0: free. Set and cleared by the master
  std::atomic<uint32_t> index{0};
  std::atomic<uint32_t> count{1};  ///< workers of its generation
  std::atomic<uint64_t> generation{0};
  std::atomic<int64_t> heartbeat_ms{0};  ///< CLOCK_MONOTONIC of the last loop turn
  std::atomic<uint32_t> beats{0};        ///< heartbeats so far: two in one millisecond differ
  std::atomic<uint32_t> connections{0};  ///< client connections held, tunnels included
  std::atomic<uint32_t> accepting{0};    ///< 1: takes connections; 0: not ready yet, or draining
};

struct Scoreboard {
  std::array<ScoreboardRow, kScoreboardRows> rows;
  std::atomic<uint32_t> rows_used{0};  ///< rows from here on have never been used; set by the master

  /// Maps a zeroed one, shared with every process forked later. Aborts when memory runs out. Never unmapped.
  static Scoreboard* create();
};

}  // namespace restgate
