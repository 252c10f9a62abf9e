// Resolver: names to addresses without ever blocking the loop (evdns). EndpointSet: the addresses of one service, kept
// fresh. Worker; created after fork, one Resolver per worker.
//
// The hosts file comes first, then DNS as resolv.conf says (nameservers, search domains, ndots, timeout, attempts).
// Both files are looked at again on demand, at most every few seconds, and read anew when they have changed.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/address.h"

namespace restgate::worker {

using platform::Address;

/// What became of a lookup: addresses (port 0, no duplicates, the order of the families alternating), or an error text.
struct Resolution {
  std::vector<Address> addresses;
  uint32_t ttl_s = 0;      ///< how long the answer may be used; kNoExpiry: it cannot change (a literal)
  std::string error;       ///< "": there are addresses
  bool temporary = false;  ///< with an error: the servers did not answer; otherwise the name has no addresses

  static constexpr uint32_t kNoExpiry = UINT32_MAX;
  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Where the system's settings are; tests use their own.
struct ResolverFiles {
  std::string resolv_conf = "/etc/resolv.conf";
  std::string hosts = "/etc/hosts";
};

class Resolver {
 public:
  /// A lookup that is under way. Destroying it cancels it: its callback will not be called.
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };
  using Callback = std::function<void(const Resolution&)>;

  explicit Resolver(EventLoop& loop, ResolverFiles files = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// No Lookup may be left.
  ~Resolver();

  /// Looks a name up. `done` is called once, from the loop, never from within this call, also for literals. It may
  /// destroy the Lookup.
  [[nodiscard]] std::unique_ptr<Lookup> resolve(const std::string& host, Callback done);

 private:
  friend class LookupImpl;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The addresses of one service's host in this worker. Begins to resolve at once; again when the TTL (clamped to
/// 1 s … 1 h) has run out, if it was used meanwhile. A failure leaves the last answer in use and is tried again after
/// 1 s, doubling to 30 s. A literal is never looked up.
class EndpointSet {
 public:
  enum class State : uint8_t { Resolving, Ok, Failed };

  /// Its callback is called once, at the first answer or failure; destroying it cancels.
  class Waiter {
   public:
    ~Waiter();

   private:
    friend class EndpointSet;
    EndpointSet* set_ = nullptr;
    std::function<void()> on_answer_;
    std::list<Waiter*>::iterator place_;
  };

  EndpointSet(Resolver& resolver, EventLoop& loop, std::string host, uint16_t port);
  EndpointSet(const EndpointSet&) = delete;
  EndpointSet& operator=(const EndpointSet&) = delete;
  /// Waiters must be gone.
  ~EndpointSet();

  /// Whether there is an answer to act upon now (addresses, or a failure): then there is no need to wait().
  /// Marks the set as in use.
  [[nodiscard]] bool resolved();
  /// `on_answer` is called once resolved(), from the loop, never from within this call.
  [[nodiscard]] std::unique_ptr<Waiter> wait(std::function<void()> on_answer);

  /// The next address in turn; null when there is none. Valid until the loop's next turn.
  [[nodiscard]] const Address* next();
  [[nodiscard]] size_t size() const { return addresses_.size(); }

  /// How the latest lookup went. With Failed there may still be (stale) addresses.
  [[nodiscard]] State state() const { return state_; }
  /// With Failed: why.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// Called at each failed lookup (statistics).
  void set_failure_hook(std::function<void()> hook) { on_failure_ = std::move(hook); }

 private:
  void look_up();
  void on_resolution(const Resolution& resolution);
  void on_timer();
  void accept(const Resolution& resolution);
  void note_failure(const Resolution& resolution);
  void wake_waiters();

  Resolver& resolver_;
  EventLoop& loop_;
  std::string host_;
  uint16_t port_;
  std::vector<Address> addresses_;
  size_t turn_ = 0;
  State state_ = State::Resolving;
  std::string error_;
  bool answered_ = false;  // resolved() holds: neither the first lookup nor one after a long rest is under way
  bool used_ = true;       // since the latest lookup
  uint32_t failures_ = 0;  // in a row
  std::unique_ptr<Resolver::Lookup> lookup_;
  std::list<Waiter*> waiters_;
  std::function<void()> on_failure_;
  TimerEvent timer_;  // the next refresh or retry
  TimerEvent wake_;   // waiters are called from the loop
};

}  // namespace restgate::worker
