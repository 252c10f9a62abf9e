// Control messages between master and worker: a SOCK_SEQPACKET socketpair, one small fixed struct a message.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::ipc {

/// The life of a worker in messages: Ready ▲, Probe ▼ (answered on the descriptor itself), Serve ▼, Serving ▲,
/// Drain ▼, Left ▲.
enum class Kind : uint32_t {
  Ready = 1,      ///< worker → master: the event loop turns; nothing is accepted yet
  Drain = 2,      ///< master → worker: stop accepting, finish; value: milliseconds until the forced end, 0: none
  Left = 3,       ///< worker → master: it has stopped accepting, and taken what waited if nobody else will
  Probe = 4,      ///< master → worker, with a descriptor: a client connection by which the master tries it out
  Serve = 5,      ///< master → worker: accept connections
  Serving = 6,    ///< worker → master: it does
  LeavePort = 7,  ///< master → worker: take what waits on this port, which is given up, and close it; value: the port
  Farewell = 8,   ///< master → worker: the gateway will stop: serve on, but end each connection with its next answer
  AccessLog = 9,  ///< master → worker, with a descriptor: the file of the access log, opened anew
};

/// To be raised when a message changes its meaning: a master upgraded in place talks to workers of its former program.
inline constexpr uint32_t kVersion = 1;

struct Message {
  Kind kind = Kind::Ready;
  uint32_t pad = 0;
  uint64_t value = 0;
};

/// One end of a control connection; non-blocking, close-on-exec.
class Channel {
 public:
  Channel() = default;
  explicit Channel(UniqueFd fd) : fd_(std::move(fd)) {}
  static Result<std::pair<Channel, Channel>> make_pair();

  [[nodiscard]] int fd() const { return fd_.get(); }
  /// False when the peer is gone or its queue is full. `passed`: a descriptor of which the peer gets a copy.
  [[nodiscard]] bool send(const Message& message, int passed = -1);
  enum class Receipt : uint8_t { Message, Nothing, Closed };
  /// Takes the next message if there is one, and the descriptor that came with it. A message of another size is
  /// dropped.
  Receipt receive(Message& message, UniqueFd* passed = nullptr);
  void close() { fd_.reset(); }

 private:
  UniqueFd fd_;
};

}  // namespace restgate::ipc
