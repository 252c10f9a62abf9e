#include "worker/tunnel.h"

#include <utility>

#include "worker/handover.h"

namespace restgate::worker {
namespace {

constexpr int kRoundsPerTurn = 4;

}  // namespace

Tunnel::Tunnel(Context& context) : context_(context), client_(context, *this), backend_(context, *this) {}

Tunnel::~Tunnel() = default;

bool Tunnel::Side::adopt(Connection& from, EventLoop& loop) {
  from.move_to(*this);
  // The new registration reports what is there already; an edge that was not read to its end must not be lost.
  readable_ = true;
  return event_.start(loop, transport_.fd(), *this);
}

void Tunnel::Side::stop() {
  event_.stop();
  transport_.close();
}

void Tunnel::Side::on_io(IoReady ready) {
  note(ready);
  tunnel_.pump();
}

void Tunnel::open(Connection& client, Connection& backend, std::string_view first_to_client) {
  closed_ = false;
  context_.stats.add(stats::Gauge::Tunnels, 1);
  context_.stats.add(stats::Counter::TunnelsOpened);
  if (!client_.adopt(client, context_.loop) || !backend_.adopt(backend, context_.loop)) return close();
  client_.out.add_scratch(first_to_client);
  touch();
  pump();
}

bool Tunnel::Side::adopt(UniqueFd fd, TunnelEnd end, std::string_view bytes, EventLoop& loop) {
  transport_ = Transport(std::move(fd));
  eof = end.eof;
  ended = end.ended;
  if (!bytes.empty()) inbox_ = context_.buffers.take_with(bytes);
  readable_ = true;
  return event_.start(loop, transport_.fd(), *this);
}

std::string Tunnel::Side::waiting(const Side& other) const {
  std::string bytes;
  other.out.copy_unsent(bytes);
  if (inbox_) bytes += inbox_->view();
  return bytes;
}

void Tunnel::adopt(Parcel&& parcel) {
  closed_ = false;
  context_.stats.add(stats::Gauge::Tunnels, 1);
  EventLoop& loop = context_.loop;
  if (!client_.adopt(std::move(parcel.client), parcel.client_end, parcel.from_client, loop) ||
      !backend_.adopt(std::move(parcel.backend), parcel.backend_end, parcel.from_backend, loop))
    return close();
  pump();
}

bool Tunnel::hand_over() {
  if (closed_ || client_.transport().is_tls() || backend_.transport().is_tls()) return false;
  Parcel parcel;
  parcel.kind = ParcelKind::Tunnel;
  parcel.client_end = {client_.eof, client_.ended};
  parcel.backend_end = {backend_.eof, backend_.ended};
  parcel.from_client = client_.waiting(backend_);
  parcel.from_backend = backend_.waiting(client_);
  parcel.client = client_.lend_fd();
  parcel.backend = backend_.lend_fd();
  if (!context_.handover->offer(parcel)) {
    client_.give_back(std::move(parcel.client));
    backend_.give_back(std::move(parcel.backend));
    return false;
  }
  close();  // its events end before the parcel closes the descriptors
  return true;
}

void Tunnel::touch() {
  const int64_t idle_ms = context_.config.tunnel_idle_timeout.count();
  if (idle_ms > 0) context_.timers.set(*this, context_.loop.now_ms() + idle_ms);
}

void Tunnel::on_deadline() {
  close();
}

void Tunnel::pump() {
  if (closed_) return;
  context_.pulse.work_done();
  context_.flights.rest();  // whatever goes wrong from here on, no request is to blame
  touch();
  if (!pump_direction(backend_, client_) || !pump_direction(client_, backend_)) return close();
  if (client_.ended && backend_.ended) close();
}

bool Tunnel::pump_direction(Side& from, Side& to) {
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    switch (to.out.flush(to.transport(), context_.buffers)) {
      case Outbox::Flush::Blocked:
        return true;
      case Outbox::Flush::Failed:
        return false;
      case Outbox::Flush::Drained:
        break;
    }
    if (from.ended) return true;
    if (from.has_input()) {
      const std::string_view bytes = from.inbox().view();
      to.out.add(bytes);
      from.inbox().consume(bytes.size());  // they stay where they are: nothing is read before the outbox is empty
      continue;
    }
    if (from.eof) {
      from.ended = true;
      return to.transport().shutdown_send();
    }
    if (!from.readable()) {
      from.await_more();
      from.drop_empty_inbox();
      return true;
    }
    const IoResult result = from.fill();
    if (result.kind == IoResult::Kind::Failed) return false;
    from.eof = result.kind == IoResult::Kind::Eof;
  }
  if (!std::exchange(yielded_, true)) {
    context_.tunnels->yielded_.push_back(this);
    context_.loop.request_turn();
  }
  return true;
}

void Tunnel::close() {
  if (std::exchange(closed_, true)) return;
  context_.stats.add(stats::Gauge::Tunnels, -1);
  TimerWheel::clear(*this);
  client_.stop();
  backend_.stop();
  context_.tunnels->forget(*this);
}

void TunnelSet::open(Connection& client, Connection& backend, std::string_view first_to_client) {
  auto tunnel = std::make_unique<Tunnel>(context_);
  Tunnel& opened = *tunnel;
  opened.set_index = all_.size();
  all_.push_back(std::move(tunnel));
  opened.open(client, backend, first_to_client);
}

void TunnelSet::adopt(Parcel&& parcel) {
  auto tunnel = std::make_unique<Tunnel>(context_);
  Tunnel& adopted = *tunnel;
  adopted.set_index = all_.size();
  all_.push_back(std::move(tunnel));
  adopted.adopt(std::move(parcel));
}

void TunnelSet::hand_over_all() {
  // From the end: one that goes is replaced by the last one, which has been asked already.
  for (size_t i = all_.size(); i-- > 0;)
    if (!all_[i]->hand_over() && context_.handover->refusing()) return;
}

void TunnelSet::forget(Tunnel& tunnel) {
  if (tunnel.yielded_) std::erase(yielded_, &tunnel);
  const size_t index = tunnel.set_index;
  std::unique_ptr<Tunnel> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->set_index = index;
  }
  all_.pop_back();
  context_.graveyard.bury(std::move(owned));
}

void TunnelSet::close_all() {
  while (!all_.empty()) all_.back()->close();
}

void TunnelSet::resume_yielded() {
  std::vector<Tunnel*> ready;
  ready.swap(yielded_);
  for (Tunnel* tunnel : ready) tunnel->yielded_ = false;
  for (Tunnel* tunnel : ready) tunnel->pump();  // a closed one is in the graveyard still
}

}  // namespace restgate::worker
