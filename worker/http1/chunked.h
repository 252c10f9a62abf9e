// Decoder of the chunked transfer coding (RFC 9112 §7.1): strict, incremental, without copying. Worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "worker/http1/head.h"

namespace restgate::http1 {

class ChunkedDecoder {
 public:
  enum class Event : uint8_t {
    NeedMore,  ///< all input is used up and the body goes on
    Data,      ///< `data` is the next piece of the body, in place
    End,       ///< the body and its trailer section are complete; what follows belongs to the next message
    Failed,
  };
  struct Step {
    Event event = Event::NeedMore;
    size_t used = 0;  ///< bytes of the input that this step consumed (framing and data)
    std::string_view data;
  };

  /// The most bytes of extensions that one chunk may have.
  static constexpr uint32_t kMaxExtensionBytes = 4096;
  /// Extensions in excess of what chunks carry: the most that may come together over a body. Each chunk makes up for
  /// its data and 16 bytes, so that signed chunks, say, never add up.
  static constexpr uint64_t kMaxExtensionExcess = 16 * 1024;

  /// Of `limits`, max_head_bytes and max_fields bound the trailer section.
  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}
  void reset();
  /// Takes the next step on [begin, end). The caller drops `used` bytes and calls again. A split anywhere is harmless.
  /// After End and Failed it returns the same again and uses nothing.
  Step step(const char* begin, const char* end);
  /// The trailer fields, validated and kept apart from the head's: name and value as "name: value\r\n" lines, rebuilt.
  /// Framing, routing and hop-by-hop fields are left out (RFC 9110 §6.5.1). Valid after End until reset().
  [[nodiscard]] std::string_view trailers() const { return trailers_; }
  /// The fixed code for log and metric, after Failed.
  [[nodiscard]] std::string_view failure() const { return failure_; }

 private:
  enum class State : uint8_t {
    SizeStart,
    Size,
    BeforeSemicolon,  // white space was there: only a further extension may follow
    NameStart,
    Name,
    AfterName,
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    AfterQuoted,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerLine,
    TrailerLf,
    End,
    Failed,
  };

  // These take one byte of framing; false: failed.
  bool take(char c);
  bool take_size(char c);
  bool take_extension(char c);
  bool take_extension_end(char c, bool may_end_line);
  bool take_trailer(char c);
  bool expect(char c, char wanted, State next);
  bool end_size_line();
  bool end_trailer_line();
  bool fail(std::string_view why);

  Limits limits_;
  State state_ = State::SizeStart;
  uint8_t digits_ = 0;
  uint32_t extension_bytes_ = 0;   // of this chunk
  uint64_t extension_excess_ = 0;  // of this body
  uint64_t remaining_ = 0;         // of this chunk's data; while its size is read: the size so far
  uint32_t trailer_bytes_ = 0;
  uint32_t trailer_fields_ = 0;
  std::string line_;  // the trailer line that is not complete yet
  std::string trailers_;
  std::string_view failure_;
};

}  // namespace restgate::http1
