#include "master/listener_set.h"

#include <sys/socket.h>

#include <utility>

#include "common/platform/sockets.h"

namespace restgate::master {
namespace {

Result<UniqueFd> open_slot(uint16_t port) {
  return platform::listen_tcp("", port, {.reuse_port = true});
}

}  // namespace

Result<ListenerSet> ListenerSet::open(uint16_t port, uint32_t slots) {
  // With SO_REUSEPORT alone, a second gateway would share the port of the first without a word.
  if (Status free = platform::check_port_free("", port); !free) return std::move(free).error();
  ListenerSet set(port, port);
  if (Status grown = set.grow_to(slots); !grown) return std::move(grown).error();
  return set;
}

Status ListenerSet::grow_to(uint32_t slots) {
  while (slots_.size() < slots) {
    auto slot = open_slot(port_);
    if (!slot) return std::move(slot).error();
    if (port_ == 0) port_ = platform::local_port(slot->get());
    slots_.push_back(std::move(slot).value());
  }
  return Ok{};
}

void ListenerSet::refuse_new() {
  for (const UniqueFd& slot : slots_) platform::drop_new_connections(slot.get(), true);
}

void ListenerSet::welcome_new() {
  for (const UniqueFd& slot : slots_) platform::drop_new_connections(slot.get(), false);
}

void ListenerSet::close() {
  for (const UniqueFd& slot : slots_) ::shutdown(slot.get(), SHUT_RD);
  slots_.clear();
}

std::vector<int> ListenerSet::descriptors() const {
  std::vector<int> fds;
  fds.reserve(slots_.size());
  for (const UniqueFd& slot : slots_) fds.push_back(slot.get());
  return fds;
}

}  // namespace restgate::master
