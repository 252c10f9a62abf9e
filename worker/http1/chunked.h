// Decoder of the chunked transfer coding (RFC 9112 §7.1): strict, incremental, without copying. Worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

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

  explicit ChunkedDecoder(const Limits& limits) : limits_(limits) {}
  void reset();
  /// Takes the next step on [begin, end). The caller drops `used` bytes and calls again. A split anywhere is harmless.
  Step step(const char* begin, const char* end);
  /// The trailer fields, validated and kept apart from the head's: name and value as "name: value\r\n" lines, rebuilt.
  /// Framing, routing and hop-by-hop fields are left out (RFC 9110 §6.5.1). Valid after End until reset().
  [[nodiscard]] std::string_view trailers() const;
  /// The fixed code for log and metric, after Failed.
  [[nodiscard]] std::string_view failure() const { return failure_; }

 private:
  Limits limits_;
  std::string_view failure_;
  // The rest is the implementer's.
};

}  // namespace restgate::http1
