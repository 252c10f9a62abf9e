// GivenSockets: what the service manager handed over at start, until each socket has found its place. Master; lives
// while the gateway starts.
//
// Two kinds come the same way: sockets of a socket unit (socket activation), and our own of an earlier life, which the
// manager kept in its store (ListenerSet::name_of). Which ports are wanted, the configuration says; what nothing asks
// for is closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/platform/systemd.h"
#include "common/unique_fd.h"
#include "master/listener_set.h"

namespace restgate::master {

class GivenSockets {
 public:
  explicit GivenSockets(std::vector<platform::GivenDescriptor> given);

  /// All that listen on this port, as slots; nothing if there are none.
  [[nodiscard]] std::optional<ListenerSet> take_set(uint16_t port);
  /// One that listens on this port; none if there is none.
  [[nodiscard]] UniqueFd take_one(uint16_t port);
  /// Closes the rest, with a record of each.
  void close_rest();

 private:
  std::vector<platform::GivenDescriptor> left_;
};

/// Whether the service manager's store has it from us, rather than from a socket unit.
[[nodiscard]] bool is_stored_name(const std::string& name);

}  // namespace restgate::master
