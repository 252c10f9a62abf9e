// Scoreboard: the moment's facts about every worker process, in shared memory. Written by each worker in its own row,
// read by the master and by the other workers (rescue of a hung peer's sockets, balance).
//
// A memfd of sealed size that tells its layout, so that a program that takes the master's place can go on with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "common/platform/memfd.h"
#include "common/result.h"
#include "common/unique_fd.h"

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

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): a layout for other versions of the program, too
struct Scoreboard {
  static constexpr uint64_t kMagic = 0x01445242475352;  // "RSGBRD" and 1, little-endian
  /// To be raised whenever the bytes change their place or meaning.
  static constexpr uint32_t kVersion = 1;

  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t bytes = 0;  ///< of the whole
  std::array<ScoreboardRow, kScoreboardRows> rows;
  std::atomic<uint32_t> rows_used{0};  ///< rows from here on have never been used; set by the master
};

/// Owner of the memory of one. The master's; workers have what it maps, for their lives.
class ScoreboardMemory {
 public:
  /// A zeroed one, shared with every process forked later. Aborts when memory runs out.
  static ScoreboardMemory create();
  /// One that another program made. Takes the descriptor in any case.
  static Result<ScoreboardMemory> attach(UniqueFd fd);

  [[nodiscard]] Scoreboard* get() const { return board_; }
  /// The memfd; close-on-exec. Stays its own.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  ScoreboardMemory(UniqueFd fd, platform::Mapping mapping, Scoreboard* board)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), board_(board) {}

  UniqueFd fd_;
  platform::Mapping mapping_;
  Scoreboard* board_;
};

}  // namespace restgate
