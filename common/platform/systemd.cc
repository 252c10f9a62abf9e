#include "common/platform/systemd.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace restgate::platform {
namespace {

constexpr int kFirstGiven = 3;  // SD_LISTEN_FDS_START
constexpr uint64_t kMostGiven = 4096;

constexpr std::array kListenVariables = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"};
constexpr std::array kKeptVariables = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "FDSTORE"};

std::string_view text_of(const EnvironmentReader& env, const char* name) {
  const char* value = env(name);
  return value != nullptr ? value : "";
}

std::optional<uint64_t> number_of(const EnvironmentReader& env, const char* name) {
  const std::string_view text = text_of(env, name);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::vector<std::string> given_names(const EnvironmentReader& env, pid_t self) {
  if (number_of(env, "LISTEN_PID") != static_cast<uint64_t>(self)) return {};
  const uint64_t count = std::min(number_of(env, "LISTEN_FDS").value_or(0), kMostGiven);
  std::vector<std::string> names;
  std::string_view rest = text_of(env, "LISTEN_FDNAMES");
  while (names.size() < count) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const std::string_view name = rest.substr(0, colon);
    names.emplace_back(name.empty() ? "unknown" : name);
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return names;
}

std::chrono::microseconds watchdog_period(const EnvironmentReader& env, pid_t self) {
  const uint64_t period = number_of(env, "WATCHDOG_USEC").value_or(0);
  const bool ours = env("WATCHDOG_PID") == nullptr || number_of(env, "WATCHDOG_PID") == static_cast<uint64_t>(self);
  constexpr uint64_t kMost = static_cast<uint64_t>(std::chrono::microseconds(std::chrono::hours(24 * 365)).count());
  return std::chrono::microseconds(ours ? std::min(period, kMost) : 0);
}

ServiceEnvironment take_service_environment() {
  const EnvironmentReader env = [](const char* name) { return std::getenv(name); };
  ServiceEnvironment found;
  found.notify_socket = text_of(env, "NOTIFY_SOCKET");
  found.watchdog = watchdog_period(env, getpid());
  int fd = kFirstGiven;
  for (std::string& name : given_names(env, getpid())) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) found.descriptors.push_back({UniqueFd(fd), std::move(name)});
    ++fd;
  }
  for (const char* name : kKeptVariables)
    if (const char* value = env(name)) found.variables.emplace_back(name, value);
  for (const char* name : kKeptVariables) unsetenv(name);
  for (const char* name : kListenVariables) unsetenv(name);
  return found;
}

Result<NotifySocket> NotifySocket::open(const std::string& address) {
  NotifySocket made;
  if (address.size() < 2 || (address[0] != '/' && address[0] != '@'))
    return Error{"the service manager's socket '" + address + "' is neither a path nor an abstract name", EAFNOSUPPORT};
  if (address.size() >= sizeof made.address_.sun_path)
    return Error{"the name of the service manager's socket is too long", ENAMETOOLONG};
  made.address_.sun_family = AF_UNIX;
  std::memcpy(made.address_.sun_path, address.data(), address.size());
  const bool abstract = address[0] == '@';
  if (abstract) made.address_.sun_path[0] = '\0';
  // A path ends with a zero byte; an abstract name with its length.
  made.length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1));
  made.fd_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.fd_) return system_error("cannot make a socket for the service manager", errno);
  return made;
}

NotifySocket::Sent NotifySocket::send(std::string_view message, int passed) const {
  iovec bytes{const_cast<char*>(message.data()), message.size()};
  sockaddr_un address = address_;
  msghdr header{};
  header.msg_name = &address;
  header.msg_namelen = length_;
  header.msg_iov = &bytes;
  header.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  if (passed >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* attached = CMSG_FIRSTHDR(&header);
    attached->cmsg_level = SOL_SOCKET;
    attached->cmsg_type = SCM_RIGHTS;
    attached->cmsg_len = CMSG_LEN(sizeof passed);
    std::memcpy(CMSG_DATA(attached), &passed, sizeof passed);
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd_.get(), &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return Sent::Yes;
  return errno == EAGAIN || errno == ENOBUFS ? Sent::Later : Sent::Failed;
}

}  // namespace restgate::platform
