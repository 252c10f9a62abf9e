// AdminConnection: one client of the admin server: a libevhtp connection with a guard between it and the socket.
// Master.
//
// The guard takes libevent's callbacks of the connection and calls libevhtp's own at the right time. A request is first
// read whole by the strict parser that the data plane uses; libevhtp then gets a head rebuilt from it, one at a time
// and in one piece. That keeps it away from what its version 1.2.18 gets wrong: a request line that comes in pieces
// (it reads past the end of the piece and adds what is there to the path), pipelined requests (they wait until more
// bytes come), a broken request behind a good one (drops the good one's response), error messages on stderr.
//
//   Receiving ──request complete──▶ Responding ──response sent──▶ Receiving …
//       │  └──────answered later──▶ Deferred ─┘
//       ├──────────refused──────▶ Closing ──refusal sent──▶ closed
//       └──────────streamed─────▶ Streaming: events until one of the two leaves
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/event_loop.h"
#include "worker/http1/parser.h"

struct bufferevent;
struct evhtp_connection;
struct evhtp_request;

namespace restgate::master {

struct AdminLimits {
  size_t max_connections = 128;  ///< one more takes the place of the one that has been waiting longest
  size_t max_head_bytes = 8000;  ///< of a request; libevhtp's own limit is 8 KiB a line
  size_t max_fields = 100;
  size_t max_body_bytes = size_t{64} * 1024;  ///< of a request; read to its end
  size_t kept_body_bytes = 4'097;             ///< of which so much is kept; the longest path and a byte
  uint64_t max_requests = 1000;               ///< on one connection
  size_t large_response_bytes = size_t{64} * 1024;
  size_t max_large_responses = 8;                      ///< being sent at the same time; beyond: 503
  size_t max_streams = 16;                             ///< of events; beyond: 503
  size_t max_stream_backlog = size_t{512} * 1024;      ///< not sent yet; what comes then, the client misses
  std::chrono::milliseconds request_timeout{10'000};   ///< from accept, or a request's first byte, to its last one
  std::chrono::milliseconds idle_timeout{75'000};      ///< between two requests
  std::chrono::milliseconds stall_timeout{10'000};     ///< without any progress of a response
  std::chrono::milliseconds response_timeout{60'000};  ///< of a whole response
};

struct AdminRequest {
  std::string_view method;
  std::string_view path;
  std::string_view body;           ///< its beginning, see AdminLimits
  std::string_view authorization;  ///< the field's value; "": none, or several
};

struct AdminResponse {
  uint16_t status = 200;
  const char* content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  ///< shared, since many clients may be reading the same one
  const char* allow = nullptr;              ///< for 405
  const char* retry_after = nullptr;        ///< for 503, seconds
  const char* authenticate = nullptr;       ///< for 401
  const char* content_policy = kNoContent;  ///< Content-Security-Policy

  /// The body is the beginning of a stream, which push() goes on with. Past libevhtp, which knows no such thing.
  bool stream = false;

  static constexpr const char* kNoContent = "default-src 'none'; frame-ancestors 'none'";
};

class AdminConnection;

class AdminConnectionOwner {
 public:
  /// Nothing: AdminConnection::answer() follows later, never from within this call.
  [[nodiscard]] virtual std::optional<AdminResponse> answer(AdminConnection& connection,
                                                            const AdminRequest& request) = 0;
  /// The connection is closed. It may be on the call stack: to be destroyed later, from the event loop.
  virtual void forget(AdminConnection& connection) = 0;

 protected:
  ~AdminConnectionOwner() = default;
};

class AdminConnection {
 public:
  /// Takes over the callbacks of a connection that was just accepted. `owner` and `loop` outlive it.
  AdminConnection(EventLoop& loop, evhtp_connection* connection, const AdminLimits& limits, AdminConnectionOwner& owner,
                  uint64_t serial);
  AdminConnection(const AdminConnection&) = delete;
  AdminConnection& operator=(const AdminConnection&) = delete;
  ~AdminConnection() = default;

  /// Frees the libevhtp connection and closes the socket; the owner is told.
  void close();
  /// The answer that was put off. May close the connection.
  void answer(AdminResponse response);
  /// Takes no more requests: closes after the answer that is due, or at once if none is. A stream ends.
  void finish();

  /// Goes on with a stream. A client that is slow misses it, and all that follows until catch_up(): false.
  bool push(const std::shared_ptr<const std::string>& events);
  [[nodiscard]] bool streaming() const { return state_ == State::Streaming && !closed(); }
  /// Has missed something, and has read all that came before: `greeting` makes up for it.
  [[nodiscard]] bool caught_up() const;
  void catch_up(const std::shared_ptr<const std::string>& greeting);

  [[nodiscard]] bool overdue(int64_t now_ms) const { return now_ms >= deadline_ms_; }
  /// Without a complete request: may be closed to make room.
  [[nodiscard]] bool waiting() const { return state_ == State::Receiving; }
  /// The client is owed something: an answer, or the reading of a request that it has sent, or that it surely will send
  /// (the first one, or the rest of one). False between two requests.
  [[nodiscard]] bool owed() const;
  [[nodiscard]] size_t response_bytes() const { return response_bytes_; }  ///< of the response being sent; or 0
  [[nodiscard]] uint64_t serial() const { return serial_; }

  /// What libevhtp is to call for each request.
  static void on_request(evhtp_request* request, void* unused);

 private:
  enum class State : uint8_t { Receiving, Deferred, Responding, Closing, Streaming };
  using DataCallback = void (*)(bufferevent*, void*);

  static uint16_t on_freed(evhtp_connection* connection, void* self);
  void on_readable();
  void on_sent();
  void on_event(short what);

  void serve();
  [[nodiscard]] bool take_head();
  [[nodiscard]] bool take_body();
  void ask();
  void hand_over(AdminResponse response);
  void respond(evhtp_request& request);
  void refuse(uint16_t status, std::string_view text);
  void begin_stream(const AdminResponse& response);
  void note_authorization(const http1::RequestHead& head);
  void set_deadline(std::chrono::milliseconds after);
  [[nodiscard]] bool closed() const { return connection_ == nullptr; }

  EventLoop& loop_;
  const AdminLimits& limits_;
  AdminConnectionOwner& owner_;
  evhtp_connection* connection_;  ///< owned by libevhtp; null once freed
  bufferevent* bev_;
  DataCallback evhtp_read_ = nullptr;
  DataCallback evhtp_written_ = nullptr;

  State state_ = State::Receiving;
  bool idle_ = false;           ///< after a response, no byte of the next request yet
  bool have_head_ = false;      ///< head read, body not yet
  bool peer_finished_ = false;  ///< the client sends no more
  bool keep_alive_ = false;
  bool finishing_ = false;  ///< no more requests
  std::string method_;
  std::string path_;
  std::string body_;
  std::string authorization_;
  bool lagging_ = false;
  AdminResponse response_;  ///< while libevhtp asks for it
  uint64_t body_left_ = 0;
  uint64_t requests_ = 0;
  size_t response_bytes_ = 0;
  int64_t deadline_ms_ = 0;
  uint64_t serial_;
  http1::RequestParser parser_;
};

}  // namespace restgate::master
