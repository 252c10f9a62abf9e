// HeldAnswers: answers to pipelined requests that wait a moment for the next one's. Worker.
//
// A client that has sent several requests at once gets its answers one by one, as backends give them: each would cost a
// system call and wake the client. An answer that another request stands behind waits for the next one until the end of
// the loop's next turn, which does not wait for events; if that answer is there by then, both go by one send(). To the
// exchange its answer is sent; what is held goes before anything else. Only a client that takes its answers gets them
// so: where more than a little waits for it in the kernel, nothing is held. Should the kernel refuse what is held after
// all (it is short of memory), that blocks what would follow, and an orderly end waits.
#pragma once

#include <cstdint>
#include <vector>

#include "common/event_loop.h"
#include "worker/buffer_pool.h"
#include "worker/outbox.h"
#include "worker/transport.h"

namespace restgate::worker {

class HeldAnswers {
 public:
  /// A connection's place here; 0: nothing is held for it. To be empty when the connection goes.
  using Place = uint32_t;

  /// `buffers`: one is held for each connection, so that no more is kept than one takes.
  HeldAnswers(EventLoop& loop, BufferPool& buffers) : loop_(loop), buffers_(buffers) {}

  /// Takes all that is in the outbox, as if it had been written. False: there is no room, or the client has not taken
  /// what came before; nothing has been taken.
  [[nodiscard]] bool take(Place& place, Transport& transport, Outbox& outbox);
  /// Writes what is held. Blocked: a part is left, to be tried again when the transport is writable. Failed: the
  /// connection is of no use any more.
  Outbox::Flush send(Place& place);
  /// Whether sending has been Blocked.
  [[nodiscard]] bool stuck(Place place) const { return place != 0 && entries_[place - 1].stuck; }
  void drop(Place& place);

  /// The end of a turn: sends what has been held since an earlier one.
  void send_due();

  /// Bytes that may be on their way to the client, not acknowledged: with what is held, less than any socket takes.
  static constexpr int kMostUnacknowledged = 4096;

 private:
  struct Entry {
    Place* place;  // the connection's; it says where this entry is
    Transport* transport;
    BufferPtr bytes;
    uint64_t turn;
    bool stuck = false;
  };

  EventLoop& loop_;
  BufferPool& buffers_;
  std::vector<Entry> entries_;
};

}  // namespace restgate::worker
