// The gateway's entry point: what main() and the demo start. Becomes the master process.
#pragma once

#include <functional>
#include <string>

#include "config/model.h"

namespace restgate::master {

struct GatewayOptions {
  std::string config_path;
  /// Called once, when every worker serves; with the ports that were really bound in place of 0. May be empty.
  std::function<void(const config::Config&)> on_serving;
};

/// Runs until told to stop. Returns the process's exit code.
int run_gateway(const GatewayOptions& options);

}  // namespace restgate::master
