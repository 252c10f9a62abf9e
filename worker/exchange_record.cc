// Exchange: what is left of it: statistics, its record in the access log, its timing.
#include <algorithm>
#include <cstring>

#include "worker/backend_pool.h"
#include "worker/client_connection.h"
#include "worker/exchange.h"
#include "worker/http1/char_class.h"
#include "worker/http1/writer.h"

namespace restgate::worker {
namespace {

/// What the combined format shows besides, of a head that has it.
void add_client_facts(AccessRecord& line, const http1::RequestHead& head) {
  line.minor_version = head.minor_version;
  for (const http1::Field& field : head.fields) {
    if (field.id == http1::FieldId::UserAgent) line.user_agent = field.value;
    if (http1::equals_ignore_case(field.name, "referer")) line.referer = field.value;
  }
}

}  // namespace

bool Exchange::is_client_gone(Reason reason) {
  return reason == Reason::ClientClosed || reason == Reason::ClientReset || reason == Reason::ClientTimeout;
}

void Exchange::record(Reason reason) {
  const bool have_head = head_us_ != 0;
  if (!have_head && status_ == 0 && !parser_.started()) return;  // not a byte of a request
  if (have_head) context_.stats.add(stats::Gauge::RequestsInFlight, -1);
  if (client_->is_probe()) return;
  if (is_client_gone(reason) || status_ == 0) status_ = info(reason).status;
  const int64_t duration_us = std::max<int64_t>(context_.loop.now_us() - started_us_, 0);
  context_.stats.request(stats_route_, method_, status_, static_cast<uint64_t>(duration_us));
  if (reason != Reason::None) context_.stats.error(stats_route_, reason);
  context_.stats.add(stats::Counter::RequestBytes, parser_.consumed() + request_body_.bytes());
  context_.stats.add(stats::Counter::ResponseBytes, to_client_.written());
  if (context_.access_log.wants(status_, duration_us)) write_access_record(reason, duration_us);
}

void Exchange::write_access_record(Reason reason, int64_t duration_us) {
  const bool have_head = head_us_ != 0;
  AccessRecord line;
  if (have_head) {
    line.method = parser_.head().method;
    line.path = parser_.head().path;
    if (context_.access_log.format() == config::AccessFormat::Combined) add_client_facts(line, parser_.head());
  }
  line.route = stats::kUnmatchedRouteName;  // as in the metrics
  if (rules_ != nullptr) {
    line.route = context_.router.name(stats_route_ - 1);
    line.service = pool_->service().name;
  }
  platform::AddressText forwarded;
  line.client = client_->address();
  if (have_head && client_->trust() == PeerTrust::Trusted)
    line.client = original_client(parser_.head(), line.client, context_.config, forwarded);
  line.reason = info(reason).code;
  line.backend = {backend_text_.data(), backend_text_size_};
  line.backend_tls = backend_tls_;
  line.request_id = identity_.request_id();
  line.made_request_id = identity_.made_request_id();
  line.trace_id = identity_.trace_id();
  line.status = status_;
  line.retries = retried_ ? 1 : 0;
  line.bytes = to_client_.written();
  line.body_bytes = line.bytes - std::min<uint64_t>(head_bytes_, line.bytes);
  line.bytes_in = parser_.consumed() + request_body_.bytes();
  line.duration_us = duration_us;
  line.queue_us = queue_us();
  line.connect_us = connect_us();
  line.first_byte_us = first_byte_us();
  context_.access_log.write(line);
}

/// The connection is there, or has failed: remembers where it leads to.
void Exchange::note_backend() {
  connected_us_ = context_.loop.now_us();
  if (!context_.access_log.enabled()) return;
  note_address(backend_->address_text());
  backend_tls_ = backend_->transport().tls_version();
}

void Exchange::note_address(std::string_view text) {
  backend_text_size_ = static_cast<uint8_t>(std::min(text.size(), backend_text_.size()));
  std::memcpy(backend_text_.data(), text.data(), backend_text_size_);
}

/// "queue;dur=0.012, connect;dur=0.311, backend;dur=4.207", milliseconds.
std::string_view Exchange::server_timing(std::span<char> space) const {
  if (!context_.config.server_timing) return {};
  http1::HeadWriter out(space.data(), space.data() + space.size());
  const auto part = [&out](std::string_view name, int64_t micros) {
    const auto value = static_cast<uint64_t>(std::max<int64_t>(micros, 0));
    out.raw(name);
    out.raw(";dur=");
    out.number(value / 1000);
    const char fraction[] = {'.', static_cast<char>('0' + value / 100 % 10), static_cast<char>('0' + value / 10 % 10),
                             static_cast<char>('0' + value % 10)};
    out.raw({fraction, sizeof fraction});
  };
  part("queue", queue_us());
  part(", connect", connect_us());
  part(", backend", first_byte_us());
  return out.text();
}

}  // namespace restgate::worker
