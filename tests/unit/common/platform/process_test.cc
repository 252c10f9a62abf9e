#include "common/platform/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "common/unique_fd.h"

namespace restgate::platform {
namespace {

/// Runs `body` in a child process; its result is the exit code.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

TEST(Process, ClosesAllDescriptorsButThose) {
  EXPECT_EQ(in_child([] {
              for (const int fd : {50, 51, 52, 60, 700}) dup2(STDERR_FILENO, fd);
              const int keep[] = {700, 2, 51, -1, 60, 51};
              close_descriptors_except(keep);
              for (const int fd : keep)
                if (fd >= 0 && !is_open(fd)) return 1;
              for (const int fd : {0, 1, 50, 52})
                if (is_open(fd)) return 2;
              return 0;
            }),
            0);
}

TEST(Process, LeavesWithThatCodeAndWithoutCleaningUp) {
  EXPECT_EQ(in_child([] {
              std::atexit([] { _exit(1); });
              leave(7);
              return 2;
            }),
            7);
}

TEST(Process, ClosesAllWhenNothingIsKept) {
  EXPECT_EQ(in_child([] {
              close_descriptors_except({});
              return is_open(0) || is_open(1) || is_open(2) ? 1 : 0;
            }),
            0);
}

TEST(Process, AChildStartsWithCleanSignals) {
  EXPECT_EQ(in_child([] {
              signal(SIGTERM, [](int) {});
              signal(SIGHUP, SIG_IGN);
              signal(SIGSEGV, [](int) {});
              sigset_t all;
              sigfillset(&all);
              sigprocmask(SIG_SETMASK, &all, nullptr);
              reset_signals_in_child();
              const auto handler_of = [](int signo) {
                struct sigaction action {};
                sigaction(signo, nullptr, &action);
                return action.sa_handler;
              };
              if (handler_of(SIGTERM) != SIG_DFL || handler_of(SIGHUP) != SIG_DFL) return 1;
              if (handler_of(SIGPIPE) != SIG_IGN) return 2;
              if (handler_of(SIGSEGV) == SIG_DFL) return 3;
              sigset_t now;
              sigprocmask(SIG_SETMASK, nullptr, &now);
              return sigismember(&now, SIGTERM) == 1 ? 4 : 0;
            }),
            0);
}

TEST(Process, SigpipeIsIgnored) {
  EXPECT_EQ(in_child([] {
              ignore_sigpipe();
              int fds[2];
              if (pipe(fds) != 0) return 1;
              close(fds[0]);
              return write(fds[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
            }),
            0);
}

/// A pipe shows which of the processes that hold its writing end are alive.
struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
  Pipe() {
    int fds[2];
    if (pipe(fds) != 0) return;
    reader.reset(fds[0]);
    writer.reset(fds[1]);
  }
};

TEST(Process, DiesWithItsParent) {
  Pipe alive;
  const pid_t parent = fork();
  if (parent == 0) {
    Pipe armed;
    const pid_t self = getpid();
    if (fork() == 0) {
      const char ok = die_with_parent(self, SIGKILL) ? 'y' : 'n';
      (void)!write(armed.writer.get(), &ok, 1);
      for (;;) pause();
    }
    char answer = 0;
    (void)!read(armed.reader.get(), &answer, 1);
    _exit(answer == 'y' ? 0 : 1);  // the child must go now
  }
  int status = 0;
  ASSERT_EQ(waitpid(parent, &status, 0), parent);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  alive.writer.reset();
  char byte = 0;
  EXPECT_EQ(read(alive.reader.get(), &byte, 1), 0);  // end of file: the grandchild is gone too
}

TEST(Process, KnowsThatItsParentIsGoneAlready) {
  EXPECT_EQ(in_child([] { return die_with_parent(getppid() + 1, SIGKILL) ? 1 : 0; }), 0);
}

TEST(Process, RaisesTheLimitOfDescriptors) {
  EXPECT_EQ(in_child([] {
              rlimit limit{};
              getrlimit(RLIMIT_NOFILE, &limit);
              const rlim_t hard = limit.rlim_max;
              limit.rlim_cur = 64;
              setrlimit(RLIMIT_NOFILE, &limit);
              if (raise_nofile_limit() != hard) return 1;
              getrlimit(RLIMIT_NOFILE, &limit);
              return limit.rlim_cur == hard ? 0 : 2;
            }),
            0);
}

std::string file(const char* path) {
  std::ifstream stream(path);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

TEST(Process, TheNameIsSeen) {
  EXPECT_EQ(in_child([] {
              set_thread_name("a-name-that-is-too-long");
              return file("/proc/self/comm") == "a-name-that-is-\n" ? 0 : 1;
            }),
            0);
}

/// argv and environ in one area, as the kernel lays them out.
struct Arguments {
  std::vector<char> area;
  std::vector<char*> argv;
  std::vector<char*> variables;
  Arguments(const std::vector<std::string>& words, const std::vector<std::string>& environment) {
    size_t size = 0;
    for (const auto* list : {&words, &environment})
      for (const std::string& text : *list) size += text.size() + 1;
    area.resize(size + 8, '#');
    char* at = area.data();
    const auto place = [&at](const std::vector<std::string>& list, std::vector<char*>& pointers) {
      for (const std::string& text : list) {
        pointers.push_back(at);
        at = std::copy_n(text.c_str(), text.size() + 1, at);
      }
      pointers.push_back(nullptr);
    };
    place(words, argv);
    place(environment, variables);
  }
};

TEST(ProcessTitle, TakesTheRoomOfArgumentsAndEnvironment) {
  EXPECT_EQ(in_child([] {
              Arguments arguments({"restgate", "-config", "x"}, {"HOME=/root", "LANG=C"});
              environ = arguments.variables.data();
              ProcessTitle title(3, arguments.argv.data());
              if (std::string(getenv("HOME")) != "/root" || std::string(getenv("LANG")) != "C") return 1;
              title.set("restgate: worker 3");
              if (std::string(arguments.area.data()) != "restgate: worker 3") return 2;
              title.set("short");
              if (std::string(arguments.area.data()) != "short") return 3;
              title.set(std::string(200, 'x'));
              const std::string all(arguments.area.data(), arguments.area.size());
              const size_t room = arguments.area.size() - 8;
              if (all != std::string(room - 1, 'x') + '\0' + "########") return 4;
              return std::string(getenv("HOME")) == "/root" && arguments.argv[1] == nullptr ? 0 : 5;
            }),
            0);
}

TEST(ProcessTitle, DoesWithoutAnEnvironmentBehindTheArguments) {
  EXPECT_EQ(in_child([] {
              Arguments arguments({"restgate", "-t"}, {});
              char elsewhere[] = "A=b";
              char* variables[] = {elsewhere, nullptr};
              environ = variables;
              ProcessTitle title(2, arguments.argv.data());
              title.set("restgate: a long title");
              if (std::string(arguments.area.data()) != "restgate: a") return 1;
              return std::string(getenv("A")) == "b" ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace restgate::platform
