// DelayedLink: a network with a delay between two namespaces of its own, so that handshakes, requests and ends of
// connections are on their way while something is done to the gateway. Test process; wants root and /dev/net/tun.
//
// Two TUN devices and a thread that carries packets between them, each a while after it came. The thread that makes the
// link moves into the inner namespace, where what it starts afterwards lives (threads, the gateway); clients' threads
// move into the outer one. Neither sees the machine's own network.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <string>
#include <thread>

#include "common/unique_fd.h"

namespace restgate::itest::torture {

class DelayedLink {
 public:
  static bool possible();
  /// Failure when it cannot be made.
  explicit DelayedLink(std::chrono::milliseconds one_way);
  DelayedLink(const DelayedLink&) = delete;
  DelayedLink& operator=(const DelayedLink&) = delete;
  ~DelayedLink();

  /// Of the inner namespace.
  [[nodiscard]] std::string address() const;
  /// Moves the calling thread into the outer namespace.
  void enter_outer() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Packet {
    Clock::time_point due;
    std::string bytes;
  };
  void carry();
  void take(const UniqueFd& from, std::deque<Packet>& queue) const;
  static void deliver(const UniqueFd& to, std::deque<Packet>& queue);

  std::chrono::milliseconds one_way_;
  UniqueFd outer_namespace_;
  UniqueFd inner_;
  UniqueFd outer_;
  std::atomic<bool> stopping_{false};
  std::thread carrier_;
};

}  // namespace restgate::itest::torture
