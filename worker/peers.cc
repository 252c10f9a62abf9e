#include "worker/peers.h"

#include <cmath>

namespace restgate::worker {
namespace {

bool takes(const ScoreboardRow& row) {
  return row.pid.load(std::memory_order_relaxed) != 0 && row.accepting.load(std::memory_order_acquire) != 0;
}

}  // namespace

bool Peers::serve(uint32_t slot, int64_t now_ms) const {
  const uint32_t used = rows();
  for (uint32_t i = 0; i < used; ++i) {
    const ScoreboardRow& row = scoreboard_->rows[i];
    if (i == own_row_ || !takes(row)) continue;
    if (now_ms - row.heartbeat_ms.load(std::memory_order_relaxed) > kStaleMs) continue;
    const uint32_t count = row.count.load(std::memory_order_relaxed);
    if (count > 0 && slot % count == row.index.load(std::memory_order_relaxed)) return true;
  }
  return false;
}

uint32_t Peers::load(uint32_t row) {
  const ScoreboardRow& of = scoreboard_->rows[row];
  const uint32_t beats = of.beats.load(std::memory_order_acquire);
  if (sent_[row].beats != beats) sent_[row] = {beats, 0};
  return of.connections.load(std::memory_order_relaxed) + sent_[row].count;
}

std::optional<uint32_t> Peers::successor(uint32_t indexes) {
  const uint32_t used = rows();
  std::optional<uint32_t> best;
  uint64_t best_generation = 0;
  uint32_t best_load = 0;
  for (uint32_t i = 0; i < used; ++i) {
    const ScoreboardRow& row = scoreboard_->rows[i];
    if (i == own_row_ || !takes(row)) continue;
    const uint64_t generation = row.generation.load(std::memory_order_relaxed);
    const uint32_t index = row.index.load(std::memory_order_relaxed);
    if (generation < best_generation || index >= indexes) continue;
    const uint32_t connections = load(i);
    if (best && generation == best_generation && connections >= best_load) continue;
    best = index;
    best_generation = generation;
    best_load = connections;
    named_row_ = i;
  }
  return best;
}

std::optional<uint32_t> Peers::lighter(uint32_t mine, uint32_t indexes, int64_t now_ms) {
  const uint32_t used = rows();
  std::optional<uint32_t> best;
  uint32_t best_load = mine;
  for (uint32_t i = 0; i < used; ++i) {
    const ScoreboardRow& row = scoreboard_->rows[i];
    if (i == own_row_ || !takes(row) || row.generation.load(std::memory_order_relaxed) != generation_) continue;
    if (now_ms - row.heartbeat_ms.load(std::memory_order_relaxed) > kStaleMs) continue;
    const uint32_t index = row.index.load(std::memory_order_relaxed);
    const uint32_t connections = load(i);
    if (connections >= best_load || index >= indexes) continue;
    best = index;
    best_load = connections;
    named_row_ = i;
  }
  if (!best || mine - best_load < 1 + static_cast<uint32_t>(std::sqrt(best_load))) return std::nullopt;
  return best;
}

void Peers::sent() {
  ++sent_[named_row_].count;
}

}  // namespace restgate::worker
