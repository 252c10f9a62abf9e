// ResponseParser: the head of one response after the other, interim ones included. Worker; owned by a backend
// connection.
//
// The feeding protocol is in worker/http1/parser.h. No allocation once the field list has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "worker/http1/framing.h"
#include "worker/http1/head.h"
#include "worker/http1/line_scanner.h"
#include "worker/http1/parse_result.h"

namespace restgate::http1 {

class ResponseParser {
 public:
  explicit ResponseParser(const Limits& limits) : limits_(limits) {}
  /// Ready for another response; the memory of the field list is kept.
  /// `request_is_head`: the body rules of a response to HEAD apply.
  void reset(bool request_is_head);
  ParseStatus parse(const char* begin, const char* end);
  [[nodiscard]] const ResponseHead& head() const { return head_; }
  [[nodiscard]] size_t consumed() const { return cursor_.line; }
  /// Always BackendBadResponse; `detail` tells what was wrong.
  [[nodiscard]] const ParseFailure& failure() const { return failure_; }

 private:
  enum class Phase : uint8_t { StartLine, Fields, Done, Failed };

  [[gnu::cold]] ParseStatus fail(std::string_view detail);
  ParseStatus parse_start_line(const char* begin, const char* stop);
  ParseStatus parse_fields(const char* begin, const char* stop);
  ParseStatus finish();

  // These return Done for "well so far".
  ParseStatus take_status_line(std::string_view line);
  ParseStatus take_field(const Field& field);
  ParseStatus take_framing(FramingFields::Verdict verdict);

  Limits limits_;
  Phase phase_ = Phase::StartLine;
  bool request_is_head_ = false;
  LineCursor cursor_;
  FramingFields framing_;
  ConnectionOptions connection_;
  ResponseHead head_;
  ParseFailure failure_;
};

}  // namespace restgate::http1
