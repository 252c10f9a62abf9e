// AccessLog: how a record is written.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>

#include "common/log_format.h"
#include "worker/access_log.h"

namespace restgate::worker {
namespace {

/// A run of keys and numbers, put together here and appended at once: a string's append costs more than a digit.
class Numbers {
 public:
  /// `key` is a literal, so that its bytes become stores.
  void number(std::string_view key, uint64_t value) {
    text(key);
    at_ = std::to_chars(at_, space_.data() + space_.size(), value).ptr;
  }
  /// With six digits, as the histograms count them; nothing if it is negative.
  void seconds(std::string_view key, int64_t micros) {
    if (micros < 0) return;
    const auto value = static_cast<uint64_t>(micros);
    number(key, value / 1'000'000);
    *at_ = '.';
    auto rest = static_cast<uint32_t>(value % 1'000'000);
    for (size_t i = 6; i > 0; --i, rest /= 10) at_[i] = static_cast<char>('0' + rest % 10);
    at_ += 7;
  }
  void text(std::string_view text) {
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  [[nodiscard]] std::string_view view() const { return {space_.data(), static_cast<size_t>(at_ - space_.data())}; }

 private:
  // Room for any run below: five keys of at most 16 bytes, five numbers of at most 27.
  std::array<char, 256> space_;
  char* at_ = space_.data();
};

/// What stands between quotes in the combined format: nothing in it can end them, the line or a terminal's patience.
void append_quoted(std::string& to, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (value.empty()) to += '-';
  for (const char c : value) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= ' ' && byte < 0x7F && c != '"' && c != '\\') {
      to += c;
    } else {
      to += "\\x";
      to += kDigits[byte >> 4U];
      to += kDigits[byte & 15U];
    }
  }
}

timespec coarse_now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now;
}

}  // namespace

void AccessLog::append_time() {
  const timespec now = coarse_now();
  append_rfc3339(batch_, static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
}

/// Formatted once a second.
void AccessLog::append_local_time() {
  const timespec now = coarse_now();
  if (now.tv_sec != second_) {
    second_ = now.tv_sec;
    tm parts{};
    gmtime_r(&now.tv_sec, &parts);
    std::array<char, 40> text;
    // The worker never calls setlocale(): the names are English.
    local_time_.assign(text.data(), strftime(text.data(), text.size(), "[%d/%b/%Y:%H:%M:%S +0000]", &parts));
  }
  batch_ += local_time_;
}

void AccessLog::append_text(const AccessRecord& record) {
  const auto field = [this](std::string_view key, std::string_view value) {
    batch_ += key;
    append_text_value(batch_, value);
  };
  const auto field_if = [&field](std::string_view key, std::string_view value) {
    if (!value.empty()) field(key, value);
  };
  append_time();
  batch_ += " INFO  request";
  field(" method=", record.method);
  field(" path=", record.path);
  field(" route=", record.route);
  field(" service=", record.service);
  Numbers facts;
  facts.number(" status=", record.status);
  facts.number(" bytes=", record.bytes);
  facts.seconds(" duration=", std::max<int64_t>(record.duration_us, 0));
  facts.text(" client=");
  field(facts.view(), record.client);
  field_if(" reason=", record.reason);
  Numbers parts;
  parts.seconds(" queue=", record.queue_us);
  parts.seconds(" connect=", record.connect_us);
  parts.seconds(" first_byte=", record.first_byte_us);
  parts.number(" bytes_in=", record.bytes_in);
  if (record.retries != 0) parts.number(" retries=", record.retries);
  batch_ += parts.view();
  field_if(" backend=", record.backend);
  field_if(" backend_tls=", record.backend_tls);
  field_if(" request_id=", record.request_id);
  field_if(" trace_id=", record.trace_id);
}

void AccessLog::append_json(const AccessRecord& record) {
  const auto field = [this](std::string_view key, std::string_view value) {
    batch_ += key;
    append_json_string(batch_, value);
  };
  const auto field_if = [&field](std::string_view key, std::string_view value) {
    if (!value.empty()) field(key, value);
  };
  batch_ += "{\"time\":\"";
  append_time();
  batch_ += "\",\"level\":\"info\",\"msg\":\"request\"";
  field(",\"method\":", record.method);
  field(",\"path\":", record.path);
  field(",\"route\":", record.route);
  field(",\"service\":", record.service);
  Numbers facts;
  facts.number(",\"status\":", record.status);
  facts.number(",\"bytes\":", record.bytes);
  facts.seconds(",\"duration\":", std::max<int64_t>(record.duration_us, 0));
  facts.text(",\"client\":");
  field(facts.view(), record.client);
  field_if(",\"reason\":", record.reason);
  Numbers parts;
  parts.seconds(",\"queue\":", record.queue_us);
  parts.seconds(",\"connect\":", record.connect_us);
  parts.seconds(",\"first_byte\":", record.first_byte_us);
  parts.number(",\"bytes_in\":", record.bytes_in);
  if (record.retries != 0) parts.number(",\"retries\":", record.retries);
  batch_ += parts.view();
  field_if(",\"backend\":", record.backend);
  field_if(",\"backend_tls\":", record.backend_tls);
  field_if(",\"request_id\":", record.request_id);
  field_if(",\"trace_id\":", record.trace_id);
}

/// client - - [time] "request line" status bytes "referer" "user agent"
void AccessLog::append_combined(const AccessRecord& record) {
  batch_ += record.client.empty() ? std::string_view("-") : record.client;
  batch_ += " - - ";
  append_local_time();
  batch_ += " \"";
  append_quoted(batch_, record.method);
  if (!record.method.empty()) {
    batch_ += ' ';
    append_quoted(batch_, record.path);
    batch_ += record.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1";
  }
  Numbers facts;
  facts.number("\" ", record.status);
  facts.number(" ", record.body_bytes);
  facts.text(" \"");
  batch_ += facts.view();
  append_quoted(batch_, record.referer);
  batch_ += "\" \"";
  append_quoted(batch_, record.user_agent);
  batch_ += '"';
}

}  // namespace restgate::worker
