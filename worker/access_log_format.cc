// AccessLog: how a record is written.
#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "common/log_format.h"
#include "worker/access_log.h"

namespace restgate::worker {
namespace {

void append_number(std::string& to, uint64_t value) {
  std::array<char, 20> digits;
  to.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

/// Seconds with six digits, as the histograms count them.
void append_seconds(std::string& to, int64_t micros) {
  const auto value = static_cast<uint64_t>(micros < 0 ? 0 : micros);
  append_number(to, value / 1'000'000);
  std::array<char, 7> fraction{'.', '0', '0', '0', '0', '0', '0'};
  uint64_t rest = value % 1'000'000;
  for (size_t i = 6; i > 0; --i, rest /= 10) fraction[i] = static_cast<char>('0' + rest % 10);
  to.append(fraction.data(), fraction.size());
}

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
  const auto number = [this](std::string_view key, uint64_t value) {
    batch_ += key;
    append_number(batch_, value);
  };
  const auto seconds = [this](std::string_view key, int64_t micros) {
    if (micros < 0) return;
    batch_ += key;
    append_seconds(batch_, micros);
  };
  append_time();
  batch_ += " INFO  request";
  field(" method=", record.method);
  field(" path=", record.path);
  field(" route=", record.route);
  field(" service=", record.service);
  number(" status=", record.status);
  number(" bytes=", record.bytes);
  seconds(" duration=", std::max<int64_t>(record.duration_us, 0));
  field(" client=", record.client);
  field_if(" reason=", record.reason);
  seconds(" queue=", record.queue_us);
  seconds(" connect=", record.connect_us);
  seconds(" first_byte=", record.first_byte_us);
  number(" bytes_in=", record.bytes_in);
  if (record.retries != 0) number(" retries=", record.retries);
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
  const auto number = [this](std::string_view key, uint64_t value) {
    batch_ += key;
    append_number(batch_, value);
  };
  const auto seconds = [this](std::string_view key, int64_t micros) {
    if (micros < 0) return;
    batch_ += key;
    append_seconds(batch_, micros);
  };
  batch_ += "{\"time\":\"";
  append_time();
  batch_ += "\",\"level\":\"info\",\"msg\":\"request\"";
  field(",\"method\":", record.method);
  field(",\"path\":", record.path);
  field(",\"route\":", record.route);
  field(",\"service\":", record.service);
  number(",\"status\":", record.status);
  number(",\"bytes\":", record.bytes);
  seconds(",\"duration\":", std::max<int64_t>(record.duration_us, 0));
  field(",\"client\":", record.client);
  field_if(",\"reason\":", record.reason);
  seconds(",\"queue\":", record.queue_us);
  seconds(",\"connect\":", record.connect_us);
  seconds(",\"first_byte\":", record.first_byte_us);
  number(",\"bytes_in\":", record.bytes_in);
  if (record.retries != 0) number(",\"retries\":", record.retries);
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
  batch_ += "\" ";
  append_number(batch_, record.status);
  batch_ += ' ';
  append_number(batch_, record.body_bytes);
  batch_ += " \"";
  append_quoted(batch_, record.referer);
  batch_ += "\" \"";
  append_quoted(batch_, record.user_agent);
  batch_ += '"';
}

}  // namespace restgate::worker
