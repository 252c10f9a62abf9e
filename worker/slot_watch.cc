#include "worker/slot_watch.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"

namespace restgate::worker {

SlotWatch::SlotWatch(Heritage& heritage, Peers& peers, Acceptor& acceptor, Handover& handover)
    : heritage_(heritage), peers_(peers), acceptor_(acceptor), handover_(handover) {
  const auto mailboxes = static_cast<uint32_t>(heritage.mailboxes.size());
  const auto listeners = static_cast<uint32_t>(heritage.listeners.size());
  for (uint32_t i = 0; i < std::max(mailboxes, listeners); ++i)
    slots_.push_back({i < listeners ? heritage.listeners[i] : -1, i, i < mailboxes, false, false});
  for (uint32_t i = 0; i < heritage.retired_listeners.size(); ++i)
    slots_.push_back({heritage.retired_listeners[i], i, false, true, false});
}

void SlotWatch::look(int64_t now_ms) {
  uint32_t rescued = 0;
  for (Slot& slot : slots_) {
    const bool own = slot.number % heritage_.count == heritage_.index;
    const bool serve = own || !peers_.serve(slot.number, now_ms);
    if (serve && !own && !slot.watched) ++rescued;
    watch(slot, serve);
  }
  if (rescued > 0) log::debug("serving slots of a worker that does not", {{"slots", rescued}});
}

void SlotWatch::watch(Slot& slot, bool yes) {
  if (slot.watched == yes) return;
  slot.watched = yes;
  if (slot.mailbox) handover_.serve(slot.number, yes);
  if (slot.listener < 0) return;
  if (yes)
    acceptor_.watch(slot.listener);
  else
    acceptor_.unwatch(slot.listener);
}

void SlotWatch::leave(bool take_waiting) {
  acceptor_.stop(take_waiting);
  if (take_waiting)
    handover_.take_waiting_and_leave();
  else
    handover_.leave();
  for (const Slot& slot : slots_)
    if (slot.listener >= 0) ::close(slot.listener);
  slots_.clear();
}

void SlotWatch::leave_port(uint16_t port) {
  const auto leaves = [port](const Slot& slot) { return slot.retired && platform::local_port(slot.listener) == port; };
  for (Slot& slot : slots_) {
    if (!leaves(slot)) continue;
    // All of them, whoever's they are: after this the connections in them would be reset.
    acceptor_.take_waiting(slot.listener);
    watch(slot, false);
    ::close(std::exchange(slot.listener, -1));
  }
  std::erase_if(slots_, [](const Slot& slot) { return slot.retired && slot.listener < 0; });
}

}  // namespace restgate::worker
