// ServiceManager: a service manager's end of NOTIFY_SOCKET, in the test's hand: what it was told, what it keeps. Test
// process.
#pragma once

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/unique_fd.h"

namespace restgate {

class ServiceManager {
 public:
  enum class Name : uint8_t { Path, Abstract };

  explicit ServiceManager(Name kind = Name::Path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (kind == Name::Path) {
      directory_ = "/tmp/restgate-notify-XXXXXX";
      if (::mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("mkdtemp");
      address_ = directory_ + "/notify";
      std::memcpy(address.sun_path, address_.data(), address_.size());
      bind(address, offsetof(sockaddr_un, sun_path) + address_.size() + 1);
      return;
    }
    bind(address, sizeof address.sun_family);  // the kernel chooses a free one
    socklen_t length = sizeof address;
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    address_ = "@" + std::string(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;
  ~ServiceManager() {
    if (directory_.empty()) return;
    ::unlink(address_.c_str());
    ::rmdir(directory_.c_str());
  }

  /// For NOTIFY_SOCKET.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// The next notification; throws when none comes.
  std::string next(int patience_ms = 20'000) {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::poll(&entry, 1, patience_ms) != 1) throw std::runtime_error("no notification came");
    return take();
  }
  /// The next one that has this line; those before it are passed over (what they store is kept all the same).
  std::string await(const std::string& line, int patience_ms = 20'000) {
    for (;;) {
      std::string message = next(patience_ms);
      if (("\n" + message + "\n").find("\n" + line + "\n") != std::string::npos) return message;
    }
  }
  /// All that have come by now.
  std::vector<std::string> all() {
    std::vector<std::string> messages;
    pollfd entry{fd_.get(), POLLIN, 0};
    while (::poll(&entry, 1, 0) == 1) messages.push_back(take());
    return messages;
  }

  /// What it was asked to keep, by name.
  [[nodiscard]] const std::multimap<std::string, UniqueFd>& store() const { return store_; }
  /// Of the names in the store, in order.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, fd] : store_) names.push_back(name);
    return names;
  }
  [[nodiscard]] std::vector<int> descriptors() const {
    std::vector<int> fds;
    for (const auto& [name, fd] : store_) fds.push_back(fd.get());
    return fds;
  }

  /// The value of "NAME=" in a message; "" if it has none.
  static std::string value(const std::string& message, const std::string& name) {
    const std::string text = "\n" + message + "\n";
    const size_t at = text.find("\n" + name + "=");
    if (at == std::string::npos) return "";
    const size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

 private:
  void bind(const sockaddr_un& address, size_t length) const {
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) != 0)
      throw std::runtime_error(std::string("bind: ") + std::strerror(errno));
  }

  std::string take() {
    std::array<char, 8192> text;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec bytes{text.data(), text.size()};
    msghdr header{};
    header.msg_iov = &bytes;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd_.get(), &header, MSG_CMSG_CLOEXEC);
    if (got < 0) throw std::runtime_error(std::string("recvmsg: ") + std::strerror(errno));
    std::string message(text.data(), static_cast<size_t>(got));
    UniqueFd passed;
    if (const cmsghdr* attached = CMSG_FIRSTHDR(&header); attached != nullptr) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(attached), sizeof fd);
      passed.reset(fd);
    }
    if (value(message, "FDSTORE") == "1") store_.emplace(value(message, "FDNAME"), std::move(passed));
    if (value(message, "FDSTOREREMOVE") == "1") store_.erase(value(message, "FDNAME"));
    return message;
  }

  UniqueFd fd_;
  std::string directory_;
  std::string address_;
  std::multimap<std::string, UniqueFd> store_;
};

}  // namespace restgate
