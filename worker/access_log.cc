#include "worker/access_log.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <ctime>

#include "common/log_format.h"

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

// A line must fit into one atomic write to a pipe whatever the client sends, so what it chooses is cut. What is left
// may double when it is escaped.
constexpr size_t kLongestMethod = 64;
constexpr size_t kLongestPath = 1024;
constexpr std::string_view kCut = "...";

/// The next bytes to write: whole lines, and no more than a pipe takes at once, so that the lines of several processes
/// do not mix.
std::string_view whole_lines(std::string_view batch) {
  if (batch.size() <= PIPE_BUF) return batch;
  return batch.substr(0, batch.rfind('\n', PIPE_BUF - 1) + 1);
}

}  // namespace

AccessLog::AccessLog(bool enabled, LogFormat format, stats::Writer stats, uint64_t generation)
    : enabled_(enabled), format_(format), output_(STDERR_FILENO), stats_(stats) {
  const std::string pid = std::to_string(getpid());
  const std::string number = std::to_string(generation);
  suffix_ = format == LogFormat::Json ? ",\"pid\":" + pid + ",\"generation\":" + number + "}\n"
                                      : " pid=" + pid + " generation=" + number + "\n";
}

void AccessLog::write(const AccessRecord& record) {
  if (!enabled_) return;
  if (batch_.size() - written_ >= kMaxPending) {
    stats_.add(stats::Counter::AccessLogDropped);
    return;
  }
  AccessRecord line = record;
  line.method = line.method.substr(0, kLongestMethod);
  std::string shortened;
  if (line.path.size() > kLongestPath) {
    shortened.assign(line.path.substr(0, kLongestPath)).append(kCut);
    line.path = shortened;
  }
  if (format_ == LogFormat::Json)
    append_json(line);
  else
    append_text(line);
  batch_ += suffix_;
}

void AccessLog::append_time() {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME_COARSE, &ts);
  append_rfc3339(batch_, static_cast<int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1000);
}

void AccessLog::append_text(const AccessRecord& record) {
  const auto field = [this](std::string_view key, std::string_view value) {
    batch_ += key;
    append_text_value(batch_, value);
  };
  append_time();
  batch_ += " INFO  request";
  field(" method=", record.method);
  field(" path=", record.path);
  field(" route=", record.route);
  field(" service=", record.service);
  batch_ += " status=";
  append_number(batch_, record.status);
  batch_ += " bytes=";
  append_number(batch_, record.bytes);
  batch_ += " duration=";
  append_seconds(batch_, record.duration_us);
  field(" client=", record.client);
  if (!record.reason.empty()) field(" reason=", record.reason);
}

void AccessLog::append_json(const AccessRecord& record) {
  const auto field = [this](std::string_view key, std::string_view value) {
    batch_ += key;
    append_json_string(batch_, value);
  };
  batch_ += "{\"time\":\"";
  append_time();
  batch_ += "\",\"level\":\"info\",\"msg\":\"request\"";
  field(",\"method\":", record.method);
  field(",\"path\":", record.path);
  field(",\"route\":", record.route);
  field(",\"service\":", record.service);
  batch_ += ",\"status\":";
  append_number(batch_, record.status);
  batch_ += ",\"bytes\":";
  append_number(batch_, record.bytes);
  batch_ += ",\"duration\":";
  append_seconds(batch_, record.duration_us);
  field(",\"client\":", record.client);
  if (!record.reason.empty()) field(",\"reason\":", record.reason);
}

void AccessLog::flush() {
  while (written_ < batch_.size()) {
    const ssize_t n = output_.write(whole_lines(std::string_view(batch_).substr(written_)));
    if (n > 0) {
      written_ += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) written_ = batch_.size();  // nobody reads any more
    break;
  }
  if (written_ == batch_.size()) {
    batch_.clear();
    written_ = 0;
  } else if (written_ > kMaxPending / 2) {
    batch_.erase(0, written_);
    written_ = 0;
  }
}

}  // namespace restgate::worker
