#include "master/spawner.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "common/log.h"
#include "common/platform/identity.h"

namespace restgate::master {
namespace {

/// Signals are for the master, and what it does with them: none may arrive while a child still has its handlers.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// A terminal sends INT and HUP to the whole process group; what they mean is for the master to say.
void ignore_what_is_for_the_master() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  for (const int signo : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaction(signo, &ignore, nullptr);
}

}  // namespace

Spawner::Spawner(Body body, std::function<void()> leave_master, platform::ProcessTitle* title)
    : body_(std::move(body)), leave_master_(std::move(leave_master)), title_(title) {}

Result<pid_t> Spawner::spawn(worker::Heritage heritage, const std::string& title) {
  std::fflush(nullptr);  // or the child would write it a second time
  const AllSignalsBlocked blocked;
  const pid_t master = getpid();
  const pid_t pid = fork();
  if (pid == 0) run_child(std::move(heritage), title, master);
  if (pid < 0) return system_error("cannot fork", errno);
  return pid;
}

Status Spawner::confine(const worker::Heritage& heritage) {
  if (heritage.config != nullptr && heritage.config->identity)
    if (Status became = platform::become(*heritage.config->identity); !became) return became;
  // Ports are the master's to bind. Root's workers keep what lets them read root's files. A filter of system calls that
  // was made for a master without this is no reason not to serve.
  if (geteuid() != 0)
    if (const Status dropped = platform::drop_capabilities(); !dropped)
      log::warn("a worker keeps its master's capabilities",
                {{"worker", heritage.index}, {"error", dropped.error().message}});
  return platform::forbid_new_privileges();
}

// noexcept: an exception that nobody caught is a crash, and shall look like one.
void Spawner::run_child(worker::Heritage heritage, const std::string& title, pid_t master) noexcept {
  if (leave_master_) leave_master_();
  std::vector<int> keep = heritage.listeners;
  keep.insert(keep.end(), heritage.retired_listeners.begin(), heritage.retired_listeners.end());
  for (const worker::MailboxFds& mailbox : heritage.mailboxes) keep.insert(keep.end(), {mailbox.in, mailbox.out});
  keep.insert(keep.end(), {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, heritage.control.fd()});
  if (heritage.access_log >= 0) keep.push_back(heritage.access_log);
  platform::close_descriptors_except(keep);
  platform::reset_signals_in_child();
  ignore_what_is_for_the_master();
  if (const Status confined = confine(heritage); !confined) {
    log::error("a worker cannot give up its privileges",
               {{"worker", heritage.index}, {"error", confined.error().message}});
    platform::leave(1);
  }
  // The worker notices the master's death by its control channel; this is for one whose loop does not turn. Not before
  // the change of user, at which the kernel forgets it.
  if (!platform::die_with_parent(master, SIGTERM)) platform::leave(0);
  if (title_ != nullptr) title_->set(title);
  platform::allow_core();  // after any change of user
  const int code = body_(std::move(heritage));
  std::fflush(nullptr);
  platform::leave(code);
}

}  // namespace restgate::master
