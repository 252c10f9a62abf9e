// The process itself: signals, descriptors, limits, its name, its parent. Master and workers, mostly around fork.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"

namespace restgate::platform {

/// Writing to a connection whose reader is gone fails with EPIPE rather than killing the process.
void ignore_sigpipe();

/// After fork, in the child: no signal is blocked and those that a parent may handle or ignore have their default
/// action again. SIGPIPE stays ignored; the handlers of faults (SIGSEGV and the like) stay, they report a crash.
void reset_signals_in_child();

/// Asks the kernel to send `signo` when the parent's thread that forked us ends. Call it in the child (fork clears it).
/// False: `parent` had ended already, and the signal will never come.
[[nodiscard]] bool die_with_parent(pid_t parent, int signo);

/// Lets the kernel write a core of this process when it crashes (RLIMIT_CORE and core_pattern decide whether it does).
/// A change of user or group takes that away: call it after.
void allow_core();

/// Closes every descriptor but `keep` (in any order, duplicates and negative numbers allowed).
void close_descriptors_except(std::span<const int> keep);

/// Raises the soft limit of open descriptors to the hard one; returns the limit that holds now.
size_t raise_nofile_limit();

/// Ends this process as _exit() does: nothing that it shares with its parent is flushed or destroyed. Of a build that
/// counts what runs (coverage, a profile), the counts are written first, which _exit() alone would lose.
[[noreturn]] void leave(int code);

/// What top and /proc/PID/comm show; cut to 15 bytes.
void set_thread_name(const char* name);

/// What ps shows. Made once in main, after the arguments have been copied: their memory and the environment's is
/// written over. argv[1] and what follows become null; the environment moves first, earlier results of getenv() are
/// void. A forked child may use its copy. Lives until the process ends.
class ProcessTitle {
 public:
  ProcessTitle(int argc, char** argv);
  /// Cut to the room that there is.
  void set(std::string_view title);

 private:
  std::span<char> area_;
};

}  // namespace restgate::platform
