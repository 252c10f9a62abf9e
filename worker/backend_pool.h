// BackendPool: the connections of one worker to one service. Last in, first out. Worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "worker/backend_connection.h"
#include "worker/context.h"
#include "worker/resolver.h"
#include "worker/tls_context.h"

namespace restgate::worker {

class BackendPool {
 public:
  /// `tls`: outlives it; null: the service is plain, or it has none (then nothing connects).
  BackendPool(Context& context, Resolver& resolver, const config::Service& service, uint32_t index, TlsContext* tls);
  BackendPool(const BackendPool&) = delete;
  BackendPool& operator=(const BackendPool&) = delete;
  ~BackendPool();

  /// A connection lent, or the reason why there is none.
  struct Lease {
    BackendConnection* connection = nullptr;
    Reason reason = Reason::None;
    std::string_view tried{};  ///< the address that failed at once, if it came so far; until the end of the turn
  };
  enum class Want : uint8_t {
    Any,    ///< what has gone stale meanwhile will do no harm: the request can be sent again
    Sound,  ///< an idle one only after a look at whether it has just been closed: costs a system call
    Fresh,  ///< a new one
  };
  /// Lends a connection: an idle one, ready at once; or a new one, of which `user` will hear later.
  Lease acquire(BackendUser& user, Want want);
  /// Takes a connection back. `reusable`: the exchange on it has ended cleanly and nothing more is expected from it.
  /// `keep_alive_s`: for how long the backend says it keeps it; 0: it does not say.
  void release(BackendConnection& connection, bool reusable, uint32_t keep_alive_s);
  /// Closes the idle connections (a drain).
  void close_idle();

  [[nodiscard]] const config::Service& service() const { return service_; }
  [[nodiscard]] uint32_t index() const { return index_; }

 private:
  friend class BackendConnection;
  void forget(BackendConnection& connection);  // called by its close()
  void remove_from_idle(BackendConnection& connection);
  [[nodiscard]] BackendConnection* take_idle(Want want);
  void close_departed();
  void tell_endpoints();

  static constexpr size_t kMaxIdle = 1024;
  static constexpr int64_t kIdleMs = 60'000;

  Context& context_;
  const config::Service& service_;
  const uint32_t index_;
  EndpointSet endpoints_;
  TlsContext* const tls_;
  std::vector<std::unique_ptr<BackendConnection>> all_;
  std::vector<BackendConnection*> idle_;
};

}  // namespace restgate::worker
