// AccessLog: one line per exchange, batched, written once a turn of the loop; never blocks the worker. Worker.
//
// What standard error or the file does not take at once is kept up to a bound, then dropped; what cannot be written at
// all (a full disk) is dropped. What is dropped is counted, and told in the operational log now and then.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/platform/output.h"
#include "common/stats.h"
#include "common/unique_fd.h"
#include "config/model.h"
#include "worker/http1/writer.h"

namespace restgate::worker {

struct AccessRecord {
  std::string_view method;
  std::string_view path;  ///< the target as received, without its query
  std::string_view route;
  std::string_view service;
  std::string_view client;       ///< address; this and what follows to backend_tls has nothing that must be escaped
  std::string_view reason;       ///< code; empty: all went well
  std::string_view backend;      ///< address and port, the last one that was tried; empty: none
  std::string_view backend_tls;  ///< version, such as TLSv1.3; empty: in the clear
  std::string_view request_id;   ///< empty: none
  std::string_view trace_id;     ///< hexadecimal digits; likewise
  std::string_view referer;      ///< `combined` alone shows it
  std::string_view user_agent;   ///< likewise
  uint16_t status = 0;
  uint8_t minor_version = 1;
  uint8_t retries = 0;
  bool made_request_id = false;  ///< by us: has nothing that must be escaped
  uint64_t bytes = 0;            ///< sent to the client
  uint64_t body_bytes = 0;       ///< of which are body: for `combined`
  uint64_t bytes_in = 0;         ///< received from the client
  int64_t duration_us = 0;       ///< of the whole exchange
  // Its parts; negative: it did not come so far.
  int64_t queue_us = -1;       ///< from the request's first byte until it asked for a backend connection
  int64_t connect_us = -1;     ///< until that was there
  int64_t first_byte_us = -1;  ///< until the first byte of the answer
};

class AccessLog {
 public:
  struct Setup {
    config::AccessLogOptions options{};
    config::AccessFormat format = config::AccessFormat::Text;
    UniqueFd file{};  ///< what options.file names; without one, nothing can be written there
    stats::Writer stats{};
    uint32_t worker = 0;
    uint64_t generation = 0;
  };
  explicit AccessLog(Setup setup);

  /// Whether this request gets a record. To be asked once for each.
  [[nodiscard]] bool wants(uint16_t status, int64_t duration_us) {
    if (!options_.enabled) return false;
    return all_ || chosen(status, duration_us);
  }
  [[nodiscard]] bool enabled() const { return options_.enabled; }
  [[nodiscard]] config::AccessFormat format() const { return format_; }

  void write(const AccessRecord& record);
  /// Writes what has gathered, as far as it is taken now.
  void flush();
  /// The worker ends: what is not taken now is dropped, and told.
  void close();
  [[nodiscard]] bool pending() const { return !batch_.empty(); }
  /// From now on to this file, which has the name of the one before. What has gathered still goes there, if it can.
  void reopen(UniqueFd file);
  /// Tells what was dropped, if it was, at most every 10 s. `now_ms`: the loop's clock.
  void tell_drops(int64_t now_ms);

 private:
  [[nodiscard]] bool chosen(uint16_t status, int64_t duration_us);
  [[gnu::cold]] void write_shortened(const AccessRecord& record);
  [[nodiscard]] bool add_line(const AccessRecord& record, size_t most);
  // access_log_format.cc: each renders a line without its end
  void render(http1::HeadWriter& out, const AccessRecord& record);
  void render_text(http1::HeadWriter& out, const AccessRecord& record);
  void render_json(http1::HeadWriter& out, const AccessRecord& record);
  void render_combined(http1::HeadWriter& out, const AccessRecord& record);
  [[nodiscard]] std::string_view time_text();
  [[nodiscard]] std::string_view local_time_text();
  [[gnu::cold]] void drop(uint64_t lines);
  [[gnu::cold]] void give_up(int error);

  static constexpr size_t kMaxPending = 1 << 20;
  static constexpr int64_t kTellEveryMs = 10'000;

  config::AccessLogOptions options_;
  config::AccessFormat format_;
  bool all_;  // no filter
  UniqueFd file_;
  platform::SharedOutput output_;
  stats::Writer stats_;
  std::string suffix_;  // the fields that never change: worker and generation
  std::string batch_;
  size_t written_ = 0;      // of batch_
  bool torn_ = false;       // the last line in the file lacks its end
  uint32_t passed_ = 0;     // since the last one that was sampled
  uint64_t dropped_ = 0;    // lines that have not been told of
  int drop_error_ = 0;      // why, of the last ones; 0: nobody took them in time
  int64_t tell_at_ms_ = 0;  // not before
  // Rendered anew when the clock has moved: it ticks some hundred times a second.
  int64_t time_us_ = -1;    // that time_ is of
  std::string time_;        // "2026-11-26T11:34:59.123456Z"
  int64_t second_ = -1;     // that local_time_ is of
  std::string local_time_;  // "[26/Nov/2026:11:34:59 +0000]"
  std::string escaped_;     // a value that is not plain
  std::array<char, 3 * PIPE_BUF> line_;
};

}  // namespace restgate::worker
