#include "master/demo/exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <evhtp.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>

namespace restgate::demo {
namespace {

constexpr size_t kMaxEchoedBody = 64 * 1024;    // more is counted, not sent back
constexpr size_t kMaxQueuedEvents = 64 * 1024;  // a client that does not read misses ticks
constexpr size_t kStreamBlock = 64 * 1024;

struct BufferDeleter {
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
};
using Buffer = std::unique_ptr<evbuffer, BufferDeleter>;

/// libevhtp takes every hook as a function without parameters; void(*)() is the one type that casts to any other.
template <typename Function>
evhtp_hook as_hook(Function* function) {
  return reinterpret_cast<evhtp_hook>(reinterpret_cast<void (*)()>(function));
}

evhtp_res on_fini(evhtp_request_t* /*request*/, void* exchange) {
  delete static_cast<Exchange*>(exchange);
  return EVHTP_RES_OK;
}

evhtp_res on_headers(evhtp_request_t* request, evhtp_headers_t* /*headers*/, void* /*arg*/) {
  auto exchange = std::make_unique<Exchange>(request);
  evhtp_request_set_hook(request, evhtp_hook_on_request_fini, as_hook(on_fini), exchange.release());
  return EVHTP_RES_OK;
}

evhtp_res on_body(evhtp_request_t* request, evbuffer* data, void* /*arg*/) {
  const size_t size = evbuffer_get_length(data);
  const auto* bytes = reinterpret_cast<const char*>(evbuffer_pullup(data, static_cast<ev_ssize_t>(size)));
  Exchange::find(request)->add_body(bytes, size);
  evbuffer_drain(data, size);  // else libevhtp would keep a body of any size
  return EVHTP_RES_OK;
}

evhtp_res on_write(evhtp_connection_t* connection, void* /*arg*/) {
  // A pipelined request may have taken the place of the one whose answer has just been sent.
  Exchange* exchange = connection->request != nullptr ? Exchange::find(connection->request) : nullptr;
  if (exchange != nullptr) exchange->on_drained();
  return EVHTP_RES_OK;
}

/// Lines of 64 bytes, so that a person sees progress and a test can check any offset.
const std::string& stream_block() {
  static const std::string block = [] {
    std::string text;
    text.reserve(kStreamBlock);
    while (text.size() < kStreamBlock) text += "0123456789 RESTGate demo: a large body, as fast as you read it.\n";
    text.resize(kStreamBlock);
    return text;
  }();
  return block;
}

nlohmann::ordered_json headers_as_json(const evhtp_headers_t& headers) {
  auto object = nlohmann::ordered_json::object();
  for (const evhtp_header_t* header = headers.tqh_first; header != nullptr; header = header->next.tqe_next) {
    nlohmann::ordered_json& value = object[header->key];
    if (value.is_null()) {
      value = header->val;
    } else {
      if (!value.is_array()) value = nlohmann::ordered_json::array({value});
      value.push_back(header->val);
    }
  }
  return object;
}

std::string dump(const nlohmann::ordered_json& json) {
  // Bytes that are no UTF-8 (a binary body) are shown as replacement characters.
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void Exchange::install(evhtp_connection* connection) {
  evhtp_connection_set_hook(connection, evhtp_hook_on_headers, as_hook(on_headers), nullptr);
  evhtp_connection_set_hook(connection, evhtp_hook_on_read, as_hook(on_body), nullptr);
  evhtp_connection_set_hook(connection, evhtp_hook_on_write, as_hook(on_write), nullptr);
}

Exchange* Exchange::find(evhtp_request* request) {
  return request->hooks != nullptr ? static_cast<Exchange*>(request->hooks->on_request_fini_arg) : nullptr;
}

void Exchange::discard(evhtp_request* request) {
  const std::unique_ptr<Exchange> exchange(find(request));
  evhtp_request_unset_hook(request, evhtp_hook_on_request_fini);
}

void Exchange::add_body(const char* data, size_t size) {
  body_bytes_ += size;
  body_.append(data, std::min(size, kMaxEchoedBody - body_.size()));
}

bool Exchange::is_head() const {
  return request_->method == htp_method_HEAD;
}

void Exchange::add_header(const char* name, const std::string& value) {
  evhtp_headers_add_header(request_->headers_out, evhtp_header_new(name, value.c_str(), 1, 1));
}

uint64_t Exchange::query_number(const char* name, uint64_t fallback, uint64_t low, uint64_t high) const {
  const char* text = request_->uri->query != nullptr ? evhtp_kv_find(request_->uri->query, name) : nullptr;
  if (text == nullptr) return fallback;
  const char* const end = text + std::strlen(text);
  uint64_t value = 0;
  const auto [stop, error] = std::from_chars(text, end, value);
  return error == std::errc() && stop == end ? std::clamp(value, low, high) : fallback;
}

void Exchange::answer_json(uint16_t status, const std::string& json) {
  add_header("Content-Type", "application/json");
  add_header("Content-Length", std::to_string(json.size()));
  if (!is_head()) evbuffer_add(request_->buffer_out, json.data(), json.size());
  evhtp_send_reply(request_, status);
}

void Exchange::answer_echo() {
  const auto* query = reinterpret_cast<const char*>(request_->uri->query_raw);
  nlohmann::ordered_json json = {
      {"service", "demo"},
      {"method", htparser_get_methodstr_m(request_->method)},
      {"path", request_->uri->path->full},
      {"query", query != nullptr ? query : ""},
      {"headers", headers_as_json(*request_->headers_in)},
      {"body", body_},
      {"body_bytes", body_bytes_},
  };
  answer_json(EVHTP_RES_OK, dump(json));
}

void Exchange::answer_slowly(EventLoop& loop, uint64_t after_ms) {
  timer_ = std::make_unique<TimerEvent>(loop, [this, after_ms] {
    answer_json(EVHTP_RES_OK, dump({{"service", "demo"}, {"waited_ms", after_ms}}));
  });
  timer_->arm(std::chrono::milliseconds(after_ms));
}

void Exchange::answer_events(EventLoop& loop, uint64_t every_ms, uint64_t count) {
  add_header("Content-Type", "text/event-stream");
  add_header("Cache-Control", "no-store");
  evhtp_send_reply_chunk_start(request_, EVHTP_RES_OK);
  if (is_head()) {
    evhtp_send_reply_end(request_);
    return;
  }
  tick_limit_ = count;
  timer_ = std::make_unique<TimerEvent>(loop, [this] { send_tick(); });
  timer_->arm_every(std::chrono::milliseconds(every_ms));
  send_tick();
}

void Exchange::send_tick() {
  evbuffer* queued = bufferevent_get_output(request_->conn->bev);
  if (evbuffer_get_length(queued) > kMaxQueuedEvents) return;
  ++ticks_;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t unix_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const Buffer chunk(evbuffer_new());
  evbuffer_add_printf(chunk.get(), "id: %llu\nevent: tick\ndata: {\"tick\": %llu, \"unix_ms\": %lld}\n\n",
                      static_cast<unsigned long long>(ticks_), static_cast<unsigned long long>(ticks_),
                      static_cast<long long>(unix_ms));
  evhtp_send_reply_chunk(request_, chunk.get());
  if (ticks_ == tick_limit_) {
    timer_->cancel();
    evhtp_send_reply_chunk_end(request_);
  }
}

void Exchange::answer_stream(uint64_t bytes) {
  add_header("Content-Type", "text/plain");
  add_header("Content-Length", std::to_string(bytes));
  evhtp_send_reply_start(request_, EVHTP_RES_OK);
  if (is_head() || bytes == 0) {
    evhtp_send_reply_end(request_);
    return;
  }
  stream_left_ = bytes;
  send_stream_block();
}

void Exchange::on_drained() {
  if (stream_left_ > 0) send_stream_block();
}

void Exchange::send_stream_block() {
  const std::string& block = stream_block();
  const size_t size = static_cast<size_t>(std::min<uint64_t>(stream_left_, block.size()));
  stream_left_ -= size;
  evbuffer_add_reference(bufferevent_get_output(request_->conn->bev), block.data(), size, nullptr, nullptr);
  if (stream_left_ == 0) evhtp_send_reply_end(request_);
}

}  // namespace restgate::demo
