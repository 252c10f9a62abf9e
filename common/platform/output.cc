#include "common/platform/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace restgate::platform {

Result<UniqueFd> open_to_append(const std::string& path) {
  constexpr mode_t kMode = 0640;
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, kMode));
  if (!fd) return system_error("cannot open '" + path + "' for appending", errno);
  return fd;
}

bool is_pipe(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISFIFO(st.st_mode);
}

SharedOutput::SharedOutput(int fd) : fd_(fd), way_(Way::NoWait) {
  struct stat st {};
  if (fstat(fd, &st) != 0) return;
  if (S_ISSOCK(st.st_mode)) way_ = Way::Socket;
  if (S_ISREG(st.st_mode)) way_ = Way::Plain;
}

ssize_t SharedOutput::write(std::string_view bytes) {
  if (way_ == Way::NoWait) {
#ifdef RWF_NOWAIT
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};  // only read
    const ssize_t n = pwritev2(fd_, &piece, 1, -1, RWF_NOWAIT);
    if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != ESPIPE)) return n;
#endif
    way_ = Way::Poll;  // a terminal, or a pipe on a kernel that cannot do it
  }
  if (way_ == Way::Plain) return ::write(fd_, bytes.data(), bytes.size());
  if (way_ == Way::Socket) return ::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (!wait(0)) {
    errno = EAGAIN;
    return -1;
  }
  // What polls writable takes so much without waiting.
  return ::write(fd_, bytes.data(), std::min<size_t>(bytes.size(), PIPE_BUF));
}

bool SharedOutput::wait(int milliseconds) const {
  pollfd poll_fd{fd_, POLLOUT, 0};
  return poll(&poll_fd, 1, milliseconds) == 1 && (poll_fd.revents & POLLOUT) != 0;
}

}  // namespace restgate::platform
