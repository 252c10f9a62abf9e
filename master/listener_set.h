// ListenerSet: the listening sockets ("slots") of one port. Master; held open for as long as the port is configured.
//
// Every slot is a socket of its own on the same address (SO_REUSEPORT), so that the kernel spreads connections over
// them. Workers inherit them all. A slot once open stays: whatever has completed its handshake is waiting in one of
// them.
#pragma once

#include <cstdint>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::master {

class ListenerSet {
 public:
  /// Binds `slots` sockets on every address of this machine. Port 0: one that is free. The Error is a sentence for the
  /// person who chose the port.
  static Result<ListenerSet> open(uint16_t port, uint32_t slots);

  /// Opens slots until there are `slots`. Those opened stay, also if the next one fails.
  Status grow_to(uint32_t slots);
  /// The port is given up: from now on the kernel drops who begins to connect, while handshakes that are under way are
  /// finished, so that workers can take them all before the sockets are closed.
  void refuse_new();
  /// It is not, after all.
  void welcome_new();
  /// Stops listening, in every process that holds the sockets. Connections that nobody has accepted are reset.
  void close();

  /// As configured: 0 for "any".
  [[nodiscard]] uint16_t wanted_port() const { return wanted_port_; }
  /// As bound.
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }
  /// One descriptor per slot, in order. They stay the set's.
  [[nodiscard]] std::vector<int> descriptors() const;

 private:
  ListenerSet(uint16_t wanted_port, uint16_t port) : wanted_port_(wanted_port), port_(port) {}

  uint16_t wanted_port_;
  uint16_t port_;
  std::vector<UniqueFd> slots_;
};

}  // namespace restgate::master
