#include "config/file_text.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/unique_fd.h"
#include "config/parser.h"

namespace restgate::config {
namespace {

constexpr int kPipeSilenceMs = 5000;

std::string open_problem(int error) {
  if (error == ENOENT) return "there is no such file";
  if (error == EACCES) return "permission denied: this user may not read the file";
  return "cannot open the file: " + std::string(std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
}

/// Waits for more from a pipe whose writer is slow.
bool wait_readable(int fd) {
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, kPipeSilenceMs) > 0;
}

/// Reads all; what went wrong is returned as a sentence.
std::optional<std::string> read_all(int fd, std::string& text) {
  constexpr size_t kChunk = 256 * 1024;
  for (;;) {
    const size_t had = text.size();
    text.resize(had + kChunk);
    const ssize_t count = ::read(fd, text.data() + had, kChunk);
    const int error = errno;
    text.resize(had + static_cast<size_t>(count > 0 ? count : 0));
    if (count == 0) return std::nullopt;
    if (count < 0 && error == EINTR) continue;
    if (count < 0 && error == EAGAIN) {
      if (wait_readable(fd)) continue;
      return "nothing came through this pipe for 5 seconds";
    }
    if (count < 0)
      return "cannot read the file: " + std::string(std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
    if (text.size() > kMaxFileBytes) return file_too_large();
  }
}

}  // namespace

std::string file_too_large() {
  return "the file is larger than 16 MiB";
}

std::optional<std::string> read_file(const std::string& path, std::string& text) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return open_problem(errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return open_problem(errno);
  if (S_ISDIR(status.st_mode)) return "this is a directory, not a file";
  if (S_ISREG(status.st_mode) && status.st_size > static_cast<off_t>(kMaxFileBytes)) return file_too_large();
  return read_all(fd.get(), text);
}

}  // namespace restgate::config
