#include "master/demo/origin_server.h"

#include <event2/bufferevent.h>
#include <evhtp.h>
#include <strings.h>

#include <string>
#include <string_view>
#include <utility>

#include "master/demo/exchange.h"
#include "master/demo/websocket_connection.h"

namespace restgate::demo {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

evhtp_res on_accept(evhtp_connection_t* connection, void* /*arg*/) {
  Exchange::install(connection);
  return EVHTP_RES_OK;
}

/// The key of a WebSocket handshake (RFC 6455 §4.2.1); nullptr: it is none.
const char* handshake_key(const evhtp_request_t& request) {
  const char* upgrade = evhtp_header_find(request.headers_in, "Upgrade");
  const char* version = evhtp_header_find(request.headers_in, "Sec-WebSocket-Version");
  if (request.method != htp_method_GET || upgrade == nullptr || ::strcasecmp(upgrade, "websocket") != 0) return nullptr;
  if (version == nullptr || std::string_view(version) != "13") return nullptr;
  return evhtp_header_find(request.headers_in, "Sec-WebSocket-Key");
}

}  // namespace

void EvhtpDeleter::operator()(evhtp* server) const {
  evhtp_unbind_socket(server);
  evhtp_free(server);
}

OriginServer::OriginServer(EventLoop& loop, UniqueFd listener) : loop_(loop), server_(evhtp_new(loop.base(), nullptr)) {
  evhtp_set_post_accept_cb(server_.get(), on_accept, nullptr);
  evhtp_set_gencb(server_.get(), on_request, this);
  if (evhtp_accept_socket(server_.get(), listener.get(), 0) != 0) {  // 0: it listens already
    server_.reset();
    return;
  }
  (void)listener.release();  // libevhtp's now
}

OriginServer::~OriginServer() = default;

void OriginServer::on_request(evhtp_request* request, void* self) {
  static_cast<OriginServer*>(self)->answer(request);
}

void OriginServer::answer(evhtp_request* request) {
  Exchange& exchange = *Exchange::find(request);
  const std::string_view path = request->uri->path->full;
  if (path == "/slow") {
    exchange.answer_slowly(loop_, exchange.query_number("ms", 2000, 0, 600'000));
  } else if (path == "/events") {
    exchange.answer_events(loop_, exchange.query_number("every_ms", 1000, 1, 60'000),
                           exchange.query_number("count", 0, 0, UINT64_MAX));
  } else if (path == "/stream") {
    exchange.answer_stream(exchange.query_number("mb", 64, 0, 1024 * 1024) * kMiB);
  } else if (path == "/ws") {
    answer_websocket(request);
  } else {
    exchange.answer_echo();
  }
}

void OriginServer::answer_websocket(evhtp_request* request) {
  const char* key = handshake_key(*request);
  if (key == nullptr) {
    evhtp_headers_add_header(request->headers_out, evhtp_header_new("Upgrade", "websocket", 0, 0));
    evhtp_headers_add_header(request->headers_out, evhtp_header_new("Connection", "Upgrade", 0, 0));
    evhtp_headers_add_header(request->headers_out, evhtp_header_new("Sec-WebSocket-Version", "13", 0, 0));
    Exchange::find(request)->answer_json(426, "{\"error\": \"this path speaks WebSocket, version 13\"}\n");
    return;
  }
  const std::string key_copy = key;
  Exchange::discard(request);
  BuffereventPtr connection(evhtp_connection_take_ownership(request->conn));
  const auto place = websockets_.insert(websockets_.end(), nullptr);
  *place = std::make_unique<WebSocketConnection>(std::move(connection), key_copy,
                                                 [this, place] { websockets_.erase(place); });
}

}  // namespace restgate::demo
