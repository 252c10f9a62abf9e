#include "master/upgrade_check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "common/platform/process.h"
#include "master/obituary.h"
#include "master/upgrade_state.h"

namespace restgate::master {
namespace {

constexpr size_t kMaxOutput = 16 * 1024;
constexpr size_t kMaxLines = 20;
/// How `restgate -t` ends that refuses the configuration.
constexpr int kRefused = 1;
/// How a child ends that could not become the program.
constexpr int kNoProgram = 127;

/// In the child: becomes the program, with the pipe as its output and the state as one more descriptor.
[[noreturn]] void run_child(const platform::Program& program, int pipe, int state, pid_t master) {
  platform::reset_signals_in_child();
  setpgid(0, 0);  // so that what it starts can be ended with it
  if (!platform::die_with_parent(master, SIGKILL)) _exit(kNoProgram);
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(pipe, STDOUT_FILENO) < 0 || dup2(pipe, STDERR_FILENO) < 0)
    _exit(kNoProgram);
  const std::array kept = {state};
  const Error error = platform::become(program, kept);
  dprintf(STDERR_FILENO, "%s\n", error.message.c_str());
  _exit(kNoProgram);
}

}  // namespace

int answer_upgrade_check(int state) {
  const auto read = read_upgrade_state(state);
  if (!read) {
    std::printf("%s\n", std::string(kUpgradeDenial).c_str());
    std::fprintf(stderr, "%s\n", read.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", std::string(kUpgradeAgreement).c_str());
  return 0;
}

UpgradeCheck::UpgradeCheck(EventLoop& loop, std::chrono::milliseconds limit)
    : loop_(loop), limit_(limit), deadline_(loop, [this] { on_overdue(); }) {}

UpgradeCheck::~UpgradeCheck() {
  if (pid_ != 0) ::kill(-pid_, SIGKILL);
}

Status UpgradeCheck::start(const platform::Program& program, int state) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  pipe_.reset(ends[0]);
  const UniqueFd far_end(ends[1]);
  fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
  if (!readable_.start_reading(loop_, pipe_.get(), *this)) return system_error("cannot watch a pipe", errno);
  std::fflush(nullptr);
  const platform::SignalsHeld held;  // a child must not run the master's handlers
  const pid_t master = getpid();
  const pid_t pid = fork();
  if (pid == 0) run_child(program, far_end.get(), state, master);
  if (pid < 0) return system_error("cannot fork", errno);
  setpgid(pid, pid);  // whoever is first
  pid_ = pid;
  deadline_.arm(limit_);
  return Ok{};
}

void UpgradeCheck::on_io(IoReady /*ready*/) {
  read_output();
}

void UpgradeCheck::read_output() {
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t got = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) readable_.stop();
    if (got <= 0) return;
    output_.append(chunk.data(), std::min(static_cast<size_t>(got), kMaxOutput - output_.size()));
  }
}

void UpgradeCheck::on_overdue() {
  overdue_ = true;
  if (pid_ != 0) ::kill(-pid_, SIGKILL);
}

bool UpgradeCheck::on_exit(pid_t pid, int status) {
  if (pid_ == 0 || pid != pid_) return false;
  ::kill(-pid_, SIGKILL);  // what it has left behind
  pid_ = 0;
  deadline_.cancel();
  read_output();
  readable_.stop();
  verdict_ = judge(status);
  return true;
}

UpgradeCheck::Verdict UpgradeCheck::judge(int status) const {
  Verdict verdict;
  verdict.output = lines();
  if (overdue_) {
    verdict.reason = "it did not end within " + std::to_string(limit_.count()) + " ms";
  } else if (WIFSIGNALED(status)) {
    verdict.reason = "it was ended by " + signal_name(WTERMSIG(status));
  } else if (WEXITSTATUS(status) == kRefused && said(kUpgradeDenial)) {
    verdict.outcome = Outcome::CannotTakeOver;
    verdict.reason = "it says so";
  } else if (WEXITSTATUS(status) != 0) {
    if (WEXITSTATUS(status) == kRefused) verdict.outcome = Outcome::ConfigurationRefused;
    verdict.reason = "it exited with code " + std::to_string(WEXITSTATUS(status));
  } else if (!said(kUpgradeAgreement)) {
    verdict.outcome = Outcome::CannotTakeOver;
    verdict.reason = "it does not say that it can take over";
  } else {
    verdict.outcome = Outcome::CanTakeOver;
  }
  return verdict;
}

bool UpgradeCheck::said(std::string_view line) const {
  return ("\n" + output_).find("\n" + std::string(line) + "\n") != std::string::npos;
}

std::vector<std::string> UpgradeCheck::lines() const {
  std::vector<std::string> lines;
  for (size_t at = 0; at < output_.size() && lines.size() < kMaxLines;) {
    const size_t end = std::min(output_.find('\n', at), output_.size());
    lines.push_back(output_.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace restgate::master
