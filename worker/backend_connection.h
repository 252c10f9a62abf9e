// BackendConnection: one connection to a service's backend, from name resolution to its end. Worker.
//
// Owned by its BackendPool. Lent to one user at a time; in between it is idle in the pool, with its read event on, so
// that a backend's close is seen before the connection is lent again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/reason.h"
#include "worker/connection.h"
#include "worker/context.h"
#include "worker/graveyard.h"
#include "worker/resolver.h"
#include "worker/timer_wheel.h"

namespace restgate::worker {

class BackendPool;

/// Who a backend connection is lent to.
class BackendUser {
 public:
  /// The connection can be written to. Not called for one that was idle: it is ready when acquire() returns.
  virtual void on_backend_ready() = 0;
  /// No connection could be had, or it was refused; it is not lent any more.
  virtual void on_backend_unavailable(Reason reason) = 0;
  /// Something happened on the ready connection.
  virtual void on_backend_io() = 0;

 protected:
  ~BackendUser() = default;
};

class BackendConnection final : public Mortal, public Connection, private Deadline {
 public:
  enum class State : uint8_t { Resolving, Connecting, Handshaking, Lent, Idle, Closed };

  BackendConnection(BackendPool& pool, Context& context);
  ~BackendConnection() override;

  /// Begins to connect on behalf of `user`, which hears of the outcome later, never from within this call.
  /// Anything but None: it has failed at once, and the connection is closed.
  [[nodiscard]] Reason open(BackendUser& user);
  /// Idle → lent. `sound`: it has just been found still_silent().
  void lend(BackendUser& user, bool sound);
  /// Lent → idle until `idle_until_ms`.
  void rest(int64_t idle_until_ms);
  void close();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool ready() const { return state_ == State::Lent; }
  /// Whether an exchange has been through it before: it may have gone stale.
  [[nodiscard]] bool reused() const { return exchanges_ > 1; }
  /// Idle: reads, and returns whether neither bytes nor an end have come.
  [[nodiscard]] bool still_silent();
  /// Whether the service's name no longer has the address that this one leads to.
  [[nodiscard]] bool departed();
  /// Whether something had come from the backend before the request of the present loan was sent: it is no answer to
  /// that request, and what follows is none that can be told from it (RFC 9112 §9.2).
  [[nodiscard]] bool spoke_unasked() const { return spoke_unasked_; }

  /// Address and port that it leads to, or that was tried last; empty: none yet. It does not change while it is lent.
  [[nodiscard]] const std::string& address_text() const { return address_text_; }

  /// Place in the pool's list of all connections.
  size_t pool_index = 0;

 private:
  void on_io(IoReady ready) override;
  [[gnu::cold]] void on_deadline() override;
  void on_resolved();
  void connect_next();
  [[nodiscard]] bool start_connecting(const platform::Address& address, Reason& failure);
  [[nodiscard]] size_t addresses_left() const;
  void limit_attempt(size_t addresses_left);
  void on_connected();
  [[gnu::cold]] void attempt_failed(Reason reason);
  void go_on_with_handshake();
  void become_ready();
  [[gnu::cold]] void unavailable(Reason reason);
  void set_state(State state);

  BackendUser* user_ = nullptr;
  State state_ = State::Closed;
  bool opening_ = false;  // within open()
  bool spoke_unasked_ = false;
  uint64_t lent_turn_ = 0;  // of the loop, when it was lent from idle without a look at what had come; 0: never
  BackendPool& pool_;
  std::unique_ptr<EndpointSet::Waiter> waiter_;
  Reason open_failure_ = Reason::None;
  size_t turn_ = 0;  // of the next address to try
  uint8_t addresses_tried_ = 0;
  uint32_t exchanges_ = 0;
  uint32_t known_version_ = 0;  // of the addresses, when address_ was last one of them
  platform::Address address_;
  std::string address_text_;
  int64_t give_up_ms_ = 0;  // when the time to connect is over; 0: never
};

}  // namespace restgate::worker
