// Connection: what client and backend connections have in common: a transport, its one event, an input buffer, and the
// memory of edge-triggered readiness. Worker.
#pragma once

#include <cstdint>
#include <utility>

#include "common/event_loop.h"
#include "worker/buffer_pool.h"
#include "worker/context.h"
#include "worker/lookout.h"
#include "worker/transport.h"

namespace restgate::worker {

class Connection : public IoHandler {
 public:
  explicit Connection(Context& context) : context_(context) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] Transport& transport() { return transport_; }
  /// The input that has been read; a buffer is taken when there is none.
  [[nodiscard]] Buffer& inbox() {
    if (!inbox_) inbox_ = context_.buffers.take();
    return *inbox_;
  }
  [[nodiscard]] bool has_input() const { return inbox_ && !inbox_->empty(); }
  void drop_empty_inbox() {
    if (inbox_ && inbox_->empty()) inbox_.reset();
  }
  /// The peer ended its direction, or the connection is gone; there may still be input to read before that.
  [[nodiscard]] bool peer_closed() const { return peer_closed_; }
  /// Whether a read may bring something: an edge has come that was not read to its end.
  [[nodiscard]] bool readable() const { return readable_; }

  /// It is not readable, and more is needed than has come: if the last read has left a reset behind, that will be told
  /// as an event (lookout.h).
  void await_more() {
    if (std::exchange(assumed_drained_, false) && lookout_place_ == 0) context_.lookout.add(*this);
  }

  /// Something has been learned of the connection other than by an edge: reading may bring its end.
  void assume_readable() { readable_ = true; }

  /// Gives transport, input and what is known of readiness to `to`, which must have none. The event ends here.
  void move_to(Connection& to) {
    event_.stop();
    to.transport_ = std::move(transport_);
    to.inbox_ = std::move(inbox_);
    to.readable_ = readable_;
    to.peer_closed_ = peer_closed_;
    to.assumed_drained_ = assumed_drained_ || lookout_place_ != 0;  // nobody asks about it any more
  }

  /// Reads once into the inbox (which must have room) and remembers when the socket has been drained.
  IoResult fill() { return fill_into(inbox()); }

  /// Moves up to `most` bytes of what has not been read into the pipe. When that brings none, the inbox's read has the
  /// last word: splice() stops at urgent data (RFC 9293 §3.8.5) as if there were nothing, and may not be had at all. An
  /// error of the connection is told once only.
  /// REQUIRES: the inbox is empty, the transport not TLS.
  IoResult fill_pipe(Pipe& pipe, size_t most) {
    const IoResult result = transport_.read_into(pipe, most);
    const bool failed = result.kind == IoResult::Kind::Failed;
    if (result.kind != IoResult::Kind::Ok && !(failed && !context_.pipes.unsupported(result.sys_errno))) return fill();
    assumed_drained_ = false;
    if (failed) note_no_input(result.kind);
    return result;
  }

 protected:
  ~Connection() {
    if (lookout_place_ != 0) context_.lookout.forget(*this);
  }

  IoResult fill_into(Buffer& to) {
    const size_t room = to.room_size();
    const IoResult result = transport_.read(to.room(), room);
    switch (result.kind) {
      case IoResult::Kind::Ok:
        to.filled(result.bytes);
        // A short read has drained the socket; but the end of the stream comes without another edge.
        if (result.bytes < room && !peer_closed_ && !transport_.has_buffered_input()) {
          readable_ = false;
          assumed_drained_ = true;
        }
        break;
      case IoResult::Kind::WouldBlock:
      case IoResult::Kind::Eof:
      case IoResult::Kind::Failed:
        note_no_input(result.kind);
        break;
    }
    return result;
  }

  void note_no_input(IoResult::Kind why) {
    readable_ = false;
    if (why == IoResult::Kind::WouldBlock)
      assumed_drained_ = false;
    else
      peer_closed_ = true;
  }

  void note(IoReady ready) {
    readable_ = readable_ || ready.readable;
    peer_closed_ = peer_closed_ || ready.peer_closed;
  }

  Context& context_;
  BufferPtr inbox_;
  Transport transport_;  // declared before the event: the event goes first
  // There are thousands of connections that are idle: what follows may lie in the event's padding.
  [[no_unique_address]] IoEvent event_;
  bool readable_ = false;
  bool peer_closed_ = false;
  bool assumed_drained_ = false;  // by a short read, not by the kernel's word

 private:
  friend class Lookout;
  uint32_t lookout_place_ = 0;  // in its list; 0: none
};

}  // namespace restgate::worker
