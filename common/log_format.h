// How log records are written: escaping, time stamps, whole records as text or JSON. Any process.
//
// The functions append to a string of the caller's and allocate nothing else; clean values, the common case, cost one
// scan of eight bytes at a time. The access log uses them for every request.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/log.h"

namespace restgate {

/// Appends a JSON string (RFC 8259 §7) with its quotes. Bytes that are not UTF-8 become U+FFFD each; control characters
/// (also C1, DEL) and those that break or reorder lines on a terminal are written as \uXXXX.
void append_json_string(std::string& to, std::string_view value);

/// Appends the value of a text record's key=value: bare, or in quotes when it is empty or holds a space, '=', '"', '\'
/// or anything that must be escaped: \n \t \r \" \\, and \xNN for each byte of what else is not printable UTF-8.
void append_text_value(std::string& to, std::string_view value);

/// Appends the sentence of a text record: like a value, but without quotes around it.
void append_text_message(std::string& to, std::string_view message);

/// Whether append_json_string() would put just quotes around it; append_text_value() would change nothing.
[[nodiscard]] bool is_plain_json(std::string_view value);
[[nodiscard]] bool is_plain_text(std::string_view value);

/// Appends "2026-01-02T03:04:05.678901Z" for microseconds since 1970 (RFC 3339; the years 0 to 9999).
void append_rfc3339(std::string& to, int64_t realtime_us);

namespace log {

/// The worker that a process is.
struct Whose {
  uint32_t worker = 0;  ///< index
  uint64_t generation = 0;
};

/// A record before it is written.
struct Record {
  int64_t realtime_us = 0;
  std::string_view level;  ///< "info"
  std::string_view msg;
  std::span<const Field> fields;
  int64_t pid = 0;
  uint64_t dropped = 0;  ///< records lost before this one
  std::optional<Whose> whose{};
};

/// Appends the record as one line with its end.
void append_record(std::string& to, LogFormat format, const Record& record);

}  // namespace log
}  // namespace restgate
