#include "worker/client_connection.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "worker/handover.h"
#include "worker/proxy_protocol.h"

namespace restgate::worker {
namespace {

// How long we read on after our last bytes, so that a reset does not destroy them on their way (RFC 9112 §9.6).
constexpr int64_t kLingerMs = 2'000;
// How long they wait at most for a client that does not take them, where idle_timeout is off.
constexpr int64_t kLongestPartingMs = 120'000;
// Exchanges that a connection may go through in one turn before others get theirs.
constexpr int kExchangesPerTurn = 64;
// Empty lines between two requests that are passed over here; more of them are the parser's to judge.
constexpr uint8_t kMaxEmptyLines = 4;
// Whoever can connect could fill the log otherwise.
constexpr int64_t kWarningEveryMs = 10'000;

}  // namespace

ClientConnection::ClientConnection(Context& context, UniqueFd fd, const ClientFacts& facts, std::string_view bytes)
    : Connection(context), trust_(trust_of(facts.address_text(), context.config)), facts_(facts) {
  transport_ = Transport(std::move(fd));
  if (!bytes.empty()) keep_input(bytes);
}

ClientConnection::~ClientConnection() = default;

void ClientConnection::start() {
  set_state(State::Idle);
  if (!event_.start(context_.loop, transport_.fd(), *this)) return close();
  // A new connection must begin with a request soon; an old one may rest for idle_timeout.
  const config::Config& config = context_.config;
  const int64_t wait_ms = (facts_.requests == 0 ? config.read_header_timeout : config.idle_timeout).count();
  if (wait_ms > 0) context_.timers.set(*this, facts_.since_ms + wait_ms);
  if (has_input()) advance();
}

void ClientConnection::keep_input(std::string_view bytes) {
  BufferPool& pool = bytes.size() <= context_.snug_buffers.buffer_capacity() ? context_.snug_buffers : context_.buffers;
  inbox_ = pool.take_with(bytes);
}

IoResult ClientConnection::fill_first() {
  if (inbox_) {
    if (inbox_->room_size() == 0 && can_make_room()) make_room();
    return fill();
  }
  BufferPtr wide = context_.buffers.take();
  const IoResult result = fill_into(*wide);
  if (result.kind != IoResult::Kind::Ok) return result;
  if (result.bytes <= context_.snug_buffers.buffer_capacity())
    keep_input(wide->view());
  else
    inbox_ = std::move(wide);
  return result;
}

void ClientConnection::make_room() {
  if (snug())
    inbox_ = context_.buffers.take_with(inbox_->view());
  else
    inbox_->compact();
}

void ClientConnection::set_state(State state) {
  using stats::Gauge;
  const auto gauge = [](State of) { return of == State::Idle ? Gauge::ConnectionsIdle : Gauge::ConnectionsActive; };
  if (state_ != State::Closed) context_.stats.add(gauge(state_), -1);
  if (state != State::Closed) context_.stats.add(gauge(state), 1);
  state_ = state;
}

void ClientConnection::on_io(IoReady ready) {
  context_.pulse.work_done();
  note(ready);
  if (held_stuck()) [[unlikely]]
    (void)send_held();
  switch (state_) {
    case State::Idle:
      if (ready.readable) advance();
      break;
    case State::Busy:
      // Without an exchange it has used up its share of a turn: resume() goes on.
      if (exchange_) (void)exchange_->on_client_io();
      break;
    case State::Lingering:
      parting_ ? discard_input() : part();
      break;
    case State::Closed:
      break;
  }
}

void ClientConnection::advance() {
  if (advancing_) return;  // the loop further up the stack goes on
  advancing_ = true;
  int share = kExchangesPerTurn;
  while (state_ == State::Idle || (state_ == State::Busy && !exchange_)) {
    if (context_.drain == Drain::HandOver && hand_over()) break;
    if (!facts_.proxied && has_input()) take_proxy_header();
    if (state_ == State::Closed) break;
    if (facts_.proxied) skip_empty_lines();
    if (!has_input() || !facts_.proxied) {
      if (!readable()) {
        if (!has_input()) become_idle();
        break;
      }
      const IoResult result = fill_first();
      if (result.kind == IoResult::Kind::Eof || result.kind == IoResult::Kind::Failed) on_end_of_input();
      continue;
    }
    if (--share < 0) {
      yield();
      break;
    }
    set_state(State::Busy);
    exchange_ = context_.exchanges->take();
    ++facts_.requests;
    empty_lines_ = 0;
    exchange_->start(*this, std::exchange(facts_.head_begun, false) ? facts_.since_ms * 1000 : 0);
  }
  advancing_ = false;
}

/// An empty line after a request is an old habit of clients (RFC 9112 §2.2): it begins nothing, and the connection that
/// ends with it is idle and holds no buffer.
void ClientConnection::skip_empty_lines() {
  while (has_input() && *inbox_->begin() == '\r' && empty_lines_ < kMaxEmptyLines &&
         inbox_->view().substr(0, 2) == "\r\n") {
    inbox_->consume(2);
    ++empty_lines_;
  }
}

/// Looks at what has come of the PROXY header (proxy_protocol.h), which goes before all else.
void ClientConnection::take_proxy_header() {
  const ProxyHeader header = parse_proxy_header(inbox_->view());
  switch (header.verdict) {
    case ProxyHeader::Verdict::NeedMore:
      return;
    case ProxyHeader::Verdict::Malformed:
      return refuse_proxy_header("malformed");
    case ProxyHeader::Verdict::Done:
      break;
  }
  inbox_->consume(header.length);
  facts_.proxied = true;
  if (!header.client) return;
  facts_.address_size = static_cast<uint8_t>(platform::format_address(*header.client->get(), facts_.address));
  trust_ = trust_of(address(), context_.config);
}

void ClientConnection::refuse_proxy_header(std::string_view why) {
  context_.stats.error(stats::kUnmatchedRoute, Reason::BadProxyHeader);
  context_.clients->log_refusal(address(), why);
  close();
}

/// The client's direction has ended, or the connection has.
void ClientConnection::on_end_of_input() {
  // Who connects and leaves without a byte looks whether the port is open.
  if (!facts_.proxied && has_input()) return refuse_proxy_header("incomplete");
  if (holds()) return linger();
  close();
}

void ClientConnection::become_idle() {
  inbox_.reset();
  if (state_ == State::Idle) return;  // nothing has come: its deadline stands
  set_state(State::Idle);
  facts_.since_ms = context_.loop.now_ms();
  // An answer that had begun before the drain did not announce the end: the client may be sending a request just now.
  const int64_t idle_ms =
      context_.drain == Drain::Close ? context_.drain_grace_ms : context_.config.idle_timeout.count();
  if (idle_ms > 0)
    context_.timers.set(*this, facts_.since_ms + idle_ms);
  else
    TimerWheel::clear(*this);
}

bool ClientConnection::hand_over() {
  const bool in_head = state_ == State::Busy && exchange_ && exchange_->in_head();
  if (probe_ || !(in_head || state_ == State::Idle || (state_ == State::Busy && !exchange_))) return false;
  if (send_held() == Outbox::Flush::Blocked) return false;
  Parcel parcel;
  parcel.kind = ParcelKind::Client;
  parcel.facts = facts_;
  if (has_input() && !facts_.proxied) {
    parcel.from_client = inbox_->view();
  } else if (has_input()) {
    parcel.facts.head_begun = true;
    parcel.facts.since_ms = in_head ? exchange_->started_us() / 1000 : context_.loop.now_ms();
    parcel.from_client = inbox_->view();
  }
  if (in_head) --parcel.facts.requests;
  parcel.client = transport_.release_fd();
  if (!context_.handover->offer(parcel)) {
    transport_ = Transport(std::move(parcel.client));
    return false;
  }
  event_.stop();  // before the descriptor is closed: others hold the connection too, and epoll would go on about it
  if (in_head) context_.exchanges->give_back(std::move(exchange_));
  close();
  return true;
}

void ClientConnection::exchange_over(After after, bool more_to_come) {
  TimerWheel::clear(*this);
  context_.exchanges->give_back(std::move(exchange_));
  switch (after) {
    case After::Keep:
      if (inbox_) inbox_->unpin();
      return advance();
    case After::Close:
      if (more_to_come || has_input() || readable() || holds()) return linger();
      return close();
    case After::Reset:
      platform::reset_on_close(transport_.fd());
      return close();
  }
}

void ClientConnection::set_deadline(int64_t when_ms) {
  if (when_ms > 0)
    context_.timers.set(*this, when_ms);
  else
    TimerWheel::clear(*this);
}

void ClientConnection::yield() {
  if (yielded_) return;
  yielded_ = true;
  context_.clients->queue(*this);
}

void ClientConnection::resume() {
  context_.pulse.work_done();
  yielded_ = false;
  if (state_ == State::Busy && exchange_)
    exchange_->resume();
  else if (state_ == State::Lingering)
    parting_ ? discard_input() : part();
  else
    advance();
}

void ClientConnection::linger() {
  set_state(State::Lingering);
  inbox_.reset();
  const int64_t idle_ms = context_.config.idle_timeout.count();
  context_.timers.set(*this, context_.loop.now_ms() + (idle_ms > 0 ? idle_ms : kLongestPartingMs));
  part();
}

/// Ends our direction, once the client has taken what is held for it.
void ClientConnection::part() {
  if (send_held() == Outbox::Flush::Blocked) return;
  parting_ = true;
  if (peer_closed() && !readable()) return close();
  if (!transport_.shutdown_send()) return close();
  context_.timers.set(*this, context_.loop.now_ms() + kLingerMs);
  discard_input();
}

void ClientConnection::discard_input() {
  for (int share = kExchangesPerTurn; readable() && share > 0; --share) {
    const IoResult result = fill();
    if (result.kind == IoResult::Kind::Eof || result.kind == IoResult::Kind::Failed) return close();
    inbox_.reset();
  }
  if (readable()) yield();
}

void ClientConnection::on_deadline() {
  if (state_ == State::Busy && exchange_) return exchange_->on_client_deadline();
  if (!facts_.proxied && context_.drain != Drain::Close) return refuse_proxy_header("too late");
  if (state_ == State::Idle && holds()) return linger();
  close();
}

void ClientConnection::drain(int64_t grace_ms) {
  if (state_ == State::Idle)
    context_.timers.set(*this, context_.loop.now_ms() + grace_ms);
  else if (state_ == State::Busy && exchange_)
    exchange_->last_one();
}

void ClientConnection::abort(Reason reason) {
  if (state_ == State::Busy && exchange_) exchange_->abandon(reason);
  close();
}

void ClientConnection::detached() {
  context_.exchanges->give_back(std::move(exchange_));
  close();
}

void ClientConnection::close() {
  if (state_ == State::Closed) return;
  set_state(State::Closed);
  TimerWheel::clear(*this);
  event_.stop();
  if (holds()) {
    (void)send_held();
    context_.held_answers.drop(held_);
  }
  transport_.close();
  context_.clients->forget(*this);
}

ClientConnection& ClientSet::insert(std::unique_ptr<ClientConnection> connection) {
  connection->set_index = static_cast<uint32_t>(all_.size());
  return *all_.emplace_back(std::move(connection));
}

void ClientSet::add(UniqueFd fd, const platform::Address& address) {
  ClientFacts facts;
  facts.address_size = static_cast<uint8_t>(platform::format_address(*address.get(), facts.address));
  facts.since_ms = context_.loop.now_ms();
  facts.proxied = !context_.config.proxy_protocol;
  context_.stats.add(stats::Counter::ConnectionsAccepted);
  insert(std::make_unique<ClientConnection>(context_, std::move(fd), facts)).start();
}

void ClientSet::adopt(Parcel&& parcel) {
  insert(std::make_unique<ClientConnection>(context_, std::move(parcel.client), parcel.facts, parcel.from_client))
      .start();
}

void ClientSet::add_probe(UniqueFd fd) {
  ClientFacts facts;
  facts.since_ms = context_.loop.now_ms();
  ClientConnection& probe = insert(std::make_unique<ClientConnection>(context_, std::move(fd), facts));
  probe.be_probe();
  probe.start();
}

void ClientSet::hand_over_all() {
  // From the end: one that goes is replaced by the last one, which has been asked already.
  for (size_t i = all_.size(); i-- > 0;)
    if (!all_[i]->hand_over() && context_.handover->refusing()) return;
}

void ClientSet::log_refusal(std::string_view peer, std::string_view why) {
  const int64_t now_ms = context_.loop.now_ms();
  const bool loud = now_ms >= next_warning_ms_;
  log::write(loud ? LogLevel::Warn : LogLevel::Debug, "a connection without a good PROXY header is closed",
             {{"peer", peer}, {"header", why}});
  if (loud) next_warning_ms_ = now_ms + kWarningEveryMs;
}

void ClientSet::forget(ClientConnection& connection) {
  if (connection.yielded_) std::erase(yielded_, &connection);
  const uint32_t index = connection.set_index;
  std::unique_ptr<ClientConnection> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->set_index = index;
  }
  all_.pop_back();
  context_.graveyard.bury(std::move(owned));
}

void ClientSet::queue(ClientConnection& connection) {
  yielded_.push_back(&connection);
  context_.loop.request_turn();
}

void ClientSet::resume_yielded() {
  // One that yields again goes to the end and waits for the next turn.
  for (size_t turns = yielded_.size(); turns > 0 && !yielded_.empty(); --turns) {
    ClientConnection* next = yielded_.front();
    yielded_.erase(yielded_.begin());
    next->resume();
  }
}

void ClientSet::drain_all(int64_t grace_ms) {
  for (const auto& connection : all_) connection->drain(grace_ms);
}

void ClientSet::abort_all(Reason reason) {
  while (!all_.empty()) all_.back()->abort(reason);
}

}  // namespace restgate::worker
