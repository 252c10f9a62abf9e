// Strict, incremental parsers of HTTP/1.1 message heads (RFC 9112 §2-§6). Worker.
//
// Feeding protocol, the same for both: parse(begin, end) gets all bytes of the message that there are; called again, it
// gets the same `begin` and a later `end`, and goes on where it stopped (a split in any place gives the same result).
// If the bytes must move, reset() and start again. After Done, consumed() is the head's length with its empty line,
// and the views of head() point into [begin, begin + consumed()).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http1/head.h"

namespace restgate::http1 {

enum class ParseStatus : uint8_t { NeedMore, Done, Failed };

/// Why a head was refused. `reason` is the fixed code for log and metric ("bad_request_line").
struct ParseFailure {
  uint16_t status = 400;  ///< what the client is told: 400, 414, 431, 501, 505
  std::string_view reason;
};

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits) : limits_(limits) {}
  void reset();
  ParseStatus parse(const char* begin, const char* end);
  [[nodiscard]] const RequestHead& head() const { return head_; }
  [[nodiscard]] size_t consumed() const { return line_; }
  [[nodiscard]] const ParseFailure& failure() const { return failure_; }
  /// Whether any byte of a request has come (empty lines before it do not count).
  [[nodiscard]] bool started() const { return phase_ != Phase::Empty; }

 private:
  enum class Phase : uint8_t { Empty, StartLine, Fields, Done, Failed };
  Limits limits_;
  Phase phase_ = Phase::Empty;
  size_t line_ = 0;  // where the line that is not parsed yet begins
  size_t scan_ = 0;  // up to where its end was looked for
  RequestHead head_;
  ParseFailure failure_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits) : limits_(limits) {}
  /// `request_is_head`: the body rules of a response to HEAD apply.
  void reset(bool request_is_head);
  ParseStatus parse(const char* begin, const char* end);
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] size_t consumed() const { return line_; }
  [[nodiscard]] const ParseFailure& failure() const { return failure_; }

 private:
  enum class Phase : uint8_t { StartLine, Fields, Done, Failed };
  Limits limits_;
  Phase phase_ = Phase::StartLine;
  bool request_is_head_ = false;
  size_t line_ = 0;
  size_t scan_ = 0;
  ResponseHead head_;
  ParseFailure failure_;
};

}  // namespace restgate::http1
