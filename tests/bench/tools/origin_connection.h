// OriginConnection: one connection at the benchmark's origin. As cheap as can be: it trusts that heads are well formed.
// Origin's worker processes; owned by the worker.
//
//   /bytes/N    N bytes                    /ws    echoes WebSocket messages (RFC 6455)
//   /page/N     the same, with more fields /sse   server-sent events, one at each tick of the worker
//   anything    128 bytes
//
// A request body with a Content-Length is read and thrown away. Pipelined requests are answered in one write.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bench/tools/origin_stream.h"

namespace restgate::bench {

class OriginConnection {
 public:
  explicit OriginConnection(OriginStream stream) : stream_(std::move(stream)) {}

  [[nodiscard]] int fd() const { return stream_.fd(); }
  /// Reads, answers and writes as far as the socket allows. `scratch` is what is read into. False: it is over.
  [[nodiscard]] bool on_ready(std::span<char> scratch);
  [[nodiscard]] bool subscribed() const { return mode_ == Mode::Events; }
  /// Sends an event, unless the one before has not left yet.
  [[nodiscard]] bool send_event();

 private:
  enum class Mode : uint8_t { Http, WebSocket, Events };

  /// Takes whole messages from the front and returns what is left.
  std::string_view serve(std::string_view input);
  std::string_view serve_requests(std::string_view input);
  std::string_view echo_frames(std::string_view input);
  void take_head(std::string_view head);
  void answer(std::string_view path);
  void answer_bytes(uint64_t size, std::string_view fields = {});
  [[nodiscard]] bool flush();
  [[nodiscard]] bool output_pending() const { return sent_ < out_.size() || filler_left_ > 0; }

  OriginStream stream_;
  Mode mode_ = Mode::Http;
  bool close_after_ = false;
  std::string in_;            // the beginning of a message
  std::string path_;          // of the request whose body is being read
  uint64_t body_left_ = 0;    // of that body
  std::string out_;           // not written yet
  size_t sent_ = 0;           // of out_
  uint64_t filler_left_ = 0;  // body bytes that follow out_
};

}  // namespace restgate::bench
