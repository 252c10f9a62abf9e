// This program as the operating system started it, and what it takes to put another one in its place. Master.
#pragma once

#include <csignal>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"

namespace restgate::platform {

/// The path by which this process was started, made absolute; symbolic links are left in it, so that it is the program
/// that is installed there, now or later. Call before the working directory changes. "": not known.
[[nodiscard]] std::string program_path();

struct Program {
  std::string path;                    ///< of the file
  std::vector<std::string> arguments;  ///< argv, the program's name first
  /// In addition to this process's environment.
  std::vector<std::pair<std::string, std::string>> variables;
};

/// Becomes another program: same process, same children. Of the descriptors, only standard input, output and error and
/// `kept` stay open. Returns only when it fails, with everything as it was.
[[nodiscard]] Error become(const Program& program, std::span<const int> kept);

/// As long as it lives, no signal but those of faults reaches this thread, nor one that it starts meanwhile; they wait,
/// also for a program that the process becomes.
class SignalsHeld {
 public:
  SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  ~SignalsHeld();

  /// In a program that another one has become: lets them come.
  static void release_inherited();

 private:
  sigset_t before_{};
};

}  // namespace restgate::platform
