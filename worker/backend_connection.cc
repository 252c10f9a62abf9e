#include "worker/backend_connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "worker/backend_pool.h"

namespace restgate::worker {
namespace {

Reason reason_of_connect_error(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Reason::BackendConnectRefused;
    case ETIMEDOUT:
      return Reason::BackendConnectTimeout;
    default:
      return Reason::BackendConnectFailed;
  }
}

// Of a name with many addresses, so many are tried for one request.
constexpr uint8_t kMaxAddresses = 4;

}  // namespace

BackendConnection::BackendConnection(BackendPool& pool, Context& context) : Connection(context), pool_(pool) {}

BackendConnection::~BackendConnection() = default;

void BackendConnection::set_state(State state) {
  using stats::ServiceGauge;
  const auto gauge = [](State of) {
    return of == State::Idle ? ServiceGauge::ConnectionsIdle : ServiceGauge::ConnectionsActive;
  };
  if (state_ != State::Closed) context_.stats.add(gauge(state_), pool_.index(), -1);
  if (state != State::Closed) context_.stats.add(gauge(state), pool_.index(), 1);
  state_ = state;
}

Reason BackendConnection::open(BackendUser& user) {
  opening_ = true;
  user_ = &user;
  set_state(State::Resolving);
  if (context_.config.connect_timeout.count() > 0) {
    give_up_ms_ = context_.loop.now_ms() + context_.config.connect_timeout.count();
    context_.timers.set(*this, give_up_ms_);
  }
  if (pool_.endpoints_.resolved())
    on_resolved();
  else
    waiter_ = pool_.endpoints_.wait([this] { on_resolved(); });
  opening_ = false;
  return open_failure_;
}

void BackendConnection::on_resolved() {
  waiter_.reset();
  if (pool_.service_.url.scheme == config::Scheme::Https && !pool_.tls_) return unavailable(Reason::BackendTlsFailed);
  turn_ = pool_.endpoints_.take_turn();
  connect_next();
}

/// How many more of the service's addresses there are to try for this request.
size_t BackendConnection::addresses_left() const {
  const size_t most = std::min<size_t>(kMaxAddresses, pool_.endpoints_.size());
  return most > addresses_tried_ ? most - addresses_tried_ : 0;
}

void BackendConnection::connect_next() {
  Reason reason = Reason::BackendUnresolved;
  for (size_t left = addresses_left(); left > 0; --left) {
    event_.stop();
    transport_.close();
    peer_closed_ = readable_ = false;
    limit_attempt(left);
    ++addresses_tried_;
    context_.stats.add(stats::ServiceCounter::Connects, pool_.index());
    if (start_connecting(*pool_.endpoints_.at(turn_++), reason)) return;
    context_.stats.add(stats::ServiceCounter::ConnectFailures, pool_.index());
  }
  unavailable(reason);
}

bool BackendConnection::start_connecting(const platform::Address& address, Reason& failure) {
  address_text_ = address.to_string();
  auto started = platform::connect_tcp(address.get(), address.length());
  if (!started.ok()) {
    failure = reason_of_connect_error(started.error().sys_errno);
    return false;
  }
  failure = Reason::BackendConnectFailed;
  UniqueFd fd = std::move(started).value();
  const int number = fd.get();
  std::unique_ptr<TlsClient> tls;
  if (pool_.tls_) {
    tls = pool_.tls_->new_client(number);
    if (!tls) return false;  // out of memory; never in the clear instead
  }
  transport_ = Transport(std::move(fd), std::move(tls));
  address_ = address;
  known_version_ = pool_.endpoints_.version();
  set_state(State::Connecting);
  return event_.start(context_.loop, number, *this);
}

/// An address that does not answer must not use up the time of those after it: each gets an even share of what is left.
void BackendConnection::limit_attempt(size_t addresses_left) {
  if (give_up_ms_ == 0) return;
  const int64_t now_ms = context_.loop.now_ms();
  context_.timers.set(*this, now_ms + (give_up_ms_ - now_ms) / static_cast<int64_t>(addresses_left));
}

void BackendConnection::on_connected() {
  const int error = platform::socket_error(transport_.fd());
  if (error != 0) return attempt_failed(reason_of_connect_error(error));
  if (give_up_ms_ > 0) context_.timers.set(*this, give_up_ms_);
  set_state(State::Handshaking);
  go_on_with_handshake();
}

void BackendConnection::attempt_failed(Reason reason) {
  context_.stats.add(stats::ServiceCounter::ConnectFailures, pool_.index());
  if (addresses_left() > 0) return connect_next();
  unavailable(reason);
}

void BackendConnection::go_on_with_handshake() {
  const IoResult result = transport_.handshake();
  switch (result.kind) {
    case IoResult::Kind::Ok:
      return become_ready();
    case IoResult::Kind::WouldBlock:
      return;
    case IoResult::Kind::Eof:
    case IoResult::Kind::Failed:
      log::warn("TLS handshake with a backend failed",
                {{"service", pool_.service_.name}, {"error", transport_.failure()}});
      return unavailable(Reason::BackendTlsFailed);
  }
}

void BackendConnection::become_ready() {
  TimerWheel::clear(*this);
  set_state(State::Lent);
  exchanges_ = 1;
  user_->on_backend_ready();
}

void BackendConnection::unavailable(Reason reason) {
  BackendUser* user = user_;
  close();
  if (opening_)
    open_failure_ = reason;
  else if (user != nullptr)
    user->on_backend_unavailable(reason);
}

bool BackendConnection::still_silent() {
  const bool silent = !peer_closed_ && fill().kind == IoResult::Kind::WouldBlock;
  drop_empty_inbox();
  return silent;
}

bool BackendConnection::departed() {
  if (known_version_ == pool_.endpoints_.version()) return false;
  if (!pool_.endpoints_.has(address_)) return true;
  known_version_ = pool_.endpoints_.version();
  return false;
}

void BackendConnection::lend(BackendUser& user, bool sound) {
  user_ = &user;
  ++exchanges_;
  lent_turn_ = sound ? 0 : context_.loop.turn();
  assumed_drained_ = false;  // of the exchange before
  TimerWheel::clear(*this);
  set_state(State::Lent);
}

void BackendConnection::rest(int64_t idle_until_ms) {
  user_ = nullptr;
  drop_empty_inbox();
  set_state(State::Idle);
  context_.timers.set(*this, idle_until_ms);
}

void BackendConnection::close() {
  if (state_ == State::Closed) return;
  if (state_ == State::Idle) pool_.remove_from_idle(*this);
  set_state(State::Closed);
  user_ = nullptr;
  waiter_.reset();
  TimerWheel::clear(*this);
  event_.stop();
  transport_.close();
  pool_.forget(*this);
}

void BackendConnection::on_io(IoReady ready) {
  context_.pulse.work_done();
  note(ready);
  switch (state_) {
    case State::Connecting:
      if (ready.writable || ready.peer_closed) on_connected();
      break;
    case State::Handshaking:
      go_on_with_handshake();
      break;
    case State::Lent:
      // Perhaps the edge of an answer that has been read already, and these bytes are those asked for: sending again
      // does no harm then.
      if (ready.readable && lent_turn_ == context_.loop.turn())
        spoke_unasked_ = fill().kind != IoResult::Kind::WouldBlock;
      user_->on_backend_io();
      break;
    case State::Idle:
      // The backend has closed, or sent what nobody asked for: either way it serves no more. (A TLS session may get
      // a ticket, which is no data.)
      if (ready.readable && !still_silent()) close();
      break;
    case State::Resolving:
    case State::Closed:
      break;
  }
}

void BackendConnection::on_deadline() {
  if (state_ == State::Idle) return close();
  if (state_ == State::Connecting) return attempt_failed(Reason::BackendConnectTimeout);
  unavailable(Reason::BackendConnectTimeout);
}

}  // namespace restgate::worker
