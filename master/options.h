// Options: the command line and the environment, taken apart. Pure; master's main().
//
// Flags are accepted with one dash or two, their value after a space or '='. The configuration's path comes from
// -config, then RESTGATE_CONFIG_PATH, then RESTATE_CONFIG_PATH (the legacy spelling, with a warning). The first
// argument may be a command: demo, reload.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace restgate::master {

struct Options {
  enum class Mode : uint8_t { Run, CheckConfig, Version, Help, Demo, Reload };
  Mode mode = Mode::Run;
  std::string config_path;            ///< Run and CheckConfig: never empty. Reload: nor if there is no `socket`
  bool config_by_flag = false;        ///< rather than by the environment
  std::string socket;                 ///< Reload: the admin socket; "": as the configuration says
  std::vector<std::string> warnings;  ///< sentences to log once logging has started
  size_t demo_from = 0;               ///< Demo: index in the arguments of what belongs to the demo
};

/// What is wrong with the command line, in a sentence for a person. Exit code 2.
struct UsageError {
  std::string message;
};

/// Value of an environment variable; nullptr: not set.
using Environment = std::function<const char*(const char* name)>;

/// `args` are those after the program's name.
[[nodiscard]] Result<Options, UsageError> parse_options(std::span<const char* const> args, const Environment& env);

/// The text of -help.
[[nodiscard]] std::string_view usage();

}  // namespace restgate::master
