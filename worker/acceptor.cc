#include "worker/acceptor.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "worker/handover.h"

namespace restgate::worker {
namespace {

constexpr int kBatch = 64;
constexpr auto kPause = std::chrono::milliseconds(100);

}  // namespace

Acceptor::Acceptor(EventLoop& loop, ClientSet& clients, Handover& handover)
    : loop_(loop), clients_(clients), handover_(handover), pause_timer_(loop, [this] { go_on(); }) {}

void Acceptor::watch(int listener) {
  watches_.push_back(std::make_unique<Watch>(*this, listener));
  Watch& added = *watches_.back();
  if (!added.event.start_reading(loop_, listener, added))
    log::error("cannot watch a listening socket", {{"error", strerror(errno)}});
}

void Acceptor::unwatch(int listener) {
  std::erase_if(watches_, [listener](const auto& watch) { return watch->listener_fd == listener; });
}

void Acceptor::take_waiting(int listener) {
  while (accept_batch(listener)) {
  }
}

void Acceptor::stop(bool take_what_waits) {
  for (const auto& watch : watches_) {
    watch->event.stop();
    if (take_what_waits) take_waiting(watch->listener_fd);
  }
  watches_.clear();
  pause_timer_.cancel();
}

bool Acceptor::accept_batch(int listener) {
  for (int i = 0; i < kBatch; ++i) {
    platform::Accepted accepted = platform::accept_tcp(listener);
    if (accepted.fd) {
      if (!handover_.pass_on(accepted.fd, accepted.peer)) clients_.add(std::move(accepted.fd), accepted.peer);
      continue;
    }
    const bool exhausted = accepted.sys_errno == EMFILE || accepted.sys_errno == ENFILE ||
                           accepted.sys_errno == ENOBUFS || accepted.sys_errno == ENOMEM;
    if (exhausted) pause(accepted.sys_errno);
    return false;
  }
  return true;
}

/// Out of descriptors or memory: the waiting connections stay in the kernel's queue for a moment.
void Acceptor::pause(int sys_errno) {
  log::warn("accepting is paused", {{"error", strerror(sys_errno)}, {"connections", clients_.size()}});
  for (const auto& watch : watches_) watch->event.stop();
  pause_timer_.arm(kPause);
}

void Acceptor::go_on() {
  for (const auto& watch : watches_)
    if (!watch->event.active()) (void)watch->event.start_reading(loop_, watch->listener_fd, *watch);
}

}  // namespace restgate::worker
