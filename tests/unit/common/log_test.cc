#include "common/log.h"

#include <event2/event.h>
#include <fcntl.h>
#include <glog/logging.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "common/log_worker.h"
#include "common/unique_fd.h"

namespace restgate {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What the child wrote to standard error, and how it ended (as waitpid() tells).
struct Outcome {
  std::string written;
  int status = 0;
};

/// Runs `body` in a child process with standard error in a pipe: glog is one per process.
Outcome in_child(const std::function<void()>& body) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(fds[1], STDERR_FILENO);
    close(fds[0]);
    close(fds[1]);
    body();
    _exit(0);
  }
  close(fds[1]);
  const UniqueFd reader(fds[0]);
  Outcome outcome;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(reader.get(), buffer, sizeof buffer)) > 0;)
    outcome.written.append(buffer, static_cast<size_t>(n));
  EXPECT_EQ(waitpid(child, &outcome.status, 0), child);
  return outcome;
}

TEST(Log, ThoseOfAWorkerSayWhose) {
  for (const LogFormat format : {LogFormat::Text, LogFormat::Json}) {
    const auto outcome = in_child([format] {
      log::start("test", LogLevel::Info, format);
      log::name_worker(3, 17);
      log::info("it works");
      LOG(ERROR) << "a library's";
    });
    const std::string whose =
        format == LogFormat::Text ? " worker=3 generation=17\n" : ",\"worker\":3,\"generation\":17}\n";
    size_t lines = 0;
    for (size_t at = 0; (at = outcome.written.find(whose, at)) != std::string::npos; at += whose.size()) ++lines;
    EXPECT_EQ(lines, 2U) << outcome.written;
  }
}

TEST(Log, WritesARecordWithItsFields) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    log::info("it started", {{"port", 7000}, {"file", "a b"}});
  });
  EXPECT_THAT(outcome.written, testing::MatchesRegex("....-..-..T..:..:..\\.......Z INFO  it started port=7000 "
                                                     "file=\"a b\" pid=[0-9]+\n"));
}

TEST(Log, WritesJson) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Json);
    log::error("it \"failed\"", {{"error", "a\nb\xff"}, {"count", 3}});
  });
  const auto record = nlohmann::json::parse(outcome.written);
  EXPECT_EQ(record["level"], "error");
  EXPECT_EQ(record["msg"], "it \"failed\"");
  EXPECT_EQ(record["error"], "a\nb\ufffd");
  EXPECT_EQ(record["count"], 3);
  EXPECT_TRUE(record["pid"].is_number());
}

TEST(Log, LevelAndFormatCanChange) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Warn, LogFormat::Text);
    log::info("hidden");
    log::configure(LogLevel::Trace, LogFormat::Json);
    log::trace("seen");
  });
  EXPECT_THAT(outcome.written, Not(HasSubstr("hidden")));
  EXPECT_EQ(nlohmann::json::parse(outcome.written)["level"], "trace");
}

TEST(Log, EachLevelLetsThroughItselfAndWhatIsWorse) {
  for (const LogLevel set : {LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error}) {
    log::configure(set, LogFormat::Text);
    EXPECT_EQ(log::level(), set);
    for (const LogLevel of : {LogLevel::Trace, LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error})
      EXPECT_EQ(log::enabled(of), of >= set) << to_string(of) << " at " << to_string(set);
  }
  log::configure(LogLevel::Info, LogFormat::Text);
}

TEST(Log, KeepsErrno) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    errno = ENOENT;
    log::info("one");
    if (errno != ENOENT) log::error("errno was changed");
  });
  EXPECT_THAT(outcome.written, Not(HasSubstr("changed")));
}

TEST(Log, WorksInAChildAfterFork) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    log::info("parent");
    const pid_t child = fork();
    if (child == 0) {
      log::info("child", {{"mine", getpid()}});
      _exit(0);
    }
    waitpid(child, nullptr, 0);
  });
  EXPECT_THAT(outcome.written, HasSubstr("INFO  parent"));
  EXPECT_THAT(outcome.written, testing::ContainsRegex("INFO  child mine=([0-9]+) pid=[0-9]+\n"));
}

TEST(Log, AFullPipeCostsRecordsNotTime) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    int fds[2];
    if (pipe(fds) != 0) _exit(1);
    const int keep = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    int flags = fcntl(fds[1], F_GETFL);
    if ((flags & O_NONBLOCK) != 0) _exit(2);
    for (int i = 0; i < 2'000; ++i) log::info("this fills the pipe", {{"padding", std::string(100, 'x')}});
    // It would hang here if a record waited; and the pipe's own mode must not have changed.
    flags = fcntl(fds[1], F_GETFL);
    if ((flags & O_NONBLOCK) != 0) _exit(3);
    dup2(keep, STDERR_FILENO);
    log::info("after");
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.written, testing::ContainsRegex("INFO  after dropped_records=[0-9]+ pid="));
}

TEST(Log, AVanishedReaderIsHarmless) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    int fds[2];
    if (pipe(fds) != 0) _exit(1);
    const int keep = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    close(fds[0]);
    log::info("nobody reads this");
    dup2(keep, STDERR_FILENO);
    log::info("after");
  });
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.written, HasSubstr("INFO  after dropped_records=1 pid="));
}

TEST(Log, TakesMessagesOfLibevent) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    event_base* base = event_base_new();
    event* bad = event_new(
        base, 9'999, EV_READ, [](evutil_socket_t, short, void*) {}, nullptr);
    event_add(bad, nullptr);  // no such descriptor: libevent warns
  });
  EXPECT_THAT(outcome.written, HasSubstr("WARN  message of libevent detail=\""));
}

TEST(Log, AFailedCheckIsToldWithItsStack) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Error, LogFormat::Json);
    CHECK_EQ(1, 2) << "for\nged";
  });
  EXPECT_TRUE(WIFSIGNALED(outcome.status));
  EXPECT_EQ(WTERMSIG(outcome.status), SIGABRT);
  const auto record = nlohmann::json::parse(outcome.written.substr(0, outcome.written.find('\n')));
  EXPECT_EQ(record["level"], "fatal");
  EXPECT_THAT(record["detail"], HasSubstr("Check failed: 1 == 2"));
  EXPECT_THAT(record["source"], HasSubstr("log_test.cc:"));
  EXPECT_THAT(outcome.written, HasSubstr("Check failure stack trace"));
}

TEST(Log, ACrashLeavesItsStack) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    raise(SIGSEGV);
  });
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.written, HasSubstr("SEGV"));  // glog's report, or a sanitizer's
}

TEST(Log, TerminationIsNoCrash) {
  const auto outcome = in_child([] {
    log::start("test", LogLevel::Info, LogFormat::Text);
    raise(SIGTERM);
  });
  EXPECT_TRUE(WIFSIGNALED(outcome.status));
  EXPECT_EQ(WTERMSIG(outcome.status), SIGTERM);
  EXPECT_EQ(outcome.written, "");
}

}  // namespace
}  // namespace restgate
