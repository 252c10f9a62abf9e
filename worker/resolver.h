// Resolver: names to addresses without ever blocking the loop (c-ares); created after fork, one per worker.
// EndpointSet: the addresses of one service's host, kept fresh; owned by the service's backend pool. Worker.
//
// The hosts file comes first, then DNS as resolv.conf says (nameservers, search domains, ndots, rotate), both families
// at once. Both files are looked at again on demand, at most every few seconds, and read anew when they have changed.
//
// Not evdns: libevent 2.1 knows no TCP and takes an answer that is too long for a datagram (some thirty addresses) for
// a name that does not exist, keeps 32 addresses at most, and probes its servers by asking for a foreign domain.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/address.h"

namespace restgate::worker {

using platform::Address;

/// What became of a lookup: addresses, or an error text. The addresses have port 0, alternate between the families and
/// repeat nothing; those that this machine has no route to are left out, unless they are all there is.
struct Resolution {
  std::vector<Address> addresses;
  uint32_t ttl_s = 0;  ///< seconds for which the answer may be used; kNoExpiry: it cannot change (a literal)
  std::string error;   ///< "": there are addresses

  static constexpr uint32_t kNoExpiry = UINT32_MAX;
  [[nodiscard]] bool ok() const { return error.empty(); }
};

/// Where the system's settings are; tests use their own.
struct ResolverSettings {
  std::string resolv_conf = "/etc/resolv.conf";
  std::string hosts = "/etc/hosts";
  std::string nameservers;  ///< "192.0.2.1:5353,[2001:db8::1]:53" in place of resolv.conf's, which has no ports
  std::chrono::milliseconds timeout{2'000};     ///< for a server's answer; doubles from try to try
  int tries = 3;                                ///< per server
  std::chrono::milliseconds file_check{3'000};  ///< a file is looked at again at most so often
};

class Resolver {
 public:
  /// A lookup that is under way. Destroying it cancels it: its callback will not be called.
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };
  using Callback = std::function<void(const Resolution&)>;

  explicit Resolver(EventLoop& loop, ResolverSettings settings = {});
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  /// No Lookup may be left.
  ~Resolver();

  /// Looks a name up. `done` is called once, from the loop, never from within this call, also for literals. It may
  /// destroy the Lookup and start others.
  [[nodiscard]] std::unique_ptr<Lookup> resolve(const std::string& host, Callback done);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The addresses of one service's host in this worker. Begins to resolve at once, and again when the TTL (clamped to 1
/// s … 1 h) has run out, if it was used meanwhile; without use it rests, and the next use waits for a new answer (a
/// second at most where there are old addresses). A failure leaves the last answer in use and is tried again after 1 s,
/// doubling to 30 s, as long as it is used. A literal is never looked up.
class EndpointSet {
 public:
  enum class State : uint8_t { Resolving, Ok, Failed };

  /// Its callback is called once, at the first answer or failure; destroying it cancels.
  class Waiter {
   public:
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter();

   private:
    friend class EndpointSet;
    Waiter(EndpointSet& set, std::function<void()> on_answer);
    EndpointSet* set_;  // null once it was called
    std::function<void()> on_answer_;
    std::list<Waiter*>::iterator place_;
  };

  EndpointSet(Resolver& resolver, EventLoop& loop, std::string host, uint16_t port);
  EndpointSet(const EndpointSet&) = delete;
  EndpointSet& operator=(const EndpointSet&) = delete;
  /// Not from one of its callbacks; waiters that are left are never called.
  ~EndpointSet();

  /// Whether there is something to act upon now (addresses, or a failure); if so, there is no need to wait().
  /// Counts as a use.
  [[nodiscard]] bool resolved();
  /// `on_answer` is called when resolved() holds, from the loop, never from within this call. Counts as a use.
  [[nodiscard]] std::unique_ptr<Waiter> wait(std::function<void()> on_answer);

  /// A turn of its own for somebody who wants to connect: the addresses that he tries are at(turn), at(turn + 1) and so
  /// on, whatever others do meanwhile. Counts as a use.
  [[nodiscard]] size_t take_turn();
  /// Null when there is no address. Valid until the loop's next turn.
  [[nodiscard]] const Address* at(size_t turn) const;
  [[nodiscard]] size_t size() const { return addresses_.size(); }
  /// Whether this is still one of the addresses.
  [[nodiscard]] bool has(const Address& address) const;
  /// Grows whenever the addresses change.
  [[nodiscard]] uint32_t version() const { return version_; }

  /// How the latest finished lookup went. With Failed there may still be (stale) addresses.
  [[nodiscard]] State state() const { return state_; }
  /// With Failed: why.
  [[nodiscard]] const std::string& error() const { return error_; }
  /// Called at each failed lookup (statistics).
  void set_failure_hook(std::function<void()> hook) { on_failure_ = std::move(hook); }
  /// Called when other addresses have come in the place of old ones.
  void set_change_hook(std::function<void()> hook) { on_change_ = std::move(hook); }

 private:
  void look_up();
  void on_resolution(const Resolution& resolution);
  void note_success(const Resolution& resolution);
  void note_failure(const Resolution& resolution);
  void on_refresh_timer();
  void wake_waiters();

  Resolver& resolver_;
  std::string host_;
  uint16_t port_;
  std::vector<Address> addresses_;
  uint32_t version_ = 0;
  size_t turn_;
  State state_ = State::Resolving;
  std::string error_;
  bool answered_ = false;  // resolved() holds
  bool resting_ = false;   // the answer is out of date and nobody has asked since
  bool used_ = true;       // since the latest lookup began
  uint32_t failures_ = 0;  // in a row
  std::unique_ptr<Resolver::Lookup> lookup_;
  std::list<Waiter*> waiters_;
  std::function<void()> on_failure_;
  std::function<void()> on_change_;
  TimerEvent refresh_timer_;  // the next refresh or retry
  TimerEvent wake_timer_;     // waiters are called from the loop; also bounds their wait for a refresh
};

}  // namespace restgate::worker
