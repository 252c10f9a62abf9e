// RequestIdentity: by what a request is known to its client, to its backend and in the log. Worker; part of the
// Exchange.
//
// X-Request-Id is kept when it is harmless, else made. traceparent (W3C Trace Context) is passed on when it is valid;
// with `tracing`, this gateway is a span of the trace: its own id goes on as the parent's, and a trace is begun where
// there is none. tracestate goes on with the traceparent that it came with, and only then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/model.h"
#include "worker/http1/head.h"
#include "worker/id_source.h"

namespace restgate::worker {

/// 1 to 128 letters, digits or ._~+/=:@-
[[nodiscard]] bool is_request_id(std::string_view value);

/// A valid traceparent taken apart; views into it.
struct TraceParent {
  std::string_view trace_id;  ///< 32 hexadecimal digits
  std::string_view flags;     ///< 2; of a version that we do not know, no more than whether it is sampled
};
[[nodiscard]] std::optional<TraceParent> parse_traceparent(std::string_view value);

class RequestIdentity {
 public:
  RequestIdentity() = default;
  RequestIdentity(const RequestIdentity&) = delete;
  RequestIdentity& operator=(const RequestIdentity&) = delete;
  ~RequestIdentity() = default;

  void reset() { known_ = false; }
  [[nodiscard]] bool known() const { return known_; }
  /// Of a request whose head is complete; it must stay where it is for as long as this is asked. `now_ms`: the loop's
  /// clock.
  void take(const http1::RequestHead& head, const config::Config& config, IdSource& ids, int64_t now_ms);
  /// Of one that never had a good head.
  void make(const config::Config& config, IdSource& ids, int64_t now_ms);

  // Before it is known, all are empty and false.
  /// Empty: the configuration has none.
  [[nodiscard]] std::string_view request_id() const { return known_ ? request_id_ : std::string_view(); }
  /// Whether that is one of ours, rather than what the client sent.
  [[nodiscard]] bool made_request_id() const { return known_ && request_id_.data() == uuid_.data(); }
  /// Empty: none.
  [[nodiscard]] std::string_view trace_id() const { return known_ ? trace_id_ : std::string_view(); }
  /// What the backend gets in place of the client's field; empty: that one, if pass_trace().
  [[nodiscard]] std::string_view own_traceparent() const { return known_ ? own_traceparent_ : std::string_view(); }
  /// The client's traceparent is valid: it goes on, unless there is one of our own, and so does tracestate.
  [[nodiscard]] bool pass_trace() const { return known_ && pass_trace_; }

 private:
  void begin();
  void make_request_id(IdSource& ids, int64_t now_ms);
  void take_trace(std::string_view traceparent, bool tracing, IdSource& ids);

  static constexpr size_t kTraceparentSize = 55;  // 00-<32>-<16>-<2>

  bool known_ = false;
  bool pass_trace_ = false;
  std::string_view request_id_;
  std::string_view trace_id_;
  std::string_view own_traceparent_;
  std::array<char, IdSource::kUuidSize> uuid_{};
  std::array<char, kTraceparentSize> traceparent_{};
};

}  // namespace restgate::worker
