// Writing to a descriptor that others share (standard error), without ever waiting for its reader. Any process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace restgate::platform {

/// Non-blocking writes to a borrowed descriptor, whatever it is. Its own mode is left alone: non-blocking mode would
/// hit everyone who shares it, the user's shell among them.
class SharedOutput {
 public:
  /// `fd` must stay open and be the same kind of thing for as long as this lives.
  explicit SharedOutput(int fd);
  /// As write(2); EAGAIN when it would have to wait. Never raises SIGPIPE on a socket; elsewhere it must be ignored.
  /// A pipe takes up to PIPE_BUF bytes whole or not at all.
  [[nodiscard]] ssize_t write(std::string_view bytes);
  /// Waits until it can be written to, at most so long. False: it cannot.
  [[nodiscard]] bool wait(int milliseconds) const;

 private:
  enum class Way : uint8_t { Plain, Socket, NoWait, Poll };
  int fd_;
  Way way_;
};

}  // namespace restgate::platform
