// WebSocketConnection: a client connection that has become a WebSocket. Demo origin process; owned by OriginServer.
#pragma once

#include <functional>
#include <memory>

#include "master/demo/websocket.h"

struct bufferevent;

namespace restgate::demo {

struct BuffereventDeleter {
  void operator()(bufferevent* connection) const;
};
using BuffereventPtr = std::unique_ptr<bufferevent, BuffereventDeleter>;

class WebSocketConnection {
 public:
  /// Takes over the connection and answers its handshake. `on_end` is called once, when it is over, and may destroy
  /// the object.
  WebSocketConnection(BuffereventPtr connection, const std::string& key, std::function<void()> on_end);
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

 private:
  static void on_readable(bufferevent* connection, void* self);
  static void on_drained(bufferevent* connection, void* self);
  static void on_event(bufferevent* connection, short events, void* self);
  void read();
  void end();

  BuffereventPtr connection_;
  WebSocketEcho echo_;
  std::function<void()> on_end_;
  bool closing_ = false;
};

}  // namespace restgate::demo
