// ReplyReader: counts complete replies in what a connection of the load client receives. Load client.
//
// A reply is an HTTP response with a Content-Length, a WebSocket message after a 101, or one of the origin's
// server-sent events. Anything else ends the program: a benchmark with errors measures nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace restgate::bench {

class ReplyReader {
 public:
  enum class Kind : uint8_t { Http, WebSocket, Events };

  /// `status`: that of an HTTP response; WebSocket's is 101.
  ReplyReader(Kind kind, unsigned status) : kind_(kind), status_(kind == Kind::WebSocket ? 101 : status) {}
  /// Takes all of these bytes and returns how many replies they completed. The 101 counts, a stream's head does not.
  unsigned take(std::string_view bytes);

 private:
  enum class State : uint8_t { Head, Body, Frame, Stream };

  /// Takes a head or the head of a frame from the front, with what has come of it before.
  void take_head(std::string_view& bytes);
  void take_frame_head(std::string_view& bytes);
  void read_head(std::string_view head);

  Kind kind_;
  unsigned status_;
  State state_ = State::Head;
  bool complete_ = false;  // the head that was read is the whole reply
  std::string begun_;      // the beginning of a head
  uint64_t body_left_ = 0;
};

}  // namespace restgate::bench
