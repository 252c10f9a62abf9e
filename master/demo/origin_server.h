// OriginServer: what the demo's backend answers, on libevhtp. Demo origin process.
//
//   /slow?ms=N                 after N milliseconds (2000)
//   /events?every_ms=N&count=N server-sent events (every 1000 ms, without end)
//   /stream?mb=N               N MiB of text (64)
//   /ws                        a WebSocket that sends every message back
//   anything else              the request as JSON
#pragma once

#include <list>
#include <memory>

#include "common/event_loop.h"
#include "common/unique_fd.h"

struct evhtp;
struct evhtp_request;
struct bufferevent;

namespace restgate::demo {

class WebSocketConnection;

struct EvhtpDeleter {
  void operator()(evhtp* server) const;
};

class OriginServer {
 public:
  /// `listener` is bound and listening. The loop outlives the server.
  OriginServer(EventLoop& loop, UniqueFd listener);
  OriginServer(const OriginServer&) = delete;
  OriginServer& operator=(const OriginServer&) = delete;
  ~OriginServer();

  [[nodiscard]] bool serving() const { return server_ != nullptr; }

 private:
  static void on_request(evhtp_request* request, void* self);
  void answer(evhtp_request* request);
  void answer_websocket(evhtp_request* request);

  EventLoop& loop_;
  std::unique_ptr<evhtp, EvhtpDeleter> server_;
  std::list<std::unique_ptr<WebSocketConnection>> websockets_;
};

}  // namespace restgate::demo
