#include "master/admin_connection.h"

#include <evhtp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <new>
#include <utility>

#include "worker/http1/char_class.h"
#include "worker/http1/writer.h"

namespace restgate::master {
namespace {

struct EvbufferDeleter {
  void operator()(evbuffer* buffer) const { evbuffer_free(buffer); }
};
using EvbufferPtr = std::unique_ptr<evbuffer, EvbufferDeleter>;

http1::Limits parser_limits(const AdminLimits& limits) {
  return {.max_head_bytes = static_cast<uint32_t>(limits.max_head_bytes),
          .max_fields = static_cast<uint32_t>(limits.max_fields),
          .max_target_bytes = static_cast<uint32_t>(limits.max_head_bytes)};
}

void add_header(evhtp_request_t& request, const char* name, const char* value) {
  evhtp_headers_add_header(request.headers_out, evhtp_header_new(name, value, 0, 1));
}

void add_body(evbuffer* to, const std::shared_ptr<const std::string>& body) {
  auto* reference = new std::shared_ptr<const std::string>(body);
  const auto release = [](const void*, size_t, void* shared) {
    delete static_cast<std::shared_ptr<const std::string>*>(shared);
  };
  if (evbuffer_add_reference(to, body->data(), body->size(), release, reference) != 0) delete reference;
}

/// Those of every answer that does not go through libevhtp.
void write_common_fields(http1::HeadWriter& out) {
  out.field("Cache-Control", "no-store");
  out.field("X-Content-Type-Options", "nosniff");
  out.field("Content-Security-Policy", AdminResponse::kNoContent);
  out.field("Referrer-Policy", "no-referrer");
}

/// RFC 9110 §5.6.7.
std::string http_date() {
  const time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

AdminConnection::AdminConnection(EventLoop& loop, evhtp_connection* connection, const AdminLimits& limits,
                                 AdminConnectionOwner& owner, uint64_t serial)
    : loop_(loop),
      limits_(limits),
      owner_(owner),
      connection_(connection),
      bev_(evhtp_connection_get_bev(connection)),
      serial_(serial),
      parser_(parser_limits(limits)) {
  // libevhtp takes hooks of every kind as a function without parameters.
  const auto freed = reinterpret_cast<void (*)()>(&AdminConnection::on_freed);
  evhtp_connection_set_hook(connection, evhtp_hook_on_connection_fini, reinterpret_cast<evhtp_hook>(freed), this);
  bufferevent_event_cb unused = nullptr;
  void* argument = nullptr;  // the connection itself
  bufferevent_getcb(bev_, &evhtp_read_, &evhtp_written_, &unused, &argument);
  bufferevent_setcb(
      bev_, [](bufferevent*, void* self) { static_cast<AdminConnection*>(self)->on_readable(); },
      [](bufferevent*, void* self) { static_cast<AdminConnection*>(self)->on_sent(); },
      [](bufferevent*, short what, void* self) { static_cast<AdminConnection*>(self)->on_event(what); }, this);
  // What is read and not yet looked at, during a response, is bounded; then the client's sending stalls.
  bufferevent_setwatermark(bev_, EV_READ, 0, limits.max_head_bytes * 2);
  set_deadline(limits.request_timeout);
}

void AdminConnection::close() {
  if (!closed()) evhtp_connection_free(connection_);
}

uint16_t AdminConnection::on_freed(evhtp_connection* /*connection*/, void* self) {
  auto* connection = static_cast<AdminConnection*>(self);
  connection->connection_ = nullptr;
  connection->owner_.forget(*connection);
  return EVHTP_RES_OK;
}

bool AdminConnection::owed() const {
  if (closed() || state_ == State::Streaming) return false;
  int unread = 0;  // in the socket: a request that the event loop has not told us of yet
  return state_ != State::Receiving || !idle_ || ::ioctl(connection_->sock, FIONREAD, &unread) != 0 || unread > 0;
}

void AdminConnection::set_deadline(std::chrono::milliseconds after) {
  deadline_ms_ = loop_.now_ms() + after.count();
}

void AdminConnection::on_readable() {
  if (state_ == State::Receiving) serve();
}

void AdminConnection::on_event(short what) {
  if ((what & BEV_EVENT_EOF) == 0 || (what & BEV_EVENT_ERROR) != 0 || state_ == State::Receiving ||
      state_ == State::Streaming) {
    close();
    return;
  }
  peer_finished_ = true;  // half-closed: it may be waiting for the response
}

void AdminConnection::on_sent() {
  if (state_ == State::Receiving || state_ == State::Streaming) return;
  if (state_ == State::Closing) {
    close();
    return;
  }
  evhtp_written_(bev_, connection_);
  if (closed()) return;
  if (finishing_) return close();
  state_ = State::Receiving;
  response_bytes_ = 0;
  idle_ = true;
  set_deadline(limits_.idle_timeout);
  serve();
}

/// Goes as far as the bytes that are there allow: at most to the next response.
void AdminConnection::serve() {
  evbuffer* input = bufferevent_get_input(bev_);
  if (idle_ && evbuffer_get_length(input) > 0) {
    idle_ = false;
    set_deadline(limits_.request_timeout);
  }
  if (take_head() && take_body()) {
    ask();
  } else if (state_ == State::Receiving && peer_finished_) {
    close();
  }
}

/// True when the head of a request that is to be answered has been read.
bool AdminConnection::take_head() {
  if (have_head_) return true;
  evbuffer* input = bufferevent_get_input(bev_);
  const size_t available = std::min(evbuffer_get_length(input), limits_.max_head_bytes + 1);
  if (available == 0) return false;
  const auto* bytes = reinterpret_cast<const char*>(evbuffer_pullup(input, static_cast<ev_ssize_t>(available)));
  if (bytes == nullptr) throw std::bad_alloc();
  parser_.reset();
  const http1::ParseStatus status = parser_.parse(bytes, bytes + available);
  if (status == http1::ParseStatus::NeedMore) {
    if (available > limits_.max_head_bytes) refuse(431, info(Reason::HeadTooLarge).title);
    return false;
  }
  if (status == http1::ParseStatus::Failed) {
    refuse(parser_.failure().status, info(parser_.failure().code).title);
    return false;
  }
  const http1::RequestHead& head = parser_.head();
  if (head.body == http1::BodyKind::Chunked) {
    refuse(411, "Length Required");
    return false;
  }
  if (head.content_length > limits_.max_body_bytes) {
    refuse(413, "Content Too Large");
    return false;
  }
  method_ = head.method;
  path_ = head.path;
  note_authorization(head);
  // HTTP/1.0 with keep-alive is not worth the trouble; a body that waits for "100 Continue" is not wanted.
  keep_alive_ = head.keep_alive && head.minor_version > 0 && !head.expect_continue;
  body_left_ = head.expect_continue ? 0 : head.content_length;
  body_.clear();
  evbuffer_drain(input, parser_.consumed());
  have_head_ = true;
  return true;
}

/// True when the body has been read; what is more than any request here means by it is dropped.
bool AdminConnection::take_body() {
  evbuffer* input = bufferevent_get_input(bev_);
  const size_t taken = std::min<uint64_t>(body_left_, evbuffer_get_length(input));
  const size_t kept = std::min(taken, limits_.kept_body_bytes - body_.size());
  body_.resize(body_.size() + kept);
  evbuffer_copyout(input, body_.data() + body_.size() - kept, kept);
  evbuffer_drain(input, taken);
  body_left_ -= taken;
  return body_left_ == 0;
}

void AdminConnection::ask() {
  have_head_ = false;
  if (++requests_ >= limits_.max_requests) keep_alive_ = false;
  std::optional<AdminResponse> response = owner_.answer(*this, {method_, path_, body_, authorization_});
  if (response && response->stream) return begin_stream(*response);
  if (response) return hand_over(*std::move(response));
  state_ = State::Deferred;
  deadline_ms_ = INT64_MAX;  // whoever puts an answer off sees to it that it comes
}

void AdminConnection::answer(AdminResponse response) {
  if (state_ != State::Deferred || closed()) return;
  state_ = State::Receiving;
  hand_over(std::move(response));
}

void AdminConnection::finish() {
  finishing_ = true;
  keep_alive_ = false;
  if (state_ == State::Receiving || state_ == State::Streaming) close();
}

/// Has libevhtp answer: it gets one head, rebuilt, and nothing of what the client may have sent behind it.
void AdminConnection::hand_over(AdminResponse response) {
  response_ = std::move(response);
  // The target does not matter there: what was asked for is kept here, and respond() answers it.
  const std::string_view head = keep_alive_ ? "GET / HTTP/1.1\r\n\r\n" : "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
  evbuffer* input = bufferevent_get_input(bev_);
  const EvbufferPtr behind(evbuffer_new());
  if (!behind || evbuffer_add_buffer(behind.get(), input) != 0 ||
      evbuffer_prepend(input, head.data(), head.size()) != 0)
    throw std::bad_alloc();
  evhtp_read_(bev_, connection_);
  if (closed()) return;
  evbuffer_prepend_buffer(input, behind.get());
  if (state_ == State::Receiving) close();  // libevhtp did not answer
}

void AdminConnection::on_request(evhtp_request* request, void* /*unused*/) {
  // The hook's argument is the one place of a libevhtp connection that is ours.
  static_cast<AdminConnection*>(request->conn->hooks->on_connection_fini_arg)->respond(*request);
}

void AdminConnection::respond(evhtp_request& request) {
  const AdminResponse response = std::exchange(response_, {});
  const size_t size = response.body ? response.body->size() : 0;
  add_header(request, "Content-Type", response.content_type);
  // Always said, since libevhtp's own idea of it is wrong for HEAD.
  add_header(request, "Content-Length", std::to_string(size).c_str());
  add_header(request, "Date", http_date().c_str());
  add_header(request, "Cache-Control", "no-store");
  add_header(request, "X-Content-Type-Options", "nosniff");
  add_header(request, "Content-Security-Policy", response.content_policy);
  add_header(request, "Referrer-Policy", "no-referrer");
  if (response.allow != nullptr) add_header(request, "Allow", response.allow);
  if (response.retry_after != nullptr) add_header(request, "Retry-After", response.retry_after);
  if (response.authenticate != nullptr) add_header(request, "WWW-Authenticate", response.authenticate);
  if (size != 0 && method_ != "HEAD") {
    add_body(request.buffer_out, response.body);
    response_bytes_ = size;
  }
  state_ = State::Responding;
  set_deadline(limits_.response_timeout);
  evhtp_send_reply(&request, response.status);
}

/// Answers what is not a request, past libevhtp, and closes.
void AdminConnection::refuse(uint16_t status, std::string_view text) {
  std::array<char, 512> space;
  http1::HeadWriter out(space.data(), space.data() + space.size());
  out.status_line(status, text);
  out.field("Content-Type", "text/plain; charset=utf-8");
  out.field("Content-Length", text.size() + 1);
  write_common_fields(out);
  out.field("Connection", "close");
  out.crlf();
  out.raw(text);
  out.raw("\n");
  state_ = State::Closing;
  set_deadline(limits_.request_timeout);
  bufferevent_disable(bev_, EV_READ);
  bufferevent_write(bev_, out.text().data(), out.size());
}

/// A second field could be what somebody before us did not look at.
void AdminConnection::note_authorization(const http1::RequestHead& head) {
  authorization_.clear();
  size_t found = 0;
  for (const http1::Field& field : head.fields)
    if (http1::equals_ignore_case(field.name, "authorization") && ++found == 1) authorization_ = field.value;
  if (found > 1) authorization_.clear();
}

/// The response ends with the connection.
void AdminConnection::begin_stream(const AdminResponse& response) {
  std::array<char, 1024> space;
  http1::HeadWriter out(space.data(), space.data() + space.size());
  out.status_line(response.status, "OK");
  out.field("Content-Type", response.content_type);
  out.field("Date", http_date());
  write_common_fields(out);
  out.field("Connection", "close");
  out.crlf();
  state_ = State::Streaming;
  deadline_ms_ = INT64_MAX;  // a client that takes nothing any more has its limit: AdminLimits::stall_timeout
  bufferevent_write(bev_, out.text().data(), out.size());
  push(response.body);
}

bool AdminConnection::push(const std::shared_ptr<const std::string>& events) {
  if (!streaming()) return false;
  evbuffer* output = bufferevent_get_output(bev_);
  lagging_ = lagging_ || evbuffer_get_length(output) > limits_.max_stream_backlog;
  if (lagging_) return false;
  add_body(output, events);
  return true;
}

void AdminConnection::catch_up(const std::shared_ptr<const std::string>& greeting) {
  lagging_ = false;
  push(greeting);
}

bool AdminConnection::caught_up() const {
  return streaming() && lagging_ && evbuffer_get_length(bufferevent_get_output(bev_)) == 0;
}

}  // namespace restgate::master
