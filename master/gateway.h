// The gateway's entry point: what main() and the demo start. Becomes the master process.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/platform/process.h"
#include "common/platform/program.h"
#include "config/model.h"

namespace restgate::master {

struct GatewayOptions {
  std::string config_path;
  /// Called once, when every worker serves; with the ports that were really bound in place of 0. May be empty.
  std::function<void(const config::Config&)> on_serving;
  /// What ps shows of master and workers; null: left alone.
  platform::ProcessTitle* title = nullptr;
  /// As this process was started: what SIGUSR2 starts in its place. None: it does nothing.
  std::optional<platform::Program> program{};
  /// Sentences to log once logging has started.
  std::vector<std::string> warnings;
};

/// Runs until told to stop. Returns the process's exit code: 0 after a drain; 1 when it could not start, or when its
/// work had to be cut short.
int run_gateway(const GatewayOptions& options);

/// `-t`: says on standard output that the configuration is good, or on standard error all that is wrong with it.
/// Returns the process's exit code. Binds nothing.
int check_config(const std::string& path);

}  // namespace restgate::master
