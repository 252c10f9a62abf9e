#include "master/self_probe.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace restgate::master {
namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: self-probe\r\nConnection: close\r\n\r\n";
constexpr std::string_view kGood = "HTTP/1.1 200 ";

}  // namespace

bool SelfProbe::start(EventLoop& loop, ipc::Channel& to_worker) {
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) return false;
  fd_ = UniqueFd(fds[0]);
  const UniqueFd theirs(fds[1]);
  // A fresh socket has room for one line: it is sent whole or not at all.
  if (::send(fd_.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(kRequest.size()))
    return false;
  if (!to_worker.send({ipc::Kind::Probe, 0, 0}, theirs.get())) return false;
  return event_.start_reading(loop, fd_.get(), *this);
}

void SelfProbe::on_io(IoReady /*ready*/) {
  std::array<char, 512> bytes;
  const ssize_t n = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) answer_.append(bytes.data(), static_cast<size_t>(n));
  if (n > 0 && answer_.size() < kGood.size()) return;
  event_.stop();
  done_(answer_.starts_with(kGood) ? Verdict::Good : Verdict::Bad);
}

}  // namespace restgate::master
