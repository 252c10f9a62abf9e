// ListenerSet: the listening sockets ("slots") of one port. Master; held open for as long as the port is configured.
//
// Every slot is a socket of its own on the same address (SO_REUSEPORT), so that the kernel spreads connections over
// them. Workers inherit them all. A slot once open stays: whatever has completed its handshake is waiting in one of
// them. Sockets that were open before this program was are taken over as they are; where no other can be had beside
// them (their owner is another user), further slots share them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::master {

class ListenerSet {
 public:
  struct Slot {
    UniqueFd fd;
    /// Under which the service manager may keep a copy of it; "": it has one of its own, or it is another slot's.
    std::string name;
  };

  /// Binds `slots` sockets on every address of this machine. Port 0: one that is free. The Error is a sentence for the
  /// person who chose the port.
  static Result<ListenerSet> open(uint16_t port, uint32_t slots);
  /// Takes sockets over. REQUIRES: at least one; all listen on the same port.
  static ListenerSet adopt(uint16_t wanted_port, std::vector<Slot> slots);
  /// "restgate-7000-0": the name of a slot for the service manager's store.
  [[nodiscard]] static std::string name_of(uint16_t port, size_t number);

  /// Opens slots until there are `slots`. Those opened stay, also if the next one fails.
  Status grow_to(uint32_t slots);
  /// The port is given up: from now on the kernel drops who begins to connect, while handshakes that are under way are
  /// finished, so that workers can take them all before the sockets are closed.
  void refuse_new();
  /// It is not, after all.
  void welcome_new();
  /// Stops listening, in every process that holds the sockets. Connections that nobody has accepted are reset.
  void close();
  /// Lets go of the sockets. Whoever else holds one (the service manager) keeps it, with the connections that wait.
  void let_go() { slots_.clear(); }

  /// As configured: 0 for "any".
  [[nodiscard]] uint16_t wanted_port() const { return wanted_port_; }
  /// As bound.
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint32_t slots() const { return static_cast<uint32_t>(slots_.size()); }
  /// One descriptor per slot, in order. They stay the set's.
  [[nodiscard]] std::vector<int> descriptors() const;
  [[nodiscard]] const std::vector<Slot>& all() const { return slots_; }

 private:
  ListenerSet(uint16_t wanted_port, uint16_t port) : wanted_port_(wanted_port), port_(port) {}
  Status add_slot();
  [[nodiscard]] std::string free_name() const;

  uint16_t wanted_port_;
  uint16_t port_;
  std::vector<Slot> slots_;
  size_t shared_ = 0;  // slots that are another one's socket
};

}  // namespace restgate::master
