#include "worker/held_answers.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <utility>

namespace restgate::worker {
namespace {

bool takes_its_answers(int client) {
  int unacknowledged = 0;
  return ::ioctl(client, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged <= HeldAnswers::kMostUnacknowledged;
}

}  // namespace

bool HeldAnswers::take(Place& place, Transport& transport, Outbox& outbox) {
  if (place != 0) return outbox.move_to(*entries_[place - 1].bytes);
  if (!takes_its_answers(transport.fd())) return false;
  BufferPtr bytes = buffers_.take();
  if (!outbox.move_to(*bytes)) return false;
  entries_.push_back({&place, &transport, std::move(bytes), loop_.turn(), false});
  place = static_cast<Place>(entries_.size());
  loop_.request_turn();
  return true;
}

Outbox::Flush HeldAnswers::send(Place& place) {
  if (place == 0) return Outbox::Flush::Drained;
  Entry& entry = entries_[place - 1];
  while (!entry.bytes->empty()) {
    const iovec piece{const_cast<char*>(entry.bytes->begin()), entry.bytes->size()};  // only read
    const IoResult result = entry.transport->write({&piece, 1});
    if (result.kind == IoResult::Kind::WouldBlock) {
      entry.stuck = true;
      return Outbox::Flush::Blocked;
    }
    if (result.kind != IoResult::Kind::Ok) {
      ::shutdown(entry.transport->fd(), SHUT_RDWR);  // whatever it was: no later answer takes the place of these
      drop(place);
      return Outbox::Flush::Failed;
    }
    entry.bytes->consume(result.bytes);
  }
  drop(place);
  return Outbox::Flush::Drained;
}

void HeldAnswers::drop(Place& place) {
  if (place == 0) return;
  Entry& entry = entries_[std::exchange(place, 0) - 1];
  if (&entry != &entries_.back()) {
    entry = std::move(entries_.back());
    *entry.place = static_cast<Place>(&entry - entries_.data() + 1);
  }
  entries_.pop_back();
}

void HeldAnswers::send_due() {
  // From the end: one that goes is replaced by the last one, which has been looked at already.
  for (size_t i = entries_.size(); i-- > 0;) {
    const Entry& entry = entries_[i];
    if (!entry.stuck && entry.turn != loop_.turn()) (void)send(*entry.place);
  }
}

}  // namespace restgate::worker
