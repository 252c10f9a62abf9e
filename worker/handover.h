// Handover: gives live connections to other workers and takes those that are given to this one. Worker.
//
// Three occasions: a drain with successors (what is idle goes at once, what is in flight when its answer is through); a
// fresh connection on a worker that has clearly more than another; what lies in a mailbox that this worker serves.
// Nothing is ever lost on the way: a mailbox outlives its worker, and what does not fit stays where it is and is
// served.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/address.h"
#include "worker/context.h"
#include "worker/mailbox.h"
#include "worker/peers.h"

namespace restgate::worker {

class Handover {
 public:
  /// Both outlive it; so do the descriptors, which are the master's.
  Handover(Context& context, Peers& peers, std::vector<MailboxFds> mailboxes);

  /// Takes from this mailbox from now on, or no more.
  void serve(uint32_t mailbox, bool yes);
  /// Takes all that waits in any mailbox, and then no more: nobody else will.
  void take_waiting_and_leave();
  void leave();

  [[nodiscard]] bool has_successor() { return peers_.successor(indexes()).has_value(); }
  /// Offers a connection to a successor. False: not now (no successor, or its mailbox is full); see refusing().
  [[nodiscard]] bool offer(const Parcel& parcel);
  /// Gives a fresh connection away if another worker is better off with it. False: it stays.
  [[nodiscard]] bool pass_on(UniqueFd& fd, const platform::Address& peer);

  /// Whether an offer has been refused since forget_refusal().
  [[nodiscard]] bool refusing() const { return refused_; }
  void forget_refusal() { refused_ = false; }

 private:
  class Watch final : public IoHandler {
   public:
    Watch(Handover& owner, int out) : owner_(owner), out_(out) {}
    void on_io(IoReady /*ready*/) override { (void)owner_.take_some(out_); }
    IoEvent event;

   private:
    Handover& owner_;
    int out_;
  };

  [[nodiscard]] uint32_t indexes() const { return static_cast<uint32_t>(mailboxes_.size()); }
  /// True: there may be more.
  bool take_some(int mailbox_out);
  void adopt(Parcel&& parcel);

  Context& context_;
  Peers& peers_;
  const std::vector<MailboxFds> mailboxes_;
  std::vector<std::unique_ptr<Watch>> watches_;  ///< by mailbox; null: not served
  bool refused_ = false;
};

}  // namespace restgate::worker
