// Acceptor: takes new connections from this worker's share of the listening sockets. Worker.
//
// The sockets belong to the master for life: an Acceptor watches them, and never closes one.
#pragma once

#include <memory>
#include <vector>

#include "common/event_loop.h"
#include "worker/client_connection.h"

namespace restgate::worker {

class Acceptor {
 public:
  Acceptor(EventLoop& loop, ClientSet& clients, Handover& handover);
  /// Accepts from this socket from now on.
  void watch(int listener);
  /// Accepts from it no more; what waits there is for others.
  void unwatch(int listener);
  /// Takes what has completed its handshake, whether the socket is watched or not.
  void take_waiting(int listener);
  /// Accepts no more. `take_what_waits`: first takes what has completed its handshake (nobody else will).
  void stop(bool take_what_waits);
  [[nodiscard]] bool accepting() const { return !watches_.empty(); }

 private:
  class Watch final : public IoHandler {
   public:
    Watch(Acceptor& owner, int listener) : listener_fd(listener), owner_(owner) {}
    void on_io(IoReady /*ready*/) override { (void)owner_.accept_batch(listener_fd); }
    int listener_fd;
    IoEvent event;

   private:
    Acceptor& owner_;
  };

  /// True: there may be more.
  bool accept_batch(int listener);
  void pause(int sys_errno);
  void go_on();

  EventLoop& loop_;
  ClientSet& clients_;
  Handover& handover_;
  TimerEvent pause_timer_;
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace restgate::worker
