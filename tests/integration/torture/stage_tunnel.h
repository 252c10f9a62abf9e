// StageTunnel: the origin's end of a TunnelClient's WebSocket. Sends every frame back, and frames of its own accord in
// between. Test process; on the thread of the connection, with one more for the own frames.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "integration/support/stream.h"

namespace restgate::itest::torture {

class StageTunnel {
 public:
  StageTunnel(Stream& stream, uint64_t number) : stream_(stream), number_(number) {}
  /// The 101, then frames until the client's Close, which is answered with the numbers of frames received and pushed.
  /// Failure when a frame is not the one that is due.
  void run();

 private:
  void echo_all();
  void push_all();
  void stop_pushing();
  void send(const std::string& bytes);

  Stream& stream_;
  uint64_t number_;
  uint64_t received_ = 0;
  std::mutex sending_;  // a frame as a whole, by either thread
  Stream back_;         // guarded by sending_: the same connection, for sending
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;  // guarded by mutex_
  std::atomic<uint64_t> pushed_{0};
};

}  // namespace restgate::itest::torture
