// SlotWatch: which listening sockets and mailboxes this worker takes from. Worker.
//
// Worker i of N serves the slots s with s mod N = i, always; and any other slot while nobody who is alive serves it:
// its worker hangs, is dead, or has not started yet. So no slot waits for longer than a heartbeat is stale.
#pragma once

#include <cstdint>
#include <vector>

#include "worker/acceptor.h"
#include "worker/handover.h"
#include "worker/heritage.h"
#include "worker/peers.h"

namespace restgate::worker {

class SlotWatch {
 public:
  SlotWatch(Heritage& heritage, Peers& peers, Acceptor& acceptor, Handover& handover);

  /// Looks which slots want serving now. To be called about every kLookMs.
  void look(int64_t now_ms);
  /// Takes from no slot any more, and closes the listening sockets. `take_waiting`: nobody else will take what waits.
  void leave(bool take_waiting);
  /// Takes what waits on a port that is given up, and closes its sockets.
  void leave_port(uint16_t port);

  static constexpr int64_t kLookMs = 50;

 private:
  struct Slot {
    int listener = -1;  ///< -1: a mailbox alone
    uint32_t number = 0;
    bool mailbox = false;
    bool retired = false;
    bool watched = false;
  };
  void watch(Slot& slot, bool yes);

  Heritage& heritage_;
  Peers& peers_;
  Acceptor& acceptor_;
  Handover& handover_;
  std::vector<Slot> slots_;
};

}  // namespace restgate::worker
