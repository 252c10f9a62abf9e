// Operational log: structured records through glog's sink to stderr, as text or JSON. Any process.
//
// Not for the access log of the data plane (worker/access_log.h batches its own lines).
// A value can never forge a line or a field: everything is escaped. A record is one write, which never waits: what a
// slow reader does not take is dropped, and the next record says how many were (dropped_records). libevent's messages
// and glog's own take the same way; a failed CHECK or a crash adds its stack. Children inherit it all by fork.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace restgate {

enum class LogLevel : uint8_t { Trace, Debug, Info, Warn, Error };
enum class LogFormat : uint8_t { Text, Json };

/// "trace" … "error".
[[nodiscard]] std::string_view to_string(LogLevel level);

namespace log {

/// One key of a record with its value: a string (escaped when written) or a number or a truth value (written bare).
struct Field {
  std::string_view key;
  std::string text;
  bool bare = false;

  Field(std::string_view k, std::string_view v) : key(k), text(v) {}
  Field(std::string_view k, const char* v) : key(k), text(v) {}
  Field(std::string_view k, const std::string& v) : key(k), text(v) {}
  Field(std::string_view k, bool v) : key(k), text(v ? "true" : "false"), bare(true) {}
  template <typename N>
  requires std::is_arithmetic_v<N> Field(std::string_view k, N v) : key(k), text(std::to_string(v)), bare(true) {}
};

using Fields = std::initializer_list<Field>;

/// Starts logging in this process: call once, before the first record, in main. `program` must live as long as the
/// process (a literal). Ignores SIGPIPE; handles the signals of crashes, unless a sanitizer does.
void start(const char* program, LogLevel level, LogFormat format);
/// Changes level and format (a reload); affects this process and what it forks later.
void configure(LogLevel level, LogFormat format);
[[nodiscard]] LogLevel level();
[[nodiscard]] LogFormat format();
[[nodiscard]] bool enabled(LogLevel level);
/// Writes one record if its level is enabled. `msg` is a fixed sentence; what varies goes in `fields`.
void write(LogLevel level, std::string_view msg, Fields fields = {});

inline void trace(std::string_view msg, Fields fields = {}) {
  write(LogLevel::Trace, msg, fields);
}
inline void debug(std::string_view msg, Fields fields = {}) {
  write(LogLevel::Debug, msg, fields);
}
inline void info(std::string_view msg, Fields fields = {}) {
  write(LogLevel::Info, msg, fields);
}
inline void warn(std::string_view msg, Fields fields = {}) {
  write(LogLevel::Warn, msg, fields);
}
inline void error(std::string_view msg, Fields fields = {}) {
  write(LogLevel::Error, msg, fields);
}

}  // namespace log
}  // namespace restgate
