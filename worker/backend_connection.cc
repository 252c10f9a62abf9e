#include "worker/backend_connection.h"

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

BackendConnection::BackendConnection(BackendPool& pool, Context& context)
    : Connection(context.buffers), pool_(pool), context_(context) {}

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
  if (context_.config.connect_timeout.count() > 0)
    context_.timers.set(*this, context_.loop.now_ms() + context_.config.connect_timeout.count());
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
  connect_next();
}

void BackendConnection::connect_next() {
  event_.stop();
  transport_.close();
  Reason reason = Reason::BackendUnresolved;
  for (; addresses_tried_ < kMaxAddresses && addresses_tried_ <= pool_.endpoints_.size(); ++addresses_tried_) {
    const platform::Address* address = pool_.endpoints_.next();
    if (address == nullptr) break;
    context_.stats.add(stats::ServiceCounter::Connects, pool_.index());
    auto started = platform::connect_tcp(address->get(), address->length());
    if (!started.ok()) {
      reason = reason_of_connect_error(started.error().sys_errno);
      context_.stats.add(stats::ServiceCounter::ConnectFailures, pool_.index());
      continue;
    }
    ++addresses_tried_;
    UniqueFd fd = std::move(started).value();
    const int number = fd.get();
    transport_ = pool_.tls_ ? Transport(std::move(fd), pool_.tls_->new_client(number)) : Transport(std::move(fd));
    set_state(State::Connecting);
    if (event_.start(context_.loop, number, *this)) return;
    reason = Reason::BackendConnectFailed;
  }
  unavailable(reason);
}

void BackendConnection::on_connected() {
  const int error = platform::socket_error(transport_.fd());
  if (error == 0) {
    set_state(State::Handshaking);
    return go_on_with_handshake();
  }
  context_.stats.add(stats::ServiceCounter::ConnectFailures, pool_.index());
  if (addresses_tried_ < kMaxAddresses && addresses_tried_ < pool_.endpoints_.size()) {
    peer_closed_ = readable_ = false;
    return connect_next();
  }
  unavailable(reason_of_connect_error(error));
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

void BackendConnection::lend(BackendUser& user) {
  user_ = &user;
  ++exchanges_;
  lent_turn_ = context_.loop.turn();
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
  note(ready);
  switch (state_) {
    case State::Connecting:
      if (ready.writable || ready.peer_closed) on_connected();
      break;
    case State::Handshaking:
      go_on_with_handshake();
      break;
    case State::Lent:
      if (ready.readable && lent_turn_ == context_.loop.turn())
        spoke_unasked_ = fill().kind != IoResult::Kind::WouldBlock;
      user_->on_backend_io();
      break;
    case State::Idle:
      // The backend has closed, or sent what nobody asked for: either way it serves no more. (A TLS session may get
      // a ticket, which is no data.)
      if (ready.readable && (peer_closed_ || fill().kind != IoResult::Kind::WouldBlock)) close();
      drop_empty_inbox();
      break;
    case State::Resolving:
    case State::Closed:
      break;
  }
}

void BackendConnection::on_deadline() {
  if (state_ == State::Idle) return close();
  unavailable(Reason::BackendConnectTimeout);
}

}  // namespace restgate::worker
