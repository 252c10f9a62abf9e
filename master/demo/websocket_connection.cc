#include "master/demo/websocket_connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <utility>

namespace restgate::demo {
namespace {

/// A client that sends and does not read is not read from either.
constexpr size_t kMaxQueued = 2 * WebSocketEcho::kMaxMessageBytes;

/// How long a client may take to close after us.
constexpr timeval kLinger = {2, 0};

}  // namespace

void BuffereventDeleter::operator()(bufferevent* connection) const {
  bufferevent_free(connection);
}

WebSocketConnection::WebSocketConnection(BuffereventPtr connection, const std::string& key,
                                         std::function<void()> on_end)
    : connection_(std::move(connection)), on_end_(std::move(on_end)) {
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\n"
      "Upgrade: websocket\r\n"
      "Connection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      websocket_accept(key) + "\r\n\r\n";
  bufferevent_write(connection_.get(), head.data(), head.size());
  bufferevent_setcb(connection_.get(), on_readable, on_drained, on_event, this);
  bufferevent_enable(connection_.get(), EV_READ | EV_WRITE);
}

void WebSocketConnection::on_readable(bufferevent* /*connection*/, void* self) {
  static_cast<WebSocketConnection*>(self)->read();
}

void WebSocketConnection::on_drained(bufferevent* connection, void* self) {
  auto* socket = static_cast<WebSocketConnection*>(self);
  if (socket->closing_) {
    // Closing now, with input unread, would reset the connection and might lose the close frame.
    ::shutdown(bufferevent_getfd(connection), SHUT_WR);
    bufferevent_set_timeouts(connection, &kLinger, nullptr);
  }
  bufferevent_enable(connection, EV_READ);
}

void WebSocketConnection::on_event(bufferevent* /*connection*/, short /*events*/, void* self) {
  static_cast<WebSocketConnection*>(self)->end();  // end of file, an error, or the time to linger
}

void WebSocketConnection::read() {
  evbuffer* input = bufferevent_get_input(connection_.get());
  if (closing_) {
    evbuffer_drain(input, evbuffer_get_length(input));
    return;
  }
  std::array<char, 16 * 1024> block;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  std::string out;
  while (!closing_ && evbuffer_get_length(input) > 0) {
    const int size = evbuffer_remove(input, block.data(), block.size());
    if (size <= 0) break;
    closing_ = !echo_.feed({block.data(), static_cast<size_t>(size)}, out);
  }
  bufferevent_write(connection_.get(), out.data(), out.size());
  const bool full = evbuffer_get_length(bufferevent_get_output(connection_.get())) > kMaxQueued;
  if (closing_ || full) bufferevent_disable(connection_.get(), EV_READ);
}

void WebSocketConnection::end() {
  // The function may destroy this object, and with it itself.
  const std::function<void()> on_end = std::move(on_end_);
  on_end();
}

}  // namespace restgate::demo
