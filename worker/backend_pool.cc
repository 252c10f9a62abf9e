#include "worker/backend_pool.h"

#include <algorithm>
#include <utility>

namespace restgate::worker {

BackendPool::BackendPool(Context& context, Resolver& resolver, const config::Service& service, uint32_t index,
                         TlsContext* tls)
    : context_(context),
      service_(service),
      index_(index),
      endpoints_(resolver, context.loop, service.url.host, service.url.port),
      tls_(tls) {
  endpoints_.set_failure_hook([this] { context_.stats.add(stats::ServiceCounter::ResolveFailures, index_); });
  endpoints_.set_change_hook([this] {
    tell_endpoints();
    close_departed();
  });
  tell_endpoints();
}

BackendPool::~BackendPool() = default;

BackendPool::Lease BackendPool::acquire(BackendUser& user, Want want) {
  if (BackendConnection* idle = take_idle(want)) {
    (void)endpoints_.resolved();  // a use of the name, too: a change of its addresses must not go unseen
    context_.stats.add(stats::ServiceCounter::Reuses, index_);
    idle->lend(user, want == Want::Sound);
    return {idle};
  }
  auto created = std::make_unique<BackendConnection>(*this, context_);
  BackendConnection& connection = *created;
  connection.pool_index = all_.size();
  all_.push_back(std::move(created));
  const Reason failure = connection.open(user);
  if (failure != Reason::None) return {nullptr, failure, connection.address_text()};
  return {&connection};
}

BackendConnection* BackendPool::take_idle(Want want) {
  while (want != Want::Fresh && !idle_.empty()) {
    BackendConnection& connection = *idle_.back();
    if (want == Want::Any || connection.still_silent()) {
      idle_.pop_back();
      return &connection;
    }
    connection.close();
  }
  return nullptr;
}

void BackendPool::release(BackendConnection& connection, bool reusable, uint32_t keep_alive_s) {
  if (reusable && connection.ready() && !connection.peer_closed() && !connection.has_input() && connection.readable())
    (void)connection.fill();  // an edge is left that may be the backend's end, or bytes that nobody asked for
  if (!reusable || !connection.ready() || connection.peer_closed() || connection.has_input() || connection.departed() ||
      idle_.size() >= kMaxIdle || context_.drain != Drain::None)
    return connection.close();
  int64_t idle_ms = kIdleMs;
  // One second less than the backend says, so that a request does not cross its close on the way.
  if (keep_alive_s > 0) idle_ms = std::min<int64_t>(idle_ms, (static_cast<int64_t>(keep_alive_s) - 1) * 1000);
  if (idle_ms <= 0) return connection.close();
  connection.rest(context_.loop.now_ms() + idle_ms);
  idle_.push_back(&connection);
}

void BackendPool::close_idle() {
  while (!idle_.empty()) idle_.back()->close();
}

void BackendPool::tell_endpoints() {
  context_.stats.set(stats::ServiceGauge::Endpoints, index_, static_cast<int64_t>(endpoints_.size()));
}

/// The name has other addresses now: nothing more goes to those that it has no longer.
void BackendPool::close_departed() {
  const std::vector<BackendConnection*> idle = idle_;
  for (BackendConnection* connection : idle)
    if (connection->departed()) connection->close();
}

void BackendPool::remove_from_idle(BackendConnection& connection) {
  const auto it = std::find(idle_.rbegin(), idle_.rend(), &connection);
  if (it != idle_.rend()) idle_.erase(std::next(it).base());
}

void BackendPool::forget(BackendConnection& connection) {
  const size_t index = connection.pool_index;
  std::unique_ptr<BackendConnection> owned = std::move(all_[index]);
  if (index + 1 != all_.size()) {
    all_[index] = std::move(all_.back());
    all_[index]->pool_index = index;
  }
  all_.pop_back();
  context_.graveyard.bury(std::move(owned));
}

}  // namespace restgate::worker
