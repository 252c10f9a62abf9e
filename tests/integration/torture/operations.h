// Operations: what is done to the gateway under traffic, each for as long as torture_time() says. Test process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "integration/support/process.h"
#include "integration/torture/trial.h"

namespace restgate::itest::torture {

/// SIGHUP every 300 ms.
void reload_again_and_again(Trial& trial);
/// SIGHUP as soon as the one before is done, some of them refused: 500 in the long form.
void reload_very_often(Trial& trial);
/// kill -9 of a worker every 500 ms.
void kill_workers(Trial& trial);
/// SIGSTOP of a worker for two seconds.
void stop_workers(Trial& trial);
/// 4 → 2 → 1 → 4 workers.
void resize(Trial& trial);
/// To each of these ports in turn; the clients follow when it opens. There should be enough of them that one is not
/// wanted again while it is being given up: what knocks then waits for a SYN's repetition.
void change_port(Trial& trial, const std::vector<uint16_t>& ports);
/// SIGHUP with broken files every 300 ms.
void break_config(Trial& trial);

/// A binary of the trial's own, which can be replaced as a package's upgrade does it.
class Installed {
 public:
  Installed();
  [[nodiscard]] std::string path() const { return directory_.path() + "/restgate"; }
  /// A new file with what was built, in place of the old one.
  void renew() const;
  void replace_by(const std::string& text) const;
  void remove() const;

 private:
  TempDir directory_;
};

/// A new file, then SIGUSR2, every second.
void upgrade(Trial& trial, const Installed& installed);
/// SIGUSR2 with broken files every 500 ms.
void break_binary(Trial& trial, const Installed& installed);
/// Whether the master executes the file that is installed now.
[[nodiscard]] bool await_upgrade(const Trial& trial, const Installed& installed);

}  // namespace restgate::itest::torture
