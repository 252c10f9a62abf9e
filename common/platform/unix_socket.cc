#include "common/platform/unix_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace restgate::platform {
namespace {

constexpr int kBacklog = 128;
constexpr mode_t kOwnerOnly = S_IRUSR | S_IWUSR;
constexpr int kLockAttempts = 100;
constexpr int kLockPauseMs = 10;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos)
    return Error{"'" + path + "' is no path for a unix socket", EINVAL};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int connect_to(int fd, const sockaddr_un& address) {
  int connected = 0;
  do {
    connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (connected != 0 && errno == EINTR);
  return connected == 0 ? 0 : errno;
}

/// A lock on the directory, so that of two who find a dead socket only one replaces it. Best effort: not every file
/// system has locks, not every directory may be read.
UniqueFd lock_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; fd && i < kLockAttempts && flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK; ++i)
    (void)poll(nullptr, 0, kLockPauseMs);
  return fd;
}

/// Makes way for a new socket, unless what is there is of any use.
Status clear_the_way(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return Ok{};  // binding will tell what is wrong, if anything
  if (!S_ISSOCK(info.st_mode)) return Error{path + " is there already, and is no socket", EEXIST};
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe) return system_error("cannot make a socket", errno);
  const int error = connect_to(probe.get(), address);
  if (error == ENOENT) return Ok{};
  if (error == 0 || error == EAGAIN || error == EPROTOTYPE)
    return Error{path + " is in use by another process", EADDRINUSE};
  if (error != ECONNREFUSED) return system_error(path + " cannot be replaced", error);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(path + " cannot be replaced", errno);
  return Ok{};
}

}  // namespace

std::optional<FileId> file_id(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

Result<UniqueFd> listen_unix(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("cannot make a socket", errno);
  // On Linux the file gets the socket's mode at once: nobody can connect before it is restricted.
  if (fchmod(fd.get(), kOwnerOnly) != 0) return system_error("cannot restrict " + path, errno);
  const UniqueFd lock = lock_directory_of(path);
  if (Status clear = clear_the_way(path, *address); !clear) return std::move(clear).error();
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(sockaddr_un)) != 0)
    return system_error("cannot make " + path, errno);
  if (chmod(path.c_str(), kOwnerOnly) != 0 || listen(fd.get(), kBacklog) != 0) {
    const int error = errno;
    unlink(path.c_str());
    return system_error("cannot listen on " + path, error);
  }
  return fd;
}

bool is_unix_listener(int fd) {
  const auto option = [fd](int name) {
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
  };
  return option(SO_DOMAIN) == AF_UNIX && option(SO_TYPE) == SOCK_STREAM && option(SO_ACCEPTCONN) == 1;
}

Result<UniqueFd> connect_unix(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return system_error("cannot make a socket", errno);
  if (const int error = connect_to(fd.get(), *address); error != 0) return system_error(path, error);
  return fd;
}

}  // namespace restgate::platform
