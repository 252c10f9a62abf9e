#include "integration/torture/score.h"

#include <algorithm>

namespace restgate::itest::torture {

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, kKinds> kNames = {"short", "busy", "thinking", "post", "slow", "tunnel"};
  return kNames.at(static_cast<size_t>(kind));
}

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, kOutcomes> kNames = {"refused",    "reset",      "no answer", "short body",
                                                              "wrong body", "bad status", "timeout",   "other"};
  return kNames.at(static_cast<size_t>(outcome));
}

Score& Score::operator+=(const Score& other) {
  good += other.good;
  frames += other.frames;
  connects += other.connects;
  announced += other.announced;
  slowest = std::max(slowest, other.slowest);
  mishaps.insert(mishaps.end(), other.mishaps.begin(), other.mishaps.end());
  stalls.insert(stalls.end(), other.stalls.begin(), other.stalls.end());
  return *this;
}

Score total(const Scores& scores) {
  Score sum;
  for (const Score& score : scores) sum += score;
  return sum;
}

}  // namespace restgate::itest::torture
