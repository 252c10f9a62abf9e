#include "common/platform/program.h"

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <filesystem>

namespace restgate::platform {
namespace {

/// Close-on-exec for all descriptors but the standard ones.
void close_all_on_exec() {
#ifdef CLOSE_RANGE_CLOEXEC
  if (close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
#endif
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const auto fd = static_cast<int>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    if (fd > STDERR_FILENO) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> lines;
  for (char** line = environ; line != nullptr && *line != nullptr; ++line) lines.emplace_back(*line);
  for (const auto& [name, value] : variables) {
    const std::string prefix = name + "=";
    std::erase_if(lines, [&](const std::string& line) { return line.starts_with(prefix); });
    lines.push_back(prefix + value);
  }
  return lines;
}

sigset_t all_but_faults() {
  sigset_t set;
  sigfillset(&set);
  for (const int signo : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&set, signo);
  return set;
}

}  // namespace

std::string program_path() {
  const auto* started_as = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (started_as == nullptr || *started_as == '\0') return "";
  std::error_code error;
  const std::filesystem::path path = std::filesystem::absolute(started_as, error);
  return error ? "" : path.string();
}

Error become(const Program& program, std::span<const int> kept) {
  std::vector<std::string> arguments = program.arguments;
  std::vector<std::string> environment = environment_with(program.variables);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  close_all_on_exec();
  for (const int fd : kept) fcntl(fd, F_SETFD, 0);
  execve(program.path.c_str(), argv.data(), envp.data());
  const int error = errno;
  for (const int fd : kept) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return system_error("cannot run " + program.path, error);
}

SignalsHeld::SignalsHeld() {
  const sigset_t held = all_but_faults();
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

SignalsHeld::~SignalsHeld() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalsHeld::release_inherited() {
  const sigset_t held = all_but_faults();
  pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

}  // namespace restgate::platform
