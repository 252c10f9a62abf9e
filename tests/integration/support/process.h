// Process: a child with its output collected, in a process group of its own, dead when the test is. Test process.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/unique_fd.h"
#include "integration/support/deadline.h"

namespace restgate::itest {

/// A directory under the system's temporary one; removed with its content.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }
  /// Writes a file as a whole (a new file moved into place) and returns its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

struct ProcessOptions {
  std::vector<std::string> arguments;              ///< without the program
  std::map<std::string, std::string> environment;  ///< in addition to PATH and the sanitizers' options
  int pipe_size = 0;                               ///< of standard error, in bytes; 0: the system's
  /// Handed over as a service manager does it (LISTEN_FDS): name and descriptor, which stays the caller's.
  std::vector<std::pair<std::string, int>> given = {};
  std::optional<uid_t> user = {};  ///< as whom to run, in the group of that number alone; needs root
};

class Process {
 public:
  Process(const std::string& program, const ProcessOptions& options);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills the process and its group if they still live.
  ~Process();

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int signo) const;
  /// The exit code, or minus the signal's number. Failure if it does not end in time.
  int wait_exit(Deadline deadline = Deadline());
  /// Whether it has ended by now.
  [[nodiscard]] bool ended() const;
  /// The direct children that are not zombies.
  [[nodiscard]] std::vector<pid_t> children() const;

  /// All lines so far. After wait_exit() all that the process itself has written.
  [[nodiscard]] std::vector<std::string> out_lines() const;
  [[nodiscard]] std::vector<std::string> err_lines() const;
  [[nodiscard]] std::string err_text() const;
  /// Calls `look` with the lines of standard error, whenever there are more, until it returns true. Failure otherwise.
  template <typename Look>
  void await_err(Look look, const std::string& what, Deadline deadline = Deadline()) const {
    std::unique_lock lock(mutex_);
    while (!look(err_.lines))
      if (!wait_for_more(lock, err_.lines.size(), deadline)) give_up(lock, what);
  }

 private:
  struct Output {
    UniqueFd fd;
    std::string partial;
    std::vector<std::string> lines;
  };
  void collect();
  bool drain(Output& output);
  void wake() const;
  bool wait_for_more(std::unique_lock<std::mutex>& lock, size_t seen, const Deadline& deadline) const;
  [[noreturn]] void give_up(std::unique_lock<std::mutex>& lock, const std::string& what) const;

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd wake_;  // an eventfd: makes collect() look at the pipes now, though a grandchild may hold them open
  mutable std::mutex mutex_;
  mutable std::condition_variable more_;
  Output out_;              // guarded by mutex_
  Output err_;              // guarded by mutex_
  bool collected_ = false;  // guarded by mutex_: the pipes have ended
  bool stopping_ = false;   // guarded by mutex_: collect() shall end
  size_t flushes_ = 0;      // guarded by mutex_: how often collect() has answered wake()
  std::thread collector_;
};

/// Resident anonymous memory of a process in bytes (RssAnon).
size_t anonymous_memory(pid_t pid);
/// What a connection whose peer is slow may add to that.
size_t memory_bound();

/// The state of a process as /proc/PID/stat gives it ('S', 'T', 'Z', …); 0 when there is no such process.
char process_state(pid_t pid);

/// A process that is stopped while this lives: what happens meanwhile comes upon it all at once.
class Paused {
 public:
  explicit Paused(pid_t pid);
  Paused(const Paused&) = delete;
  Paused& operator=(const Paused&) = delete;
  ~Paused();

 private:
  pid_t pid_;
};

/// Number of open descriptors of a process.
size_t descriptors(pid_t pid);

/// What they are: "socket:[1234]", "/dev/null", …
std::multiset<std::string> descriptor_targets(pid_t pid);

/// A line of /proc/PID/status, such as "Uid", without its name.
std::string process_status(pid_t pid, const std::string& name);

}  // namespace restgate::itest
