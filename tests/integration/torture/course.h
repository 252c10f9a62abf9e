// Course: what all clients of one torture share: where they connect to, and how long they go on. Test process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "integration/support/stream.h"
#include "integration/torture/score.h"

namespace restgate::itest::torture {

class Course {
 public:
  Course(std::string address, uint16_t port) : address_(std::move(address)), port_(port) {}

  /// To the port there is; where that is refused, to the next one, if that is known.
  [[nodiscard]] Stream connect() const;
  /// The gateway will move there: who is on the way to the old port may find it closed before follow() says so.
  void announce(uint16_t port) { next_port_ = port; }
  void follow(uint16_t port) { port_ = port; }
  [[nodiscard]] uint64_t next_number() { return ++last_number_; }

  /// A client's pause between two requests; false: the client has to end.
  bool pause(std::chrono::milliseconds time);
  void stop();
  [[nodiscard]] bool stopped() const { return stopped_; }

  /// From now on nobody connects anew, as behind a load balancer that has seen readiness go.
  void close() { closing_ = true; }
  [[nodiscard]] bool closing() const { return closing_; }

  void note_progress(Kind kind) { ++progress_.at(static_cast<size_t>(kind)); }
  [[nodiscard]] size_t progress(Kind kind) const { return progress_.at(static_cast<size_t>(kind)); }

 private:
  std::string address_;
  std::atomic<uint16_t> port_;
  std::atomic<uint16_t> next_port_{0};
  std::atomic<uint64_t> last_number_{0};
  std::atomic<bool> closing_{false};
  std::atomic<bool> stopped_{false};
  std::array<std::atomic<size_t>, kKinds> progress_{};
  std::mutex mutex_;
  std::condition_variable stopping_;
};

}  // namespace restgate::itest::torture
