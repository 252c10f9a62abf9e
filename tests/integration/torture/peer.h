// Peer: another program with the same job as the gateway's, configured to match it, for comparison. Test process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "integration/support/process.h"

namespace restgate::itest::torture {

struct PeerKind {
  std::string name;
  std::string program;
  std::string arguments;  ///< %C: the configuration's path
  std::string config;     ///< %D: a directory of its own, %A, %P: address and port to listen on, %O: the origin's port
  int reload_signal = 0;  ///< for the main process
  std::string reload_mark;  ///< in the line that it logs for a start or a reload
  std::string version_arg;  ///< prints the version
};

/// nginx with four workers, idle connections and tunnels kept as long as the gateway keeps them.
PeerKind nginx();
/// haproxy as master and worker with four threads. `gentle`: with the option that lets idle connections live until
/// their next answer (idle-close-on-response).
PeerKind haproxy(bool gentle);

class Peer {
 public:
  /// Whether the program is installed.
  static bool there(const PeerKind& kind);
  /// Starts it and waits until it listens.
  Peer(const PeerKind& kind, const std::string& address, uint16_t origin_port);

  [[nodiscard]] uint16_t port() const { return port_; }
  void reload() const { process_->signal(kind_.reload_signal); }
  /// Of it and all its workers.
  [[nodiscard]] size_t processes() const;
  /// The first line of what it says about itself.
  [[nodiscard]] std::string version() const;
  /// Configurations that it says it has taken, the first one included.
  [[nodiscard]] size_t generations() const;

 private:
  PeerKind kind_;
  uint16_t port_;
  TempDir directory_;
  std::optional<Process> process_;
};

}  // namespace restgate::itest::torture
