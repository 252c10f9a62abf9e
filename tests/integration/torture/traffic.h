// Traffic: all six kinds of clients at once, on threads. Test process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "integration/support/deadline.h"
#include "integration/torture/course.h"
#include "integration/torture/score.h"

namespace restgate::itest::torture {

struct TrafficOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  std::function<void()> settle_in = [] {};  ///< what each client's thread does first
  std::chrono::milliseconds stream_length{1200};
  std::array<size_t, kKinds> clients{2, 2, 32, 3, 6, 6};  ///< by Kind
};

class Traffic {
 public:
  explicit Traffic(const TrafficOptions& options);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;
  ~Traffic();

  /// Waits until every kind has got some more answers.
  void await_more(size_t answers = 5) const;
  /// The gateway is about to move to that port.
  void announce(uint16_t port) { course_.announce(port); }
  /// New connections go to that port from now on; those there are stay.
  void follow(uint16_t port) { course_.follow(port); }
  /// The pace of what is done meanwhile.
  void pause(std::chrono::milliseconds time) { course_.pause(time); }
  /// A client of that kind on the calling thread, in addition: asks so many times without a pause, unless time is up.
  void ask(Kind kind, size_t requests, const Deadline& deadline);
  /// Nobody connects anew; ends when the gateway has ended the kept connections. Failure when it does not.
  void await_close();
  /// Every client finishes what it is at. What became of it all.
  Scores stop();
  [[nodiscard]] size_t clients(Kind kind) const { return options_.clients.at(static_cast<size_t>(kind)); }
  [[nodiscard]] size_t clients() const;

 private:
  struct Client {
    Kind kind = Kind::Short;
    Score score;
    std::atomic<bool> ended{false};
    std::thread thread;
  };
  void run(Client& client, unsigned seed);

  TrafficOptions options_;
  Course course_;
  std::vector<std::unique_ptr<Client>> clients_;
  Scores asked_;  // by ask()
};

}  // namespace restgate::itest::torture
