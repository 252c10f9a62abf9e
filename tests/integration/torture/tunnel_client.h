// TunnelClient: a WebSocket through the gateway that lives as long as the torture, frames flowing both ways all the
// time. Test process.
//
// One thread sends numbered frames, which the origin sends back; the other one checks these, and those that the origin
// sends of its own accord. Both directions are checked byte for byte and in order, and at the end against the numbers
// that the origin has counted. A tunnel that breaks is a Mishap and followed by a new one.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

#include "integration/support/stream.h"
#include "integration/support/websocket.h"
#include "integration/torture/course.h"
#include "integration/torture/score.h"

namespace restgate::itest::torture {

class TunnelClient {
 public:
  TunnelClient(Course& course, unsigned seed) : course_(course), random_(seed) {}

  void run();
  [[nodiscard]] const Score& score() const { return score_; }

 private:
  bool open();
  void use();
  /// The sending thread: until the course ends, then a Close frame; or until the tunnel breaks.
  void send_all(Stream& sending);
  void receive_all();
  void take(const ws::Frame& frame);
  void close(const std::string& counts);
  void failed(Outcome outcome, const std::string& detail);

  Course& course_;
  std::minstd_rand random_;
  uint64_t number_ = 0;  // of the tunnel
  Stream stream_;
  std::atomic<uint64_t> sent_{0};
  std::atomic<bool> broken_{false};
  uint64_t echoed_ = 0;
  uint64_t pushed_ = 0;
  Clock::time_point last_;  // when something had come
  Score score_;
};

}  // namespace restgate::itest::torture
