#include "worker/handover.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/log.h"
#include "worker/client_connection.h"
#include "worker/tunnel.h"

namespace restgate::worker {
namespace {

/// Parcels in one go; then the sockets have their turn.
constexpr int kBatch = 64;

}  // namespace

Handover::Handover(Context& context, Peers& peers, std::vector<MailboxFds> mailboxes)
    : context_(context), peers_(peers), mailboxes_(std::move(mailboxes)), watches_(mailboxes_.size()) {}

void Handover::serve(uint32_t mailbox, bool yes) {
  if (mailbox >= watches_.size() || (watches_[mailbox] != nullptr) == yes) return;
  watches_[mailbox].reset();
  if (!yes) return;
  auto watch = std::make_unique<Watch>(*this, mailboxes_[mailbox].out);
  if (!watch->event.start_reading(context_.loop, mailboxes_[mailbox].out, *watch))
    return log::error("cannot watch a mailbox", {{"error", strerror(errno)}});
  watches_[mailbox] = std::move(watch);
}

void Handover::leave() {
  for (auto& watch : watches_) watch.reset();
}

void Handover::take_waiting_and_leave() {
  for (const MailboxFds& mailbox : mailboxes_) {
    while (take_some(mailbox.out)) {
    }
  }
  leave();
}

bool Handover::take_some(int mailbox_out) {
  for (int i = 0; i < kBatch; ++i) {
    Parcel parcel;
    switch (take(mailbox_out, parcel)) {
      case Taken::Nothing:
        return false;
      case Taken::Spoiled:
        log::error("a connection that another worker gave up could not be taken over");
        break;
      case Taken::Parcel:
        adopt(std::move(parcel));
        break;
    }
  }
  return true;
}

void Handover::adopt(Parcel&& parcel) {
  switch (parcel.kind) {
    case ParcelKind::Fresh:
    case ParcelKind::Client:
      return context_.clients->adopt(std::move(parcel));
    case ParcelKind::Tunnel:
      return context_.tunnels->adopt(std::move(parcel));
  }
}

bool Handover::offer(const Parcel& parcel) {
  const std::optional<uint32_t> to = peers_.successor(indexes());
  if (!to || !put(mailboxes_[*to].in, parcel)) {
    refused_ = true;
    return false;
  }
  peers_.sent();
  context_.stats.add(stats::Counter::ConnectionsHandedOver);
  return true;
}

bool Handover::pass_on(UniqueFd& fd, const platform::Address& peer) {
  const auto mine = static_cast<uint32_t>(context_.clients->size() + context_.tunnels->size());
  const std::optional<uint32_t> to = peers_.lighter(mine, indexes(), context_.loop.now_ms());
  if (!to) return false;
  Parcel parcel;
  parcel.kind = ParcelKind::Fresh;
  parcel.facts.address_size = static_cast<uint8_t>(platform::format_address(*peer.get(), parcel.facts.address));
  parcel.facts.since_ms = context_.loop.now_ms();
  parcel.facts.proxied = !context_.config.proxy_protocol;
  parcel.client = std::move(fd);
  if (!put(mailboxes_[*to].in, parcel)) {
    fd = std::move(parcel.client);
    return false;
  }
  peers_.sent();
  context_.stats.add(stats::Counter::ConnectionsAccepted);
  context_.stats.add(stats::Counter::ConnectionsHandedOver);
  return true;
}

}  // namespace restgate::worker
