// Exchange: what the demo's backend remembers of one request: its body's beginning, and the timer or the rest of its
// answer. Demo origin process. Owned by libevhtp's request: freed by its fini hook, whatever ends it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/event_loop.h"

struct evhtp_connection;
struct evhtp_request;

namespace restgate::demo {

class Exchange {
 public:
  /// Has every request of the connection get an Exchange and every upload end in it. For a post-accept callback.
  static void install(evhtp_connection* connection);
  /// The Exchange of a request; nullptr before its head is complete.
  static Exchange* find(evhtp_request* request);
  /// Takes the Exchange away from a request whose connection is about to be taken from libevhtp.
  static void discard(evhtp_request* request);

  explicit Exchange(evhtp_request* request) : request_(request) {}

  /// The request as JSON.
  void answer_echo();
  /// `text` as JSON after a while.
  void answer_slowly(EventLoop& loop, uint64_t after_ms);
  /// Server-sent events; count 0: without end.
  void answer_events(EventLoop& loop, uint64_t every_ms, uint64_t count);
  /// A large text, produced as fast as the client takes it.
  void answer_stream(uint64_t bytes);
  /// A JSON text.
  void answer_json(uint16_t status, const std::string& json);

  /// A number of the query; out of bounds: the nearest bound; absent or malformed: `fallback`.
  [[nodiscard]] uint64_t query_number(const char* name, uint64_t fallback, uint64_t low, uint64_t high) const;

  void add_body(const char* data, size_t size);
  /// The client has taken everything: more of a stream.
  void on_drained();

 private:
  void send_tick();
  void send_stream_block();
  [[nodiscard]] bool is_head() const;
  void add_header(const char* name, const std::string& value);

  evhtp_request* request_;
  std::string body_;         ///< the first bytes of the request's body
  uint64_t body_bytes_ = 0;  ///< all of them
  std::unique_ptr<TimerEvent> timer_;
  uint64_t ticks_ = 0;
  uint64_t tick_limit_ = 0;
  uint64_t stream_left_ = 0;
};

}  // namespace restgate::demo
