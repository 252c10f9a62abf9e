// Exchange, client → backend: getting a connection, sending the head, streaming the body.
#include <algorithm>

#include "worker/backend_pool.h"
#include "worker/client_connection.h"
#include "worker/exchange.h"

namespace restgate::worker {
namespace {

// Rounds of reading and writing before others get their turn: at 80 KiB a round, a third of a megabyte. Writing so much
// takes some milliseconds; with hundreds that all want to, the last waits for their sum.
constexpr int kRoundsPerTurn = 4;

}  // namespace

Alive Exchange::connect(bool fresh) {
  using Want = BackendPool::Want;
  if (acquired_us_ == 0) acquired_us_ = context_.loop.now_us();
  const Want want = fresh ? Want::Fresh : (repeatable() ? Want::Any : Want::Sound);
  const BackendPool::Lease lease = pool_->acquire(*this, want);
  if (lease.connection == nullptr) {
    note_address(lease.tried);
    return own_response(lease.reason);
  }
  backend_ = lease.connection;
  request_ = RequestState::AwaitBackend;
  response_ = ResponseState::None;
  context_.flights.phase(flight_, flight::Phase::AwaitingBackend);
  if (backend_->ready()) return send_head();
  return Alive::Yes;
}

void Exchange::on_backend_ready() {
  touch();
  (void)send_head();
}

void Exchange::on_backend_unavailable(Reason reason) {
  touch();
  note_backend();
  backend_ = nullptr;
  (void)own_response(reason);
}

Alive Exchange::send_head() {
  note_backend();
  const http1::RequestHead& head = parser_.head();
  ForwardedRequest request{context_.config, pool_->service(), head, client_->address()};
  request.trust = client_->trust();
  request.upgrade = offers_upgrade();
  request.identity = {identity_.request_id(), identity_.own_traceparent(), identity_.pass_trace()};
  const std::string_view rendered = render_request_head(context_.scratch, request);
  if (rendered.empty()) return own_response(Reason::HeadTooLarge);
  response_parser_.reset(method_ == kMethodHead);
  to_backend_.add_scratch(rendered, context_.scratch.size() - rendered.size());
  request_ = RequestState::Sending;
  response_ = ResponseState::AwaitHead;
  context_.flights.phase(flight_, flight::Phase::SendingRequest);
  // What has come of the body goes with the head, in one write.
  if (!request_body_.done() && client_->has_input() && take_request_body() == Alive::No) return Alive::No;
  if (request_ == RequestState::Done) return Alive::Yes;  // refused: our answer is on its way
  return pump_request();
}

/// Moves what there is of the body from the client's inbox to the outbox.
Alive Exchange::take_request_body() {
  const BodyFraming framing{request_body_.kind() == http1::BodyKind::Chunked, false};
  const BodyProgress progress = pump_body(request_body_, client_->inbox(), to_backend_, framing);
  const uint64_t limit = rules_->max_body_size;
  const bool too_large = limit > 0 && request_body_.bytes() > limit;
  if (progress == BodyProgress::Malformed || too_large) {
    const Reason reason = too_large ? Reason::RequestBodyTooLarge : Reason::BadRequestBody;
    close_after_ = true;
    to_backend_.reset();
    if (response_begun_) return finish(reason, false);
    return own_response(reason);
  }
  body_forwarded_ = true;
  return Alive::Yes;
}

Alive Exchange::pump_request() {
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    switch (to_backend_.flush(backend_->transport(), context_.buffers)) {
      case Outbox::Flush::Blocked:
        return Alive::Yes;
      case Outbox::Flush::Failed:
        return backend_write_failed();
      case Outbox::Flush::Drained:
        break;
    }
    if (request_body_.done()) return request_sent();
    if (!client_->has_input()) {
      if (!client_->readable()) {
        client_->await_more();
        return Alive::Yes;
      }
      if (read_request_body() == Alive::No) return Alive::No;
      if (request_ == RequestState::Done) return Alive::Yes;
    }
    if (client_->has_input() && take_request_body() == Alive::No) return Alive::No;
    if (request_ == RequestState::Done) return Alive::Yes;  // as above
  }
  client_->yield();
  return Alive::Yes;
}

Alive Exchange::read_request_body() {
  const bool spliced = request_body_.bytes_left() >= kSpliced && !backend_->transport().is_tls();
  const IoResult result = spliced ? splice_request_body() : client_->fill();
  switch (result.kind) {
    case IoResult::Kind::Ok:
    case IoResult::Kind::WouldBlock:
      return Alive::Yes;
    case IoResult::Kind::Eof:
      return response_begun_ ? upload_given_up() : client_lost(Reason::ClientClosed);
    case IoResult::Kind::Failed:
      return client_lost(Reason::ClientReset);
  }
  return Alive::Yes;
}

/// As splice_response_body(). What the body may be long was compared with its length before.
IoResult Exchange::splice_request_body() {
  Pipe* const pipe = to_backend_.take_pipe(context_.pipes);
  if (pipe == nullptr) return client_->fill();
  const IoResult result =
      client_->fill_pipe(*pipe, std::min<uint64_t>(request_body_.bytes_left(), PipePool::kCapacity));
  request_body_.passed(pipe->held);
  if (pipe->held == 0)
    to_backend_.discard();
  else
    body_forwarded_ = true;
  return result;
}

/// The client has seen the answer begin and stops sending (RFC 9112 §9.5): it still wants that answer.
Alive Exchange::upload_given_up() {
  request_ = RequestState::Done;
  request_broken_ = true;
  close_after_ = true;
  to_backend_.reset();
  sent_ms_ = context_.loop.now_ms();
  note_half_close();
  return Alive::Yes;
}

Alive Exchange::request_sent() {
  request_ = RequestState::Done;
  sent_ms_ = context_.loop.now_ms();
  if (!response_begun_) context_.flights.phase(flight_, flight::Phase::AwaitingAnswer);
  if (!response_begun_ && rules_->response_header_timeout.count() + rules_->read_timeout.count() > 0) update_deadline();
  return client_->peer_closed() ? check_client_left() : Alive::Yes;
}

/// The backend takes no more of the request. It may have answered before it closed: that answer counts.
Alive Exchange::backend_write_failed() {
  request_ = RequestState::Done;
  request_broken_ = backend_reset_ = true;
  to_backend_.reset();
  if (!request_body_.done()) close_after_ = true;
  sent_ms_ = context_.loop.now_ms();
  // Not read at once: what the client has not taken yet may still stand in the backend's inbox.
  backend_->assume_readable();
  return pump_response();
}

}  // namespace restgate::worker
