// Exchange, backend → client: the response's head, its body, protocol switches, and what can go wrong.
#include <strings.h>

#include <algorithm>
#include <array>
#include <utility>

#include "worker/backend_pool.h"
#include "worker/client_connection.h"
#include "worker/exchange.h"
#include "worker/tunnel.h"

namespace restgate::worker {
namespace {

using http1::BodyKind;

constexpr int kRoundsPerTurn = 4;  // as for requests

bool idempotent(MethodId method) {  // RFC 9110 §9.2.2
  switch (method) {
    case kMethodGet:
    case kMethodHead:
    case kMethodPut:
    case kMethodDelete:
    case kMethodOptions:
    case kMethodTrace:
      return true;
    default:
      return false;
  }
}

/// Whether a comma-separated list has this token, in any case (RFC 9110 §5.6.1).
bool list_has(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!item.empty() && (item.front() == ' ' || item.front() == '\t')) item.remove_prefix(1);
    while (!item.empty() && (item.back() == ' ' || item.back() == '\t')) item.remove_suffix(1);
    if (item.size() == token.size() && strncasecmp(item.data(), token.data(), item.size()) == 0) return true;
  }
  return false;
}

}  // namespace

void Exchange::on_backend_io() {
  touch();
  if (backend_->spoke_unasked()) return (void)backend_failed(Reason::BackendReset);
  if (request_ == RequestState::Sending && pump_request() == Alive::No) return;
  (void)pump_response();
}

Alive Exchange::pump_response() {
  for (int round = 0;; ++round) {
    head_waits_ = false;
    switch (send_to_client()) {
      case Outbox::Flush::Blocked:
        return Alive::Yes;
      case Outbox::Flush::Failed:
        return client_lost(Reason::ClientReset);
      case Outbox::Flush::Drained:
        break;
    }
    if (response_ == ResponseState::Done) return response_complete();
    if (response_ == ResponseState::None || !backend_->ready()) return Alive::Yes;
    if (round == kRoundsPerTurn) break;  // here: with bytes in the scratch space it must not let others go first
    if (backend_->has_input()) {
      const size_t before = backend_->inbox().size();
      if (produce_response() == Alive::No) return Alive::No;
      if (response_ == ResponseState::AwaitHead && client_->held_stuck()) return Alive::Yes;  // a switch has to wait
      if (response_ == ResponseState::Done || backend_->inbox().size() != before) continue;
    }
    if (!backend_->readable()) {
      backend_->await_more();
      backend_->drop_empty_inbox();
      return Alive::Yes;
    }
    if (read_backend() == Alive::No) return Alive::No;
    if (response_ == ResponseState::None) return Alive::Yes;  // sent again on another connection
  }
  client_->yield();
  return Alive::Yes;
}

/// Whether the answer is complete and another request waits behind this one.
bool Exchange::another_follows() const {
  return response_ == ResponseState::Done && request_ == RequestState::Done && !close_after_ &&
         client_->another_waits();
}

Outbox::Flush Exchange::send_to_client() {
  const bool follows = another_follows();
  if (follows || client_->holds()) [[unlikely]] {
    const bool complete = response_ == ResponseState::Done;
    const bool stuck = client_->held_stuck();
    if (to_client_.empty() && (!complete || (follows && !stuck))) return Outbox::Flush::Drained;
    if (!stuck && client_->hold(to_client_) && follows) return Outbox::Flush::Drained;
    const Outbox::Flush sent = client_->send_held();
    if (sent == Outbox::Flush::Blocked) to_client_.keep_scratch(context_.buffers);
    if (sent != Outbox::Flush::Drained) return sent;
  }
  return to_client_.flush(client_->transport(), context_.buffers);
}

Alive Exchange::produce_response() {
  if (response_ == ResponseState::AwaitHead) return read_response_head();
  return stream_response();
}

Alive Exchange::stream_response() {
  switch (pump_body(response_body_, backend_->inbox(), to_client_, response_framing_)) {
    case BodyProgress::NeedInput:
    case BodyProgress::Produced:
      return Alive::Yes;
    case BodyProgress::Ended:
      response_ = ResponseState::Done;
      return Alive::Yes;
    case BodyProgress::Malformed:
      break;
  }
  if (!head_waits_) return backend_failed(Reason::BackendBodyCut);
  // The head came in the same breath and has not left yet: the client can still be told.
  to_client_.discard();
  head_bytes_ = static_cast<uint32_t>(to_client_.written());
  response_begun_ = false;
  return backend_failed(Reason::BackendBadResponse);
}

Alive Exchange::read_response_head() {
  Buffer& in = backend_->inbox();
  switch (response_parser_.parse(in.begin(), in.end())) {
    case http1::ParseStatus::Done:
      return take_response_head();
    case http1::ParseStatus::Failed:
      return backend_failed(Reason::BackendBadResponse);
    case http1::ParseStatus::NeedMore:
      break;
  }
  if (in.room_size() > 0) return Alive::Yes;
  if (in.at_front()) return backend_failed(Reason::BackendBadResponse);
  in.compact();
  response_parser_.reset(method_ == kMethodHead);
  return Alive::Yes;
}

Alive Exchange::take_response_head() {
  const uint16_t status = response_parser_.head().status;
  if (status == 101) return switch_protocols();
  if (status < 200) return interim_response();
  return final_response();
}

/// RFC 9110 §15.2: 1xx responses go on, but not to a client of HTTP/1.0.
Alive Exchange::interim_response() {
  if (parser_.head().minor_version > 0) {
    const ForwardedResponse interim{context_.config, response_parser_.head()};
    const std::string_view rendered = render_response_head(context_.scratch, interim);
    head_bytes_ += static_cast<uint32_t>(rendered.size());
    to_client_.add_scratch(rendered);
  }
  backend_->inbox().consume(response_parser_.consumed());
  response_parser_.reset(method_ == kMethodHead);
  return Alive::Yes;
}

Alive Exchange::final_response() {
  if (first_byte_us_ == 0) first_byte_us_ = context_.loop.now_us();
  const http1::ResponseHead& head = response_parser_.head();
  const http1::RequestHead& request = parser_.head();
  const bool streamed = head.body == BodyKind::Chunked || head.body == BodyKind::UntilClose;
  if (streamed && request.minor_version == 0) close_after_ = true;
  // The rest of the upload may never come: the connection is not promised to anybody.
  if (request_ != RequestState::Done || context_.answers_are_last()) close_after_ = true;

  response_framing_.chunked = streamed && request.minor_version > 0;
  response_framing_.trailers = request.te_trailers;
  ForwardedResponse response{context_.config, head, request.minor_version, response_framing_.chunked, close_after_};
  response.trailers = response_framing_.chunked && response_framing_.trailers;
  response.date = context_.date.text(context_.loop.now_ms());
  response.request_id = identity_.request_id();
  std::array<char, 128> timing;
  response.server_timing = server_timing(timing);
  const std::string_view rendered = render_response_head(context_.scratch, response);
  if (rendered.empty()) return backend_failed(Reason::BackendBadResponse);
  to_client_.add_scratch(rendered, context_.scratch.size() - rendered.size());
  head_bytes_ += static_cast<uint32_t>(rendered.size());
  status_ = head.status;
  response_begun_ = head_waits_ = true;
  response_ = ResponseState::Streaming;
  context_.flights.phase(flight_, flight::Phase::Streaming);
  response_body_.start(head.body, head.content_length);
  backend_->inbox().consume(response_parser_.consumed());
  if (rules_->response_header_timeout.count() > 0) update_deadline();
  return stream_response();
}

Alive Exchange::read_backend() {
  const bool spliced = response_ == ResponseState::Streaming && response_body_.bytes_left() >= kSpliced &&
                       !backend_->transport().is_tls();
  const IoResult result = spliced ? splice_response_body() : backend_->fill();
  switch (result.kind) {
    case IoResult::Kind::Ok:
      if (!std::exchange(backend_spoke_, true)) first_byte_us_ = context_.loop.now_us();
      return Alive::Yes;
    case IoResult::Kind::WouldBlock:
      return Alive::Yes;
    case IoResult::Kind::Eof:
      return backend_ended(true);
    case IoResult::Kind::Failed:
      return backend_ended(false);
  }
  return Alive::Yes;
}

/// A long body that need not be looked at: its bytes stay in the kernel.
IoResult Exchange::splice_response_body() {
  Pipe* const pipe = to_client_.take_pipe(context_.pipes);
  if (pipe == nullptr) return backend_->fill();
  backend_->drop_empty_inbox();
  const IoResult result =
      backend_->fill_pipe(*pipe, std::min<uint64_t>(response_body_.bytes_left(), PipePool::kCapacity));
  response_body_.passed(pipe->held);
  if (pipe->held == 0)
    to_client_.discard();
  else if (response_body_.done())
    response_ = ResponseState::Done;
  return result;
}

Alive Exchange::backend_ended(bool orderly) {
  if (response_ != ResponseState::Streaming) return backend_failed(Reason::BackendReset);
  // A reset ends no body (RFC 9112 §8).
  if (!orderly || backend_reset_ || !response_body_.end_of_file()) return backend_failed(Reason::BackendBodyCut);
  response_ = ResponseState::Done;
  if (response_framing_.chunked) add_last_chunk(to_client_, {});
  return Alive::Yes;
}

Alive Exchange::response_complete() {
  if (own_) return finish(Reason::None, !close_after_);
  context_.stats.backend_duration(pool_->index(), static_cast<uint64_t>(context_.loop.now_us() - head_us_));
  const http1::ResponseHead& head = response_parser_.head();
  const bool clean = request_ == RequestState::Done && !request_broken_ && head.keep_alive &&
                     response_body_.kind() != BodyKind::UntilClose;
  return_backend(clean);
  return finish(Reason::None, !close_after_ && request_ == RequestState::Done);
}

/// Whether the request may be sent again when it is not known what became of it (RFC 9110 §9.2.2).
bool Exchange::repeatable() const {
  return idempotent(method_) && parser_.head().body == BodyKind::None;
}

bool Exchange::may_retry() const {
  return backend_->reused() && !retried_ && !backend_spoke_ && !body_forwarded_ && repeatable();
}

Alive Exchange::backend_failed(Reason reason) {
  if (backend_ != nullptr && info(reason).retry_safe && may_retry()) {
    return_backend(false);
    retried_ = true;
    to_backend_.reset();
    context_.stats.add(stats::ServiceCounter::Retries, pool_->index());
    return connect(true);
  }
  if (!response_begun_) return own_response(reason);
  return finish(reason, false);
}

/// Whether the client's wish for another protocol goes on to the backend. Not h2c: requests inside such a tunnel would
/// go around routes and limits.
bool Exchange::offers_upgrade() const {
  const http1::RequestHead& request = parser_.head();
  return request.wants_upgrade && request.body == BodyKind::None && !list_has(request.upgrade, "h2c");
}

/// RFC 9110 §7.8: 101 only to a client that asked for this protocol.
bool Exchange::upgrade_allowed() const {
  const http1::RequestHead& request = parser_.head();
  const http1::ResponseHead& head = response_parser_.head();
  if (!offers_upgrade()) return false;
  if (!head.connection_upgrade || head.upgrade.empty() || request_ != RequestState::Done) return false;
  return list_has(request.upgrade, head.upgrade);
}

Alive Exchange::switch_protocols() {
  if (!upgrade_allowed()) return backend_failed(Reason::BackendBadUpgrade);
  switch (client_->send_held()) {
    case Outbox::Flush::Blocked:  // the switch has to wait: we shall be here again
      response_parser_.reset(method_ == kMethodHead);
      return Alive::Yes;
    case Outbox::Flush::Failed:
      return client_lost(Reason::ClientReset);
    case Outbox::Flush::Drained:
      break;
  }
  ForwardedResponse response{context_.config, response_parser_.head()};
  response.switching = true;
  response.request_id = identity_.request_id();
  if (first_byte_us_ == 0) first_byte_us_ = context_.loop.now_us();
  const std::string_view head = render_response_head(context_.scratch, response);
  if (head.empty() || !to_client_.empty()) return backend_failed(Reason::BackendBadResponse);
  status_ = 101;
  backend_->inbox().consume(response_parser_.consumed());
  record(Reason::None);
  context_.flights.end(flight_);
  BackendConnection& backend = *std::exchange(backend_, nullptr);
  ClientConnection& client = *client_;
  client.inbox().unpin();
  context_.tunnels->open(client, backend, head);
  backend.close();
  client.detached();
  return Alive::No;
}

}  // namespace restgate::worker
