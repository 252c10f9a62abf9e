// AccessLog: how a record is written. Once for each request: into memory that is there, each value looked at once.
#include <algorithm>
#include <array>
#include <ctime>

#include "common/log_format.h"
#include "worker/access_log.h"

namespace restgate::worker {
namespace {

using http1::HeadWriter;

/// The fields of a text or JSON record: a key, which is the compiler's, and a value.
class Fields {
 public:
  /// `quoted`: as JSON has it. `space`: for values that must be escaped.
  Fields(HeadWriter& out, bool quoted, std::string& space) : out_(out), quoted_(quoted), space_(space) {}

  template <size_t N>
  void text(const char (&key)[N], std::string_view value) {
    out_.raw(key);
    if (quoted_ ? is_plain_json(value) : is_plain_text(value)) [[likely]] {
      if (quoted_) out_.raw("\"");
      out_.raw(value);
      if (quoted_) out_.raw("\"");
      return;
    }
    space_.clear();
    if (quoted_)
      append_json_string(space_, value);
    else
      append_text_value(space_, value);
    out_.raw(space_);
  }
  /// A value that has nothing to escape, whoever sent it: addresses, our codes.
  template <size_t N>
  void plain(const char (&key)[N], std::string_view value) {
    out_.raw(key);
    if (quoted_) out_.raw("\"");
    out_.raw(value);
    if (quoted_) out_.raw("\"");
  }
  template <size_t N>
  void plain_if(const char (&key)[N], std::string_view value) {
    if (!value.empty()) plain(key, value);
  }
  /// Empty: left out. `made`: by us.
  template <size_t N>
  void id(const char (&key)[N], std::string_view value, bool made) {
    if (value.empty()) return;
    made ? plain(key, value) : text(key, value);
  }
  /// Empty: left out.
  template <size_t N>
  void text_if(const char (&key)[N], std::string_view value) {
    if (!value.empty()) text(key, value);
  }
  template <size_t N>
  void number(const char (&key)[N], uint64_t value) {
    out_.raw(key);
    out_.number(value);
  }
  /// Negative: left out.
  template <size_t N>
  void seconds(const char (&key)[N], int64_t micros) {
    if (micros < 0) return;
    out_.raw(key);
    out_.seconds(static_cast<uint64_t>(micros));
  }

 private:
  HeadWriter& out_;
  bool quoted_;
  std::string& space_;
};

/// What stands between quotes in the combined format: nothing in it can end them, the line or a terminal's patience.
void write_quoted(HeadWriter& out, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (value.empty()) return out.raw("-");
  if (is_plain_json(value)) [[likely]]
    return out.raw(value);
  for (const char& c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= ' ' && byte < 0x7F && c != '"' && c != '\\') {
      out.raw({&c, 1});
    } else {
      out.raw("\\x");
      out.raw(kDigits.substr(byte >> 4U, 1));
      out.raw(kDigits.substr(byte & 15U, 1));
    }
  }
}

timespec coarse_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

}  // namespace

std::string_view AccessLog::time_text() {
  const timespec now = coarse_now();
  const int64_t micros = static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  if (micros != time_us_) {
    time_us_ = micros;
    time_.clear();
    append_rfc3339(time_, micros);
  }
  return time_;
}

std::string_view AccessLog::local_time_text() {
  const timespec now = coarse_now();
  if (now.tv_sec != second_) {
    second_ = now.tv_sec;
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 40> text;
    // The worker never calls setlocale(): the names are English.
    local_time_.assign(text.data(), strftime(text.data(), text.size(), "[%d/%b/%Y:%H:%M:%S +0000]", &parts));
  }
  return local_time_;
}

void AccessLog::render_text(HeadWriter& out, const AccessRecord& record) {
  Fields fields(out, false, escaped_);
  out.raw(time_text());
  out.raw(" INFO  request");
  fields.text(" method=", record.method);
  fields.text(" path=", record.path);
  fields.text(" route=", record.route);
  fields.text(" service=", record.service);
  fields.number(" status=", record.status);
  fields.number(" bytes=", record.bytes);
  fields.seconds(" duration=", std::max<int64_t>(record.duration_us, 0));
  fields.plain(" client=", record.client);
  fields.plain_if(" reason=", record.reason);
  fields.seconds(" queue=", record.queue_us);
  fields.seconds(" connect=", record.connect_us);
  fields.seconds(" first_byte=", record.first_byte_us);
  fields.number(" bytes_in=", record.bytes_in);
  if (record.retries != 0) fields.number(" retries=", record.retries);
  fields.plain_if(" backend=", record.backend);
  fields.plain_if(" backend_tls=", record.backend_tls);
  fields.id(" request_id=", record.request_id, record.made_request_id);
  fields.plain_if(" trace_id=", record.trace_id);
}

void AccessLog::render_json(HeadWriter& out, const AccessRecord& record) {
  Fields fields(out, true, escaped_);
  out.raw("{\"time\":\"");
  out.raw(time_text());
  out.raw("\",\"level\":\"info\",\"msg\":\"request\"");
  fields.text(",\"method\":", record.method);
  fields.text(",\"path\":", record.path);
  fields.text(",\"route\":", record.route);
  fields.text(",\"service\":", record.service);
  fields.number(",\"status\":", record.status);
  fields.number(",\"bytes\":", record.bytes);
  fields.seconds(",\"duration\":", std::max<int64_t>(record.duration_us, 0));
  fields.plain(",\"client\":", record.client);
  fields.plain_if(",\"reason\":", record.reason);
  fields.seconds(",\"queue\":", record.queue_us);
  fields.seconds(",\"connect\":", record.connect_us);
  fields.seconds(",\"first_byte\":", record.first_byte_us);
  fields.number(",\"bytes_in\":", record.bytes_in);
  if (record.retries != 0) fields.number(",\"retries\":", record.retries);
  fields.plain_if(",\"backend\":", record.backend);
  fields.plain_if(",\"backend_tls\":", record.backend_tls);
  fields.id(",\"request_id\":", record.request_id, record.made_request_id);
  fields.plain_if(",\"trace_id\":", record.trace_id);
}

/// client - - [time] "request line" status bytes "referer" "user agent"
void AccessLog::render_combined(HeadWriter& out, const AccessRecord& record) {
  out.raw(record.client.empty() ? std::string_view("-") : record.client);
  out.raw(" - - ");
  out.raw(local_time_text());
  out.raw(" \"");
  write_quoted(out, record.method);
  if (!record.method.empty()) {
    out.raw(" ");
    write_quoted(out, record.path);
    out.raw(record.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1");
  }
  out.raw("\" ");
  out.number(record.status);
  out.raw(" ");
  out.number(record.body_bytes);
  out.raw(" \"");
  write_quoted(out, record.referer);
  out.raw("\" \"");
  write_quoted(out, record.user_agent);
  out.raw("\"");
}

}  // namespace restgate::worker
