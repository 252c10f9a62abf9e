#include "master/given_sockets.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "common/log.h"
#include "common/platform/inherited_listener.h"
#include "common/platform/sockets.h"

namespace restgate::master {
namespace {

constexpr std::string_view kOurs = "restgate-";

/// The slot's number at the end of a stored name; what has none comes first.
uint32_t number_in(const std::string& name) {
  uint32_t number = 0;
  const size_t dash = name.rfind('-');
  if (is_stored_name(name) && dash != std::string::npos)
    std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return number;
}

}  // namespace

bool is_stored_name(const std::string& name) {
  return name.starts_with(kOurs);
}

GivenSockets::GivenSockets(std::vector<platform::GivenDescriptor> given) : left_(std::move(given)) {
  // Slots keep their order over any number of restarts, those of a socket unit before those of the store.
  std::stable_sort(left_.begin(), left_.end(), [](const auto& a, const auto& b) {
    return std::tuple(is_stored_name(a.name), number_in(a.name)) <
           std::tuple(is_stored_name(b.name), number_in(b.name));
  });
}

std::optional<ListenerSet> GivenSockets::take_set(uint16_t port) {
  std::vector<ListenerSet::Slot> slots;
  for (platform::GivenDescriptor& given : left_) {
    if (port == 0 || platform::listening_port(given.fd.get()) != port) continue;
    const auto twice = [&](const auto& slot) { return platform::same_socket(slot.fd.get(), given.fd.get()); };
    if (std::any_of(slots.begin(), slots.end(), twice)) continue;
    platform::adopt_listener(given.fd.get());
    slots.push_back({std::move(given.fd), is_stored_name(given.name) ? given.name : ""});
  }
  std::erase_if(left_, [](const auto& given) { return !given.fd; });
  if (slots.empty()) return std::nullopt;
  log::info("listening sockets taken over from the service manager", {{"port", port}, {"sockets", slots.size()}});
  return ListenerSet::adopt(port, std::move(slots));
}

UniqueFd GivenSockets::take_one(uint16_t port) {
  const auto found = std::find_if(left_.begin(), left_.end(), [port](const auto& given) {
    return port != 0 && platform::listening_port(given.fd.get()) == port;
  });
  if (found == left_.end()) return {};
  UniqueFd fd = std::move(found->fd);
  left_.erase(found);
  platform::adopt_listener(fd.get());
  return fd;
}

void GivenSockets::close_rest() {
  for (const platform::GivenDescriptor& given : left_)
    log::info("a descriptor of the service manager is not needed: closed",
              {{"name", given.name}, {"port", platform::listening_port(given.fd.get()).value_or(0)}});
  left_.clear();
}

}  // namespace restgate::master
