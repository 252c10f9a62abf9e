// ClientConnection: one accepted connection: its exchanges one after the other, its idle times, its end. Worker.
//
// Owned by the worker's ClientSet. While idle it holds neither a buffer nor an Exchange.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/platform/address.h"
#include "worker/client_identity.h"
#include "worker/connection.h"
#include "worker/context.h"
#include "worker/exchange.h"
#include "worker/graveyard.h"
#include "worker/mailbox.h"
#include "worker/timer_wheel.h"

namespace restgate::worker {

class ClientConnection final : public Mortal, public Connection, private Deadline {
 public:
  /// A connection that begins, or (`bytes`: what has been read of it) one that another worker had before.
  ClientConnection(Context& context, UniqueFd fd, const ClientFacts& facts, std::string_view bytes = {});
  ~ClientConnection() override;

  /// Registers with the loop and goes on. If the kernel refuses, the connection is closed.
  void start();

  [[nodiscard]] std::string_view address() const { return facts_.address_text(); }
  /// What the peer's X-Forwarded-* are worth.
  [[nodiscard]] PeerTrust trust() const { return trust_; }
  [[nodiscard]] bool idle() const { return state_ == State::Idle; }

  /// Reads the first bytes of a request: into a wide buffer, for one read must do for most; what is little is then kept
  /// in a snug one. Else as fill().
  IoResult fill_first();
  /// Moves the input to the front of a wide buffer: there is room for all that a request may need. Nothing is pinned.
  void make_room();
  /// Whether make_room() would be of use.
  [[nodiscard]] bool can_make_room() const { return !inbox_->at_front() || snug(); }

  /// How a connection goes on after an exchange.
  enum class After : uint8_t {
    Keep,   ///< the next one
    Close,  ///< the end; what the client may still be sending is read first, so that no reset overtakes our answer
    Reset,  ///< the end, in a way that the client must notice: its answer is not complete
  };
  /// From its Exchange: it is over. `more_to_come`: the client has not sent all of its request.
  void exchange_over(After after, bool more_to_come);
  /// From its Exchange: the next moment at which on_client_deadline() is wanted; 0: none.
  void set_deadline(int64_t when_ms);
  /// From its Exchange: it has used up its share of this turn and wants to go on in the next.
  void yield();
  void resume();

  /// From its Exchange: whether another request has come behind this one.
  [[nodiscard]] bool another_waits() const { return has_input() && !probe_; }
  /// From its Exchange, of what the outbox has for the client (held_answers.h).
  [[nodiscard]] bool holds() const { return held_ != 0; }
  [[nodiscard]] bool held_stuck() const { return context_.held_answers.stuck(held_); }
  [[nodiscard]] bool hold(Outbox& outbox) { return context_.held_answers.take(held_, transport_, outbox); }
  Outbox::Flush send_held() { return context_.held_answers.send(held_); }

  /// Between two requests, or in the head of one: offers itself to a successor. True: it is gone from here.
  [[gnu::cold]] bool hand_over();
  /// The master tries this worker out: it is answered without a backend, a log record or a count.
  void be_probe() { probe_ = true; }
  [[nodiscard]] bool is_probe() const { return probe_; }

  /// A drain: an idle connection is closed after `grace_ms` unless a request comes; another ends with its answer.
  void drain(int64_t grace_ms);
  /// Ends it now, in whatever state.
  void abort(Reason reason);
  /// Its transport has been moved to a tunnel.
  void detached();

  /// Place in the ClientSet.
  uint32_t set_index = 0;

 private:
  friend class ClientSet;
  enum class State : uint8_t { Idle, Busy, Lingering, Closed };

  void keep_input(std::string_view bytes);
  [[nodiscard]] bool snug() const { return inbox_->capacity() < context_.buffers.buffer_capacity(); }
  void on_io(IoReady ready) override;
  [[gnu::cold]] void on_deadline() override;
  void advance();
  void skip_empty_lines();
  [[gnu::cold]] void take_proxy_header();
  [[gnu::cold]] void refuse_proxy_header(std::string_view why);
  [[gnu::cold]] void on_end_of_input();
  void become_idle();
  void set_state(State state);
  [[gnu::cold]] void linger();
  [[gnu::cold]] void part();
  [[gnu::cold]] void discard_input();
  void close();

  std::unique_ptr<Exchange> exchange_;
  State state_ = State::Closed;
  bool advancing_ = false;
  bool yielded_ = false;
  bool probe_ = false;
  bool parting_ = false;  // Lingering: our direction has ended, too
  HeldAnswers::Place held_ = 0;
  uint8_t empty_lines_ = 0;  // passed over since the last request
  PeerTrust trust_;
  ClientFacts facts_;  // head_begun, since_ms: of the time before it came here, until the first exchange
};

/// All client connections of the worker, and those that want to go on next turn.
class ClientSet {
 public:
  explicit ClientSet(Context& context) : context_(context) {}

  /// Takes an accepted descriptor.
  void add(UniqueFd fd, const platform::Address& address);
  /// Takes what another worker gave up.
  void adopt(Parcel&& parcel);
  /// Takes the master's own connection.
  void add_probe(UniqueFd fd);
  /// Offers every connection that can go to a successor, until one is refused.
  void hand_over_all();
  [[nodiscard]] size_t size() const { return all_.size(); }
  void drain_all(int64_t grace_ms);
  void abort_all(Reason reason);
  /// Lets those that yielded go on. Called once a turn.
  void resume_yielded();

 private:
  friend class ClientConnection;
  ClientConnection& insert(std::unique_ptr<ClientConnection> connection);
  void forget(ClientConnection& connection);
  void queue(ClientConnection& connection);
  /// At level warn now and then, else at debug.
  void log_refusal(std::string_view peer, std::string_view why);

  Context& context_;
  std::vector<std::unique_ptr<ClientConnection>> all_;
  std::vector<ClientConnection*> yielded_;
  int64_t next_warning_ms_ = 0;
};

}  // namespace restgate::worker
