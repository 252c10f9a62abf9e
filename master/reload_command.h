// `restgate reload`: has the running gateway load its configuration anew, and waits for the verdict. A process of its
// own, short-lived; a client of the admin socket.
#pragma once

#include <string>

namespace restgate::master {

struct ReloadCommand {
  /// The file that the gateway shall use from now on; "": the one that it uses.
  std::string use_file;
  /// Where the socket is looked up: the key admin_socket of this file. Not needed with `socket`.
  std::string config_path;
  /// The admin socket; "": as the configuration says.
  std::string socket;
};

/// Returns the process's exit code: 0: it is in service. 1: it is not, and the old one goes on; standard error says
/// why. 2: no gateway could be asked.
int run_reload(const ReloadCommand& command);

}  // namespace restgate::master
