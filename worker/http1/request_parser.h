// RequestParser: the head of one request after the other. Worker; owned by whoever owns the connection's input.
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

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits) : limits_(limits) {}
  /// Ready for another request; the memory of the field list is kept.
  void reset();
  ParseStatus parse(const char* begin, const char* end);
  [[nodiscard]] const RequestHead& head() const { return head_; }
  [[nodiscard]] size_t consumed() const { return cursor_.line; }
  [[nodiscard]] const ParseFailure& failure() const { return failure_; }
  /// Whether any byte of a request has come (empty lines before it do not count).
  [[nodiscard]] bool started() const { return phase_ != Phase::Empty; }

 private:
  enum class Phase : uint8_t { Empty, StartLine, Fields, Done, Failed };

  [[gnu::cold]] ParseStatus fail(Reason why, std::string_view detail);
  ParseStatus skip_empty_lines(const char* begin, const char* stop);
  ParseStatus parse_start_line(const char* begin, const char* stop);
  ParseStatus parse_fields(const char* begin, const char* stop);
  ParseStatus finish();

  const char* take_usual_line(const char* line, const char* stop, size_t& path_size);
  // These return Done for "well so far".
  ParseStatus take_request_line(std::string_view line, size_t& path_size);
  ParseStatus take_version(std::string_view version);
  ParseStatus take_target(size_t path_size);
  ParseStatus take_absolute_target();
  ParseStatus take_field(Field& field);
  ParseStatus take_framing(FramingFields::Verdict verdict);
  ParseStatus take_host(std::string_view value);
  ParseStatus take_expect(Field& field);
  void take_max_forwards(std::string_view value);
  void split_path(std::string_view path_and_query, size_t path_size);

  Limits limits_;
  Phase phase_ = Phase::Empty;
  uint8_t empty_lines_ = 0;
  bool has_host_ = false;
  bool absolute_target_ = false;
  LineCursor cursor_;
  FramingFields framing_;
  ConnectionOptions connection_;
  RequestHead head_;
  ParseFailure failure_;
};

}  // namespace restgate::http1
