#include "common/platform/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "common/unique_fd.h"

namespace restgate::platform {
namespace {

/// The exit code of a child that becomes a shell with this script.
int exit_code_of(const std::string& script, const std::vector<int>& kept, const std::vector<int>& also_open) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int fd : also_open) fcntl(fd, F_SETFD, 0);
    (void)become({"/bin/sh", {"sh", "-c", script}, {{"A", "1"}, {"HOME", "/elsewhere"}}}, kept);
    _exit(99);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(Program, ThePathIsAbsoluteAndExists) {
  const std::string path = program_path();
  ASSERT_FALSE(path.empty());
  EXPECT_EQ(path[0], '/');
  EXPECT_EQ(access(path.c_str(), X_OK), 0);
}

TEST(Program, TakesWhatItIsGivenAndNothingElse) {
  const UniqueFd kept(dup(STDIN_FILENO));
  const UniqueFd other(dup(STDIN_FILENO));
  const std::string script = "test \"$A\" = 1 && test \"$HOME\" = /elsewhere && test -e /proc/self/fd/" +
                             std::to_string(kept.get()) + " && test ! -e /proc/self/fd/" + std::to_string(other.get());
  EXPECT_EQ(exit_code_of(script, {kept.get()}, {other.get()}), 0);
}

TEST(Program, AFailureLeavesEverythingAsItWas) {
  const UniqueFd kept(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  const std::array fds = {kept.get()};
  const Error error = become({"/nonexistent/program", {"program"}, {}}, fds);
  EXPECT_EQ(error.sys_errno, ENOENT);
  EXPECT_NE(error.message.find("/nonexistent/program"), std::string::npos);
  EXPECT_NE(fcntl(kept.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Program, SignalsWaitWhileTheyAreHeldAlsoForTheNextProgram) {
  const pid_t child = fork();
  if (child == 0) {
    const SignalsHeld held;
    raise(SIGTERM);
    (void)become({"/bin/sh", {"sh", "-c", "exit 7"}, {}}, {});
    _exit(99);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "it waits";
  EXPECT_EQ(WEXITSTATUS(status), 7);

  const pid_t released = fork();
  if (released == 0) {
    const SignalsHeld held;
    raise(SIGTERM);
    SignalsHeld::release_inherited();
    _exit(0);
  }
  ASSERT_EQ(waitpid(released, &status, 0), released);
  EXPECT_TRUE(WIFSIGNALED(status));
}

}  // namespace
}  // namespace restgate::platform
