#include "common/log.h"

#include <event2/event.h>
#include <glog/logging.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>

#include "common/log_format.h"
#include "common/log_worker.h"
#include "common/platform/output.h"
#include "common/platform/process.h"

namespace restgate {

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::Trace:
      return "trace";
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Error:
      return "error";
  }
  return "";
}

namespace log {
namespace {

constexpr int kFatalWaitMs = 200;

int64_t realtime_us() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1000;
}

/// The one sink: formats each record and writes it to standard error in one call, or drops and counts it. glog calls
/// it under its lock.
class Sink final : public google::LogSink {
 public:
  std::atomic<LogLevel> level{LogLevel::Info};
  std::atomic<LogFormat> format{LogFormat::Text};
  std::optional<Whose> whose;  ///< set before there can be another thread

  /// The record that log::write() is passing through glog on this thread; null: glog's own message.
  static thread_local const Record* current;

  using LogSink::send;
  void send(google::LogSeverity severity, const char* /*full_filename*/, const char* base_filename, int line,
            const google::LogMessageTime& /*time*/, const char* message, size_t length) override {
    if (current != nullptr) return emit(*current, false);
    // CHECK failures, and what libraries log through glog.
    const Field fields[] = {{"detail", std::string_view(message, length)},
                            {"source", std::string(base_filename) + ':' + std::to_string(line)}};
    const bool fatal = severity == google::GLOG_FATAL;
    Record record;
    record.realtime_us = realtime_us();
    record.level = fatal ? "fatal" : to_string(severity >= google::GLOG_ERROR ? LogLevel::Error : LogLevel::Warn);
    record.msg = fatal ? "a check failed: this process ends" : "message of a library";
    record.fields = fields;
    record.pid = getpid();
    if (severity != google::GLOG_INFO || level <= LogLevel::Debug) emit(record, fatal);
  }

 private:
  void emit(Record record, bool fatal) {
    record.dropped = dropped_;
    record.whose = whose;
    line_.clear();
    if (torn_) line_ += '\n';  // the reader was slow in the middle of the line before
    append_record(line_, format, record);
    const size_t written = write_line(fatal);
    if (written == line_.size()) {
      dropped_ = 0;
      torn_ = false;
      return;
    }
    ++dropped_;
    if (written > 0) torn_ = true;
  }

  size_t write_line(bool fatal) {
    platform::SharedOutput output(STDERR_FILENO);
    size_t written = 0;
    while (written < line_.size()) {
      const ssize_t n = output.write(std::string_view(line_).substr(written));
      if (n > 0) {
        written += static_cast<size_t>(n);
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else if (!(fatal && n < 0 && errno == EAGAIN && output.wait(kFatalWaitMs))) {
        break;
      }
    }
    return written;
  }

  std::string line_;
  uint64_t dropped_ = 0;
  bool torn_ = false;
};

thread_local const Record* Sink::current = nullptr;

/// Never destroyed: records may be written until the very end of the process.
Sink& sink() {
  static Sink* const instance = new Sink;
  return *instance;
}

google::LogSeverity glog_severity(LogLevel level) {
  switch (level) {
    case LogLevel::Trace:
    case LogLevel::Debug:
    case LogLevel::Info:
      return google::GLOG_INFO;
    case LogLevel::Warn:
      return google::GLOG_WARNING;
    case LogLevel::Error:
      return google::GLOG_ERROR;
  }
  return google::GLOG_ERROR;
}

void on_libevent_message(int severity, const char* message) {
  const LogLevel level = severity == EVENT_LOG_ERR    ? LogLevel::Error
                         : severity == EVENT_LOG_WARN ? LogLevel::Warn
                         : severity == EVENT_LOG_MSG  ? LogLevel::Debug
                                                      : LogLevel::Trace;
  write(level, "message of libevent", {{"detail", message}});
}

/// libevent would exit(): a crash with a report is what supervision can tell from a wish to end.
void on_libevent_failure(int /*code*/) {
  std::abort();
}

/// A crash writes its stack to standard error before it takes its course; a sanitizer's own handler is left alone.
void install_crash_handler() {
  struct sigaction fault {};
  struct sigaction term {};
  sigaction(SIGSEGV, nullptr, &fault);
  if (fault.sa_handler != SIG_DFL) return;
  sigaction(SIGTERM, nullptr, &term);
  google::InstallFailureSignalHandler();
  sigaction(SIGTERM, &term, nullptr);  // glog takes SIGTERM for a crash
}

}  // namespace

void start(const char* program, LogLevel level, LogFormat format) {
  configure(level, format);
  platform::ignore_sigpipe();  // the reader of standard error may go away
  if (google::IsGoogleLoggingInitialized()) return;
  // glog's own outputs are off: no files, nothing to standard error but the stack of a failed CHECK.
  FLAGS_logtostderr = false;
  FLAGS_alsologtostderr = false;
  FLAGS_stderrthreshold = google::NUM_SEVERITIES;
  FLAGS_minloglevel = google::GLOG_INFO;
  for (google::LogSeverity severity = 0; severity < google::NUM_SEVERITIES; ++severity)
    google::SetLogDestination(severity, "");
  google::InitGoogleLogging(program);
  google::AddLogSink(&sink());
  install_crash_handler();
  event_set_log_callback(on_libevent_message);
  event_set_fatal_callback(on_libevent_failure);
}

void configure(LogLevel level, LogFormat format) {
  sink().level = level;
  sink().format = format;
}

void name_worker(uint32_t index, uint64_t generation) {
  sink().whose = Whose{index, generation};
}

LogLevel level() {
  return sink().level.load(std::memory_order_relaxed);
}

LogFormat format() {
  return sink().format.load(std::memory_order_relaxed);
}

bool enabled(LogLevel level) {
  return level >= log::level();
}

void write(LogLevel level, std::string_view msg, Fields fields) {
  if (!enabled(level)) return;
  const int saved_errno = errno;
  const Record record{realtime_us(), to_string(level), msg, {fields.begin(), fields.size()}, getpid(), 0, {}};
  Sink::current = &record;
  // Through glog to our sink alone; the sink takes the record itself, with its fields.
  google::LogMessage("", 0, glog_severity(level), &sink(), false).stream() << msg;
  Sink::current = nullptr;
  errno = saved_errno;
}

}  // namespace log
}  // namespace restgate
