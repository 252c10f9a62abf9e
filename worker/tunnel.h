// Tunnel: the bytes after a 101, both ways, until both have ended. Worker.
//
// Takes the two connections' transports and what has been read from them; each direction ends by itself (half-close).
// A slow reader stops the reading of the other side: one buffer a direction at the most.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "worker/connection.h"
#include "worker/context.h"
#include "worker/graveyard.h"
#include "worker/mailbox.h"
#include "worker/outbox.h"
#include "worker/timer_wheel.h"

namespace restgate::worker {

class Tunnel final : public Mortal, private Deadline {
 public:
  explicit Tunnel(Context& context);
  ~Tunnel() override;

  /// Moves the transports and inboxes over and begins; `first_to_client` (in the scratch space) goes before all else.
  void open(Connection& client, Connection& backend, std::string_view first_to_client);
  /// Goes on where another worker left it.
  void adopt(Parcel&& parcel);
  /// Offers itself to a successor. True: it is gone from here. One over TLS cannot go: its keys are this process's.
  bool hand_over();
  void close();

  /// Place in the TunnelSet.
  size_t set_index = 0;

 private:
  /// One end: reads from its peer into its inbox, writes what comes from the other end.
  class Side final : public Connection {
   public:
    Side(Context& context, Tunnel& tunnel) : Connection(context), tunnel_(tunnel) {}
    [[nodiscard]] bool adopt(Connection& from, EventLoop& loop);
    [[nodiscard]] bool adopt(UniqueFd fd, TunnelEnd end, std::string_view bytes, EventLoop& loop);
    /// Read from its peer, not written to the other's.
    [[nodiscard]] std::string waiting(const Side& other) const;
    [[nodiscard]] UniqueFd lend_fd() { return transport_.release_fd(); }
    void give_back(UniqueFd fd) { transport_ = Transport(std::move(fd)); }
    void stop();

    Outbox out;          // to this side's peer
    bool eof = false;    // this side's peer sends no more
    bool ended = false;  // and the other side has been told

   private:
    void on_io(IoReady ready) override;
    Tunnel& tunnel_;
  };

  void on_deadline() override;
  void pump();
  /// Moves bytes from one side to the other. False: the tunnel is broken.
  [[nodiscard]] bool pump_direction(Side& from, Side& to);
  void touch();

  Context& context_;
  Side client_;
  Side backend_;
  bool closed_ = true;
  bool yielded_ = false;
  friend class TunnelSet;
};

/// All tunnels of the worker.
class TunnelSet {
 public:
  explicit TunnelSet(Context& context) : context_(context) {}
  void open(Connection& client, Connection& backend, std::string_view first_to_client);
  void adopt(Parcel&& parcel);
  [[nodiscard]] size_t size() const { return all_.size(); }
  /// Offers every tunnel to a successor, until one is refused.
  void hand_over_all();
  void close_all();
  /// Lets those go on that used up their share of the last turn.
  void resume_yielded();

 private:
  friend class Tunnel;
  void forget(Tunnel& tunnel);

  Context& context_;
  std::vector<std::unique_ptr<Tunnel>> all_;
  std::vector<Tunnel*> yielded_;
};

}  // namespace restgate::worker
