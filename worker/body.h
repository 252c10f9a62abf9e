// The two ends of a message body on its way through: BodyReader takes the framing off, BodyWriter puts ours on. Worker.
//
// The framing that a peer sees is always rebuilt from what was parsed (RFC 9112 §6, §7), never passed on.
#pragma once

#include <cstdint>
#include <string_view>

#include "worker/buffer_pool.h"
#include "worker/http1/chunked.h"
#include "worker/http1/head.h"
#include "worker/outbox.h"

namespace restgate::worker {

/// Finds the pieces and the end of one body in the bytes of a connection.
class BodyReader {
 public:
  using Step = http1::ChunkedDecoder::Step;
  using Event = http1::ChunkedDecoder::Event;

  explicit BodyReader(const http1::Limits& limits) : chunked_(limits) {}
  void start(http1::BodyKind kind, uint64_t content_length);
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  Step step(const char* begin, const char* end);
  /// What is left of a body whose length was said; 0 of others: their bytes must be looked at.
  [[nodiscard]] uint64_t bytes_left() const { return kind_ == http1::BodyKind::Length ? remaining_ : 0; }
  /// So many of those went another way than through step().
  void passed(uint64_t bytes) {
    remaining_ -= bytes;
    bytes_ += bytes;
    done_ = remaining_ == 0;
  }
  /// The connection has ended. True: that is a proper end of this body (UntilClose).
  [[nodiscard]] bool end_of_file();
  [[nodiscard]] std::string_view trailers() const { return chunked_.trailers(); }
  [[nodiscard]] http1::BodyKind kind() const { return kind_; }

 private:
  http1::BodyKind kind_ = http1::BodyKind::None;
  bool done_ = true;
  uint64_t remaining_ = 0;
  uint64_t bytes_ = 0;  // of content, without framing
  http1::ChunkedDecoder chunked_;
};

/// What pump_body() came to.
enum class BodyProgress : uint8_t {
  NeedInput,  ///< all of the buffer is used up
  Produced,   ///< the outbox has something to write; the buffer may hold more
  Ended,      ///< the body's last bytes are in the outbox
  Malformed,
};

/// Moves what the buffer holds of the body into the outbox, in place, with new framing: `chunked` wraps it in chunks.
/// `limit`: the most bytes the body may have; 0: no limit. `trailers`: pass the trailer section on.
struct BodyFraming {
  bool chunked = false;
  bool trailers = false;
};
BodyProgress pump_body(BodyReader& reader, Buffer& from, Outbox& to, BodyFraming framing);
/// Adds the end of a chunked body to the outbox.
void add_last_chunk(Outbox& to, std::string_view trailers);

}  // namespace restgate::worker
