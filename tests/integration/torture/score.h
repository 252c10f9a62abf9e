// Score: what became of every request of the torture, by kind of traffic. Test process.
//
// A client has a Score of its own and they are added up when the threads have ended: nothing here is shared.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace restgate::itest::torture {

using Clock = std::chrono::steady_clock;

enum class Kind : uint8_t {
  Short,     ///< a connection a request
  Busy,      ///< keep-alive, back to back
  Thinking,  ///< keep-alive, with think times: the idle-connection race
  Post,      ///< keep-alive, a body each
  Slow,      ///< chunked answers that outlast the operations
  Tunnel,    ///< WebSocket, both ways at once
};
inline constexpr size_t kKinds = 6;
std::string_view name_of(Kind kind);

enum class Outcome : uint8_t {
  Refused,    ///< no connection
  Reset,      ///< at any time
  NoAnswer,   ///< the connection ended before the response's head was there
  ShortBody,  ///< it ended within the body
  WrongBody,  ///< other bytes than the origin sent
  BadStatus,  ///< not 200 (a tunnel: not 101)
  Timeout,
  Other,
};
inline constexpr size_t kOutcomes = 8;
std::string_view name_of(Outcome outcome);

/// A request that failed, or a tunnel that broke.
struct Mishap {
  Kind kind = Kind::Short;
  Outcome outcome = Outcome::Other;
  Clock::time_point began;  ///< before the request was sent; of a tunnel: when its last frame had come
  Clock::time_point ended;
  /// The connection had ended before the request was sent: a client that looks first would have connected anew.
  bool seen_closed = false;
  std::string detail;
};

/// A request that was answered late (Score::kLate).
struct Stall {
  Kind kind = Kind::Short;
  Clock::time_point began;
  Clock::time_point ended;
};

struct Score {
  static constexpr std::chrono::milliseconds kLate{1000};

  size_t good = 0;       ///< requests answered as they should be; tunnels opened
  size_t frames = 0;     ///< of tunnels, in either direction
  size_t connects = 0;   ///< connections made
  size_t announced = 0;  ///< answers with `Connection: close` on a connection that was meant to be kept
  std::chrono::milliseconds slowest{0};
  std::vector<Mishap> mishaps;
  std::vector<Stall> stalls;

  Score& operator+=(const Score& other);
};

using Scores = std::array<Score, kKinds>;  ///< by Kind

inline Score& of(Scores& scores, Kind kind) {
  return scores.at(static_cast<size_t>(kind));
}
inline const Score& of(const Scores& scores, Kind kind) {
  return scores.at(static_cast<size_t>(kind));
}
Score total(const Scores& scores);

}  // namespace restgate::itest::torture
