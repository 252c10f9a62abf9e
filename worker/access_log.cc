#include "worker/access_log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "common/log.h"

namespace restgate::worker {
namespace {

// A line must fit into one atomic write to a pipe whatever the client sends, so what it chooses is cut. What is left
// may double when it is escaped; of the few lines that are too long even so, less is kept.
constexpr size_t kLongestMethod = 64;
constexpr size_t kLongestPath = 1024;
constexpr size_t kShortPath = 256;
constexpr size_t kLongestField = 256;
constexpr std::string_view kCut = "...";

/// The next bytes to write: whole lines, and no more than a pipe takes at once, so that the lines of several processes
/// do not mix.
std::string_view whole_lines(std::string_view batch) {
  if (batch.size() <= PIPE_BUF) return batch;
  return batch.substr(0, batch.rfind('\n', PIPE_BUF - 1) + 1);
}

bool has_filter(const config::AccessLogOptions& options) {
  return options.min_status != 0 || options.slower_than.count() > 0 || options.sample != 0;
}

std::string suffix_of(config::AccessFormat format, uint32_t worker, uint64_t generation) {
  const std::string pid = std::to_string(getpid());
  const std::string index = std::to_string(worker);
  const std::string number = std::to_string(generation);
  switch (format) {
    case config::AccessFormat::Text:
      return " pid=" + pid + " worker=" + index + " generation=" + number + "\n";
    case config::AccessFormat::Json:
      return ",\"pid\":" + pid + ",\"worker\":" + index + ",\"generation\":" + number + "}\n";
    case config::AccessFormat::Combined:
      break;
  }
  return "\n";
}

}  // namespace

AccessLog::AccessLog(Setup setup)
    : options_(std::move(setup.options)),
      format_(setup.format),
      all_(!has_filter(options_)),
      file_(std::move(setup.file)),
      output_(options_.file.empty() ? STDERR_FILENO : file_.get()),
      stats_(setup.stats),
      suffix_(suffix_of(format_, setup.worker, setup.generation)) {}

bool AccessLog::chosen(uint16_t status, int64_t duration_us) {
  if (options_.min_status != 0 && status >= options_.min_status) return true;
  if (options_.slower_than.count() > 0 && duration_us > options_.slower_than.count() * 1000) return true;
  if (options_.sample == 0 || ++passed_ < options_.sample) return false;
  passed_ = 0;
  return true;
}

void AccessLog::write(const AccessRecord& record) {
  if (!options_.enabled) return;
  if (batch_.size() - written_ >= kMaxPending) {
    drop_error_ = 0;
    return drop(1);
  }
  const bool short_enough = record.method.size() <= kLongestMethod && record.path.size() <= kLongestPath &&
                            record.referer.size() <= kLongestField && record.user_agent.size() <= kLongestField;
  if (!short_enough || !add_line(record, PIPE_BUF)) [[unlikely]]
    write_shortened(record);
}

void AccessLog::write_shortened(const AccessRecord& record) {
  AccessRecord line = record;
  line.method = line.method.substr(0, kLongestMethod);
  line.referer = line.referer.substr(0, kLongestField);
  line.user_agent = line.user_agent.substr(0, kLongestField);
  std::string path;
  for (const size_t longest : {kLongestPath, kShortPath}) {
    if (record.path.size() > longest) {
      path.assign(record.path.substr(0, longest)).append(kCut);
      line.path = path;
    }
    // In the end, a line that may mix with others' is better than none.
    if (add_line(line, longest == kShortPath ? line_.size() : PIPE_BUF)) return;
  }
  drop(1);
}

/// False: it is longer than `most` bytes.
bool AccessLog::add_line(const AccessRecord& record, size_t most) {
  http1::HeadWriter out(line_.data(), line_.data() + most);
  render(out, record);
  out.raw(suffix_);
  if (out.overflowed()) return false;
  batch_ += out.text();
  return true;
}

void AccessLog::render(http1::HeadWriter& out, const AccessRecord& record) {
  switch (format_) {
    case config::AccessFormat::Text:
      return render_text(out, record);
    case config::AccessFormat::Json:
      return render_json(out, record);
    case config::AccessFormat::Combined:
      return render_combined(out, record);
  }
}

void AccessLog::flush() {
  while (written_ < batch_.size()) {
    if (torn_) {
      if (output_.write("\n") != 1) return give_up(errno);
      torn_ = false;
    }
    const std::string_view left = std::string_view(batch_).substr(written_);
    const ssize_t n = output_.write(output_.is_file() ? left : whole_lines(left));
    if (n > 0) {
      written_ += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) give_up(errno);  // the disk is full, or nobody reads any more
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

void AccessLog::close() {
  flush();
  if (pending()) give_up(0);
  tell_at_ms_ = 0;
  tell_drops(0);
}

/// What has gathered will never be written: a log that lacks lines is better than one that is always late.
void AccessLog::give_up(int error) {
  const std::string_view left = std::string_view(batch_).substr(written_);
  torn_ = torn_ || (written_ > 0 && batch_[written_ - 1] != '\n');
  drop_error_ = error;
  drop(static_cast<uint64_t>(std::count(left.begin(), left.end(), '\n')));
  batch_.clear();
  written_ = 0;
}

void AccessLog::drop(uint64_t lines) {
  dropped_ += lines;
  stats_.add(stats::Counter::AccessLogDropped, lines);
}

void AccessLog::tell_drops(int64_t now_ms) {
  if (dropped_ == 0 || now_ms < tell_at_ms_) return;
  tell_at_ms_ = now_ms + kTellEveryMs;
  const std::string where = options_.file.empty() ? "standard error" : options_.file;
  const char* why =
      drop_error_ == 0 ? "it is not taken in time" : std::strerror(drop_error_);  // NOLINT(concurrency-mt-unsafe)
  log::warn("access log: lines were dropped", {{"lines", std::exchange(dropped_, 0)}, {"to", where}, {"reason", why}});
}

void AccessLog::reopen(UniqueFd file) {
  if (options_.file.empty() || !file) return;
  flush();
  file_ = std::move(file);
  output_ = platform::SharedOutput(file_.get());
  torn_ = false;
}

}  // namespace restgate::worker
