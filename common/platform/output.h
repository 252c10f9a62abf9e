// Writing to a descriptor that others share (standard error, a log file), without ever waiting for its reader. Any
// process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// A file that everything is appended to, made if it is not there (mode 0640); close-on-exec. Never waits: a named pipe
/// without a reader is an Error.
[[nodiscard]] Result<UniqueFd> open_to_append(const std::string& path);
/// Whether there is a named pipe of that name.
[[nodiscard]] bool is_pipe(const std::string& path);

/// Non-blocking writes to a borrowed descriptor, whatever it is. Its own mode is left alone: non-blocking mode would
/// hit everyone who shares it, the user's shell among them.
class SharedOutput {
 public:
  /// `fd` must stay open and be the same kind of thing for as long as this lives.
  explicit SharedOutput(int fd);
  /// As write(2); EAGAIN when it would have to wait. Never raises SIGPIPE on a socket; elsewhere it must be ignored.
  /// A pipe takes up to PIPE_BUF bytes whole or not at all.
  [[nodiscard]] ssize_t write(std::string_view bytes);
  /// Whether a write of any length stays in one piece: that of a file.
  [[nodiscard]] bool is_file() const { return way_ == Way::Plain; }
  /// Waits until it can be written to, at most so long. False: it cannot.
  [[nodiscard]] bool wait(int milliseconds) const;

 private:
  enum class Way : uint8_t { Plain, Socket, NoWait, Poll };
  int fd_;
  Way way_;
};

}  // namespace restgate::platform
