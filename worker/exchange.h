// Exchange: one request and its response, from the first byte of the head to the last byte of the answer. Worker.
//
//        client                                             backend
//          │  head ─► parse ─► route ─► acquire ─► render ─►  │      request:  Head → AwaitBackend → Sending → Done
//          │  body ─────────── pump_request ───────────────►  │
//          │  ◄────────────── pump_response ── head, body     │      response: None → AwaitHead → Streaming → Done
//
// The two directions go on independently (early responses). Every exchange ends in finish(), exactly once: statistics,
// access log, the backend connection's return, then the client connection goes on. A function that may have
// finished the exchange returns Alive::No; the caller then touches nothing of it any more.
// Owned by the worker's ExchangePool, lent to one ClientConnection; reused without freeing its memory.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/reason.h"
#include "worker/backend_connection.h"
#include "worker/body.h"
#include "worker/context.h"
#include "worker/forwarding.h"
#include "worker/http1/parser.h"
#include "worker/http1/path.h"
#include "worker/outbox.h"
#include "worker/request_identity.h"

namespace restgate::worker {

class ClientConnection;

enum class Alive : bool { No, Yes };

class Exchange final : public Mortal, public BackendUser {
 public:
  explicit Exchange(Context& context);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() override = default;

  /// Begins with the next request of `client`. Its bytes may be there already.
  /// `begun_us`: when its first byte came, on the loop's clock; 0: now.
  void start(ClientConnection& client, int64_t begun_us);

  /// Goes on with whatever the client's readiness allows.
  Alive on_client_io();
  /// The time that next_deadline_ms() named has come.
  [[gnu::cold]] void on_client_deadline();
  /// The connection is being given up (forced end of a drain).
  void abandon(Reason reason) { client_lost(reason); }
  /// Goes on after it had used up its share of a turn.
  void resume() {
    touch();
    (void)pump();
  }
  /// Its answer is the last one, and says so.
  void last_one() {
    if (!response_begun_) close_after_ = true;  // else it has not said so: the client may send another at once
  }

  /// Whether it still reads the request's head: it may be begun anew, here or elsewhere, from the same bytes.
  [[nodiscard]] bool in_head() const { return request_ == RequestState::Head && response_ == ResponseState::None; }
  [[nodiscard]] int64_t started_us() const { return started_us_; }
  /// Whether it waits for the first byte of a request: nothing of it exists yet.
  [[nodiscard]] bool unstarted() const { return request_ == RequestState::Head && !parser_.started(); }

 private:
  /// What is left of a body is spliced when it is so long: below that, two more calls cost more than the copy.
  static constexpr uint64_t kSpliced = 32 * 1024;

  enum class RequestState : uint8_t { Head, AwaitBackend, Sending, Done };
  enum class ResponseState : uint8_t { None, AwaitHead, Streaming, Done };

  // exchange.cc: life
  void reset();
  Alive read_head();
  [[nodiscard]] bool lacks_room_for_body(const Buffer& in) const;
  Alive dispatch();
  [[gnu::cold]] Alive fail_parse();
  Alive find_route();
  [[gnu::cold]] Alive answer_about_ourselves();
  Alive pump();
  [[gnu::cold]] Alive own_response(Reason reason, std::string_view allow = {});
  [[gnu::cold]] Alive send_own(const OwnResponse& response);
  Alive finish(Reason reason, bool keep_client);

  // exchange_record.cc: what is left of it in statistics, the log and the answer's head
  static bool is_client_gone(Reason reason);
  void record(Reason reason);
  void write_access_record(Reason reason, int64_t duration_us);
  void note_backend();
  void note_address(std::string_view text);
  [[nodiscard]] std::string_view server_timing(std::span<char> space) const;
  /// The parts of its time; negative: it did not come so far.
  [[nodiscard]] int64_t queue_us() const { return acquired_us_ == 0 ? -1 : acquired_us_ - started_us_; }
  [[nodiscard]] int64_t connect_us() const { return connected_us_ == 0 ? -1 : connected_us_ - acquired_us_; }
  [[nodiscard]] int64_t first_byte_us() const { return first_byte_us_ == 0 ? -1 : first_byte_us_ - connected_us_; }

  /// The flight recorder: the head is complete; the worker acts on this exchange.
  void take_off();
  void touch() { context_.flights.touch(flight_, context_.loop.now_us()); }
  void return_backend(bool clean);
  void update_deadline();
  /// What write_timeout counts from; a request may be refused before its head is complete.
  [[nodiscard]] int64_t answering_since_ms() const { return (head_us_ != 0 ? head_us_ : started_us_) / 1000; }
  [[gnu::cold]] Alive client_lost(Reason reason);
  Alive check_client_left();
  [[gnu::cold]] void note_half_close();
  [[nodiscard]] bool has_left(int64_t now_ms);

  // request_direction.cc: client → backend
  Alive connect(bool fresh);
  Alive send_head();
  Alive pump_request();
  Alive take_request_body();
  Alive read_request_body();
  [[nodiscard]] IoResult splice_request_body();
  [[gnu::cold]] Alive upload_given_up();
  [[gnu::cold]] Alive backend_write_failed();
  Alive request_sent();
  void on_backend_ready() override;
  [[gnu::cold]] void on_backend_unavailable(Reason reason) override;

  // response_direction.cc: backend → client
  Alive pump_response();
  [[nodiscard]] bool another_follows() const;
  [[nodiscard]] Outbox::Flush send_to_client();
  Alive produce_response();
  Alive read_response_head();
  Alive take_response_head();
  [[gnu::cold]] Alive interim_response();
  Alive final_response();
  Alive stream_response();
  [[gnu::cold]] Alive switch_protocols();
  [[nodiscard]] bool offers_upgrade() const;
  [[nodiscard]] bool upgrade_allowed() const;
  Alive read_backend();
  [[nodiscard]] IoResult splice_response_body();
  [[gnu::cold]] Alive backend_ended(bool orderly);
  Alive response_complete();
  [[gnu::cold]] Alive backend_failed(Reason reason);
  [[nodiscard]] bool repeatable() const;
  [[nodiscard]] bool may_retry() const;
  void on_backend_io() override;

  Context& context_;
  ClientConnection* client_ = nullptr;
  BackendConnection* backend_ = nullptr;
  flight::Writer::Ticket flight_ = 0;

  RequestState request_ = RequestState::Head;
  ResponseState response_ = ResponseState::None;
  bool close_after_ = false;     // no further request on this client connection
  bool response_begun_ = false;  // a final response head is on its way to the client
  bool head_waits_ = false;      // and is still in the outbox, untouched
  bool own_ = false;             // it is ours, not a backend's
  bool retried_ = false;
  bool backend_spoke_ = false;   // a byte of this response has come
  bool body_forwarded_ = false;  // a byte of the request body has been given to the backend
  bool client_left_ = false;     // it has ended its direction while we work for it
  bool request_broken_ = false;  // the backend took only a part of the request
  bool backend_reset_ = false;   // a write has told, so that a read will not
  BodyFraming response_framing_;
  uint16_t status_ = 0;
  Reason reason_ = Reason::None;
  MethodId method_ = kOtherMethod;
  uint32_t stats_route_ = stats::kUnmatchedRoute;
  const RouteRules* rules_ = nullptr;  // of its route; null: it has none
  BackendPool* pool_ = nullptr;

  int64_t started_us_ = 0;
  int64_t head_us_ = 0;        // when the request's head was complete
  int64_t acquired_us_ = 0;    // when a backend connection was asked for
  int64_t connected_us_ = 0;   // when it was there, the last one if there were several
  int64_t first_byte_us_ = 0;  // when the first byte of the answer had come
  uint32_t head_bytes_ = 0;    // of the heads written to the client
  int64_t sent_ms_ = 0;        // when the request was complete at the backend
  int64_t left_deadline_ms_ = 0;
  uint64_t left_written_ = 0;  // what had been written to the client when that deadline was set

  RequestIdentity identity_;
  std::array<char, 56> backend_text_{};  // the backend's address, since its connection may be gone before the record
  uint8_t backend_text_size_ = 0;
  std::string_view backend_tls_;

  http1::RequestParser parser_;
  http1::ResponseParser response_parser_;
  http1::Path path_;
  BodyReader request_body_;
  Outbox to_backend_;
  BodyReader response_body_;
  Outbox to_client_;
};

/// Exchanges that are not in use; as many as were ever in use at once, up to a bound.
class ExchangePool {
 public:
  explicit ExchangePool(Context& context) : context_(context) {}
  [[nodiscard]] std::unique_ptr<Exchange> take();
  void give_back(std::unique_ptr<Exchange> exchange);

 private:
  static constexpr size_t kKeep = 1024;
  Context& context_;
  std::vector<std::unique_ptr<Exchange>> free_;
};

}  // namespace restgate::worker
