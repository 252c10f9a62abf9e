#include "worker/exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/platform/sockets.h"
#include "worker/backend_pool.h"
#include "worker/client_connection.h"
#include "worker/flight_head.h"

namespace restgate::worker {
namespace {

// A client that has ended its direction may only have said that it has no more to ask (half-close), or be gone: one
// cannot tell. It gets its answer if that comes within this time, and goes on getting it while it moves on in each.
constexpr int64_t kHalfCloseGraceMs = 1'000;

}  // namespace

Exchange::Exchange(Context& context)
    : context_(context),
      parser_(context.limits),
      response_parser_(context.limits),
      request_body_(context.limits),
      response_body_(context.limits) {}

void Exchange::start(ClientConnection& client, int64_t begun_us) {
  reset();
  client_ = &client;
  started_us_ = begun_us != 0 ? begun_us : context_.loop.now_us();
  (void)read_head();
}

void Exchange::reset() {
  backend_ = nullptr;
  request_ = RequestState::Head;
  response_ = ResponseState::None;
  close_after_ = response_begun_ = head_waits_ = own_ = retried_ = backend_spoke_ = false;
  body_forwarded_ = client_left_ = request_broken_ = backend_reset_ = false;
  response_framing_ = {};
  status_ = 0;
  method_ = kOtherMethod;
  stats_route_ = stats::kUnmatchedRoute;
  rules_ = nullptr;
  pool_ = nullptr;
  sent_ms_ = left_deadline_ms_ = head_us_ = 0;
  acquired_us_ = connected_us_ = first_byte_us_ = 0;
  head_bytes_ = backend_text_size_ = 0;
  backend_tls_ = {};
  identity_.reset();
  left_written_ = 0;
  flight_ = 0;
  parser_.reset();
  request_body_.start(http1::BodyKind::None, 0);
  to_backend_.reset();
  to_client_.reset();
}

Alive Exchange::on_client_io() {
  if (request_ == RequestState::Head) return read_head();
  touch();
  if (pump() == Alive::No) return Alive::No;
  return check_client_left();
}

Alive Exchange::read_head() {
  context_.flights.reading_head(client_->address(), context_.loop.now_us());
  for (;;) {
    Buffer& in = client_->inbox();
    if (!in.empty()) {
      switch (parser_.parse(in.begin(), in.end())) {
        case http1::ParseStatus::Done:
          if (lacks_room_for_body(in)) {
            client_->make_room();  // as below
            parser_.reset();
            continue;
          }
          return dispatch();
        case http1::ParseStatus::Failed:
          return fail_parse();
        case http1::ParseStatus::NeedMore:
          break;
      }
      if (in.room_size() == 0) {
        if (!client_->can_make_room()) return own_response(Reason::HeadTooLarge);
        client_->make_room();  // what the parser has seen moves
        parser_.reset();
        continue;
      }
    }
    if (!client_->readable()) {
      if (client_->has_input()) client_->await_more();
      update_deadline();
      return Alive::Yes;
    }
    const IoResult result = client_->fill();
    if (result.kind == IoResult::Kind::Eof) return client_lost(Reason::ClientClosed);
    if (result.kind == IoResult::Kind::Failed) return client_lost(Reason::ClientReset);
  }
}

/// Whether the head, which stays where it is, leaves too little of the buffer for its body: it came behind others, or
/// lies in a snug one. A short body needs no more than its length.
bool Exchange::lacks_room_for_body(const Buffer& in) const {
  const http1::RequestHead& head = parser_.head();
  if (head.body == http1::BodyKind::None || !client_->can_make_room()) return false;
  const bool short_body = head.body == http1::BodyKind::Length && head.content_length < kBodyRoom;
  return in.room_behind(parser_.consumed()) < (short_body ? head.content_length : kBodyRoom);
}

Alive Exchange::fail_parse() {
  close_after_ = true;
  return own_response(parser_.failure().code);
}

Alive Exchange::dispatch() {
  const http1::RequestHead& head = parser_.head();
  client_->inbox().consume_and_pin(parser_.consumed());
  request_ = RequestState::AwaitBackend;
  head_us_ = context_.loop.now_us();
  method_ = context_.router.method_id(head.method);
  request_body_.start(head.body, head.content_length);
  close_after_ = !head.keep_alive || context_.answers_are_last();
  context_.stats.add(stats::Gauge::RequestsInFlight, 1);
  const http1::Path::Verdict path = path_.assign(head.path);
  context_.router.fetch_ahead(path_.segments());
  take_off();
  if (client_->is_probe()) [[unlikely]]
    return answer_about_ourselves();
  identity_.take(head, context_.config, context_.ids, context_.loop.now_ms());
  if (head.path[0] == '*') return answer_about_ourselves();  // RFC 9110 §9.3.7
  if (path != http1::Path::Verdict::Ok) return own_response(Reason::BadPath);
  return find_route();
}

void Exchange::take_off() {
  flight::Head seen = flight_head(parser_.head(), client_->address());
  seen.started_us = started_us_;
  flight_ = context_.flights.begin(seen, head_us_);
}

Alive Exchange::find_route() {
  const http1::RequestHead& head = parser_.head();
  const RouteMatch match = context_.router.match(method_, path_.segments());
  switch (match.kind) {
    case RouteMatch::Kind::NotFound:
      return own_response(Reason::RouteNotFound);
    case RouteMatch::Kind::MethodNotAllowed:
      return own_response(Reason::MethodNotAllowed, match.allow);
    case RouteMatch::Kind::Found:
      break;
  }
  if (head.max_forwards == 0)  // RFC 9110 §7.6.2: it ends here
    return head.method == "OPTIONS" ? answer_about_ourselves() : own_response(Reason::MethodUnsupported);
  rules_ = &context_.router.rules(match.route);
  stats_route_ = match.route + 1;
  context_.stats.expect(stats_route_);
  context_.router.fetch_name(match.route);
  pool_ = context_.backends[rules_->service].get();
  context_.flights.route(flight_, match.route, rules_->service);
  if (rules_->max_body_size > 0 && head.body == http1::BodyKind::Length && head.content_length > rules_->max_body_size)
    return own_response(Reason::RequestBodyTooLarge);
  if (connect(false) == Alive::No) return Alive::No;
  update_deadline();
  return Alive::Yes;
}

Alive Exchange::answer_about_ourselves() {
  OwnResponse answer;
  answer.status = 200;
  return send_own(answer);
}

Alive Exchange::pump() {
  if (request_ == RequestState::Sending && pump_request() == Alive::No) return Alive::No;
  return pump_response();
}

Alive Exchange::own_response(Reason reason, std::string_view allow) {
  reason_ = reason;
  const ReasonInfo& what = info(reason);
  OwnResponse answer;
  answer.status = what.status;
  answer.title = what.title;
  answer.code = what.code;
  answer.allow = allow;
  answer.json = prefers_json(parser_.head());
  return send_own(answer);
}

Alive Exchange::send_own(const OwnResponse& response) {
  return_backend(false);
  if (!to_client_.empty()) return finish(reason_, false);  // an interim response is stuck: the client does not read
  const bool have_head = request_ != RequestState::Head;
  // The rest of a body that is not here yet is not waited for; one that is here is passed over.
  if (have_head && client_->has_input() && !request_body_.done()) {
    Outbox nowhere;
    while (client_->has_input() && !request_body_.done()) {
      const BodyProgress progress = pump_body(request_body_, client_->inbox(), nowhere, {});
      nowhere.reset();
      if (progress == BodyProgress::Malformed || progress == BodyProgress::NeedInput) break;
    }
  }
  // What was refused as malformed leaves doubt about what follows.
  if (!have_head || !request_body_.done() || response.status == 400) close_after_ = true;
  request_ = RequestState::Done;
  context_.flights.phase(flight_, flight::Phase::Answering);

  OwnResponse answer = response;
  answer.date = context_.date.text(context_.loop.now_ms());
  if (!identity_.known() && !client_->is_probe()) identity_.make(context_.config, context_.ids, context_.loop.now_ms());
  answer.request_id = identity_.request_id();
  answer.head_only = parser_.head().method == "HEAD";  // of a head that was refused too, if it came so far
  answer.close = close_after_;
  answer.http10_keep_alive = have_head && parser_.head().minor_version == 0;
  const std::string_view rendered = render_own_response(context_.scratch, answer);
  head_bytes_ += static_cast<uint32_t>(rendered.find("\r\n\r\n") + 4);
  to_client_.add_scratch(rendered);
  status_ = response.status;
  own_ = response_begun_ = true;
  response_ = ResponseState::Done;
  update_deadline();
  return pump_response();
}

Alive Exchange::finish(Reason reason, bool keep_client) {
  if (reason != Reason::None) reason_ = reason;
  return_backend(false);
  record(reason_);
  context_.flights.end(flight_);
  ClientConnection& client = *client_;
  const bool left = is_client_gone(reason_);
  const bool more_to_come = !left && (head_us_ == 0 || !request_body_.done());
  // A body that ends with the connection looks complete when the connection just closes: it must be reset then.
  const http1::BodyKind kind = response_body_.kind();
  const bool cut = reason != Reason::None && response_begun_ && !own_ && !response_framing_.chunked &&
                   (kind == http1::BodyKind::UntilClose || kind == http1::BodyKind::Chunked);
  reason_ = Reason::None;
  to_backend_.reset();
  to_client_.reset();
  using After = ClientConnection::After;
  client.exchange_over(keep_client ? After::Keep : (cut ? After::Reset : After::Close), more_to_come);
  return Alive::No;
}

void Exchange::return_backend(bool clean) {
  if (backend_ == nullptr) return;
  BackendConnection& connection = *std::exchange(backend_, nullptr);
  pool_->release(connection, clean, clean ? response_parser_.head().keep_alive_timeout_s : 0);
}

Alive Exchange::client_lost(Reason reason) {
  return finish(reason, false);
}

/// RFC 9110 §9.2: whether the client has left while we wait for a backend. Looks only when something has happened.
Alive Exchange::check_client_left() {
  if (own_ || !client_->readable()) return Alive::Yes;
  // A reset leaves no doubt, whatever came before it.
  if (platform::socket_error(client_->transport().fd()) != 0) return client_lost(Reason::ClientReset);
  if (client_left_ || (request_ != RequestState::Done && !request_body_.done())) return Alive::Yes;  // reading on tells
  if (client_->has_input()) return Alive::Yes;  // the next request of a pipeline
  char byte = 0;
  const ssize_t n = recv(client_->transport().fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0) return Alive::Yes;
  if (n < 0) return errno == EAGAIN || errno == EINTR ? Alive::Yes : client_lost(Reason::ClientReset);
  note_half_close();
  return Alive::Yes;
}

void Exchange::note_half_close() {
  client_left_ = true;
  left_written_ = to_client_.written();
  left_deadline_ms_ = context_.loop.now_ms() + kHalfCloseGraceMs;
  update_deadline();
}

/// Whether the grace of a client that has ended its direction is over. One that has gone answers bytes with a reset, so
/// one that takes bytes, or lets them wait, is still there.
bool Exchange::has_left(int64_t now_ms) {
  if (left_deadline_ms_ == 0 || now_ms < left_deadline_ms_) return false;
  if (to_client_.empty() && !client_->holds() && to_client_.written() == left_written_) return true;
  note_half_close();
  return false;
}

void Exchange::update_deadline() {
  int64_t next = left_deadline_ms_;
  const auto consider = [&next](int64_t since_ms, std::chrono::milliseconds timeout) {
    if (timeout.count() <= 0) return;
    const int64_t when = since_ms + timeout.count();
    if (next == 0 || when < next) next = when;
  };
  const config::Config& config = context_.config;
  const int64_t started_ms = started_us_ / 1000;
  if (request_ == RequestState::Head) {
    consider(started_ms, config.read_header_timeout);
    consider(started_ms, config.read_timeout);
  } else {
    if (request_ != RequestState::Done) consider(started_ms, rules_ ? rules_->read_timeout : config.read_timeout);
    consider(answering_since_ms(), rules_ ? rules_->write_timeout : config.write_timeout);
    if (response_ == ResponseState::AwaitHead && request_ == RequestState::Done && rules_ != nullptr)
      consider(sent_ms_, rules_->response_header_timeout);
  }
  client_->set_deadline(next);
}

void Exchange::on_client_deadline() {
  touch();
  const int64_t now_ms = context_.loop.now_ms();
  const auto over = [now_ms](int64_t since_ms, std::chrono::milliseconds timeout) {
    return timeout.count() > 0 && now_ms >= since_ms + timeout.count();
  };
  if (request_ == RequestState::Head) {
    close_after_ = true;
    if (unstarted()) return (void)client_lost(Reason::ClientTimeout);
    return (void)own_response(Reason::RequestHeadTimeout);
  }
  if (has_left(now_ms)) return (void)client_lost(Reason::ClientClosed);
  const auto read_timeout = rules_ ? rules_->read_timeout : context_.config.read_timeout;
  if (request_ != RequestState::Done && over(started_us_ / 1000, read_timeout)) {
    if (response_begun_) return (void)client_lost(Reason::ClientTimeout);
    return (void)own_response(Reason::RequestBodyTimeout);
  }
  const auto write_timeout = rules_ ? rules_->write_timeout : context_.config.write_timeout;
  if (over(answering_since_ms(), write_timeout)) {
    if (response_begun_) return (void)finish(Reason::ResponseTimeout, false);
    return (void)own_response(Reason::ResponseTimeout);
  }
  if (response_ == ResponseState::AwaitHead && rules_ && over(sent_ms_, rules_->response_header_timeout))
    return (void)backend_failed(Reason::BackendHeaderTimeout);
  update_deadline();
}

std::unique_ptr<Exchange> ExchangePool::take() {
  if (free_.empty()) return std::make_unique<Exchange>(context_);
  std::unique_ptr<Exchange> exchange = std::move(free_.back());
  free_.pop_back();
  return exchange;
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) {
  if (!exchange) return;
  // It may be in the middle of one of its own functions: never destroyed at once.
  if (free_.size() < kKeep)
    free_.push_back(std::move(exchange));
  else
    context_.graveyard.bury(std::move(exchange));
}

}  // namespace restgate::worker
