#include "master/listener_set.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "common/platform/inherited_listener.h"
#include "common/platform/sockets.h"

namespace restgate::master {

Result<ListenerSet> ListenerSet::open(uint16_t port, uint32_t slots) {
  // With SO_REUSEPORT alone, a second gateway would share the port of the first without a word.
  if (Status free = platform::check_port_free("", port); !free) return std::move(free).error();
  ListenerSet set(port, port);
  if (Status grown = set.grow_to(slots); !grown) return std::move(grown).error();
  return set;
}

ListenerSet ListenerSet::adopt(uint16_t wanted_port, std::vector<Slot> slots) {
  ListenerSet set(wanted_port, platform::local_port(slots.front().fd.get()));
  set.slots_ = std::move(slots);
  return set;
}

std::string ListenerSet::name_of(uint16_t port, size_t number) {
  return "restgate-" + std::to_string(port) + "-" + std::to_string(number);
}

Status ListenerSet::grow_to(uint32_t slots) {
  while (slots_.size() < slots)
    if (Status added = add_slot(); !added) return added;
  return Ok{};
}

Status ListenerSet::add_slot() {
  if (slots_.empty()) {
    auto first = platform::listen_tcp("", port_, {.reuse_port = true});
    if (!first) return std::move(first).error();
    if (port_ == 0) port_ = platform::local_port(first->get());
    slots_.push_back({std::move(first).value(), name_of(port_, 0)});
    return Ok{};
  }
  if (auto beside = platform::listen_beside(slots_.front().fd.get())) {
    slots_.push_back({std::move(beside).value(), free_name()});
    return Ok{};
  }
  const size_t sockets = slots_.size() - shared_;
  auto copy = platform::duplicate(slots_[shared_ % sockets].fd.get());
  if (!copy) return std::move(copy).error();
  slots_.push_back({std::move(copy).value(), ""});
  ++shared_;
  return Ok{};
}

std::string ListenerSet::free_name() const {
  for (size_t number = slots_.size();; ++number) {
    std::string name = name_of(port_, number);
    if (std::none_of(slots_.begin(), slots_.end(), [&](const Slot& slot) { return slot.name == name; })) return name;
  }
}

void ListenerSet::refuse_new() {
  for (const Slot& slot : slots_) platform::drop_new_connections(slot.fd.get(), true);
}

void ListenerSet::welcome_new() {
  for (const Slot& slot : slots_) platform::drop_new_connections(slot.fd.get(), false);
}

void ListenerSet::close() {
  for (const Slot& slot : slots_) ::shutdown(slot.fd.get(), SHUT_RD);
  slots_.clear();
}

std::vector<int> ListenerSet::descriptors() const {
  std::vector<int> fds;
  fds.reserve(slots_.size());
  for (const Slot& slot : slots_) fds.push_back(slot.fd.get());
  return fds;
}

}  // namespace restgate::master
