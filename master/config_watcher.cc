#include "master/config_watcher.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/log.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

/// Directories may change while they are being looked up; then once more.
constexpr int kLookups = 4;

}  // namespace

ConfigWatcher::ConfigWatcher(EventLoop& loop, std::function<void()> on_change)
    : ConfigWatcher(loop, std::move(on_change), Pace{}) {}

ConfigWatcher::ConfigWatcher(EventLoop& loop, std::function<void()> on_change, Pace pace)
    : loop_(loop), on_change_(std::move(on_change)), pace_(pace), timer_(loop, [this] { look(); }) {}

void ConfigWatcher::follow(Wanted wanted) {
  std::vector<std::string> files;
  if (!wanted.file.empty()) {
    files.push_back(wanted.file);
    wanted.named.erase(wanted.file);
    for (const auto& [file, hash] : wanted.named) files.push_back(file);
  }
  if (files == files_) return;
  const bool same_configuration = !files_.empty() && !files.empty() && files_.front() == files.front();
  files_ = std::move(files);
  if (files_.empty()) return stop();
  // What has been told of a file counts, or it would be told twice. But what was told for the sake of another
  // configuration may not have come to this one: then it is what was loaded.
  FileHashes next = std::move(wanted.named);
  next[wanted.file] = std::move(wanted.hash);
  if (same_configuration)
    for (auto& [file, hash] : next)
      if (const auto known = seen_.find(file); known != seen_.end()) hash = std::move(known->second);
  seen_ = std::move(next);
  if (!watch_) {
    if (auto opened = platform::DirectoryWatch::open())
      watch_ = std::move(opened).value();
    else
      log::warn("config_watch: looking at the files every few seconds instead", {{"reason", opened.error().message}});
    if (watch_ && !readable_.start_reading(loop_, watch_->fd(), *this)) watch_.reset();
  }
  // What has changed since it was read is seen now, what changes from now on by the watch.
  (void)watch_directories();
  arm();
}

void ConfigWatcher::note_read(const std::string& file) {
  if (files_.empty() || file != files_.front()) return;
  for (const std::string& each : files_) seen_[each] = file_hash(each);
}

void ConfigWatcher::stop() {
  readable_.stop();
  watch_.reset();
  timer_.cancel();
  seen_.clear();
  look_by_.reset();
  missing_told_ = false;
  blind_told_ = false;
}

void ConfigWatcher::on_io(IoReady /*ready*/) {
  if (watch_->take()) arm();
}

void ConfigWatcher::arm() {
  const auto now = steady_clock::now();
  if (!look_by_) look_by_ = now + pace_.at_most;
  const auto left = std::max(steady_clock::duration::zero(), *look_by_ - now);
  timer_.arm(duration_cast<microseconds>(std::min<steady_clock::duration>(left, pace_.quiet)));
}

bool ConfigWatcher::watch_directories() {
  if (!watch_) return false;
  std::set<std::string> before;
  std::set<std::string> refused;
  for (int lookup = 0; lookup < kLookups; ++lookup) {
    std::set<std::string> directories;
    for (const std::string& file : files_) directories.merge(platform::directories_behind(file));
    if (directories == before) break;
    refused = watch_->follow(directories);
    before = std::move(directories);
  }
  if (!refused.empty() && !std::exchange(blind_told_, true))
    log::warn("config_watch: a directory cannot be watched: looking at it every few seconds instead",
              {{"directory", *refused.begin()}});
  return refused.empty();
}

void ConfigWatcher::look() {
  ++looks_;
  look_by_.reset();
  if (!watch_directories()) timer_.arm(duration_cast<microseconds>(pace_.unwatched));
  std::string changed;
  for (const std::string& file : files_) {
    std::string hash = file_hash(file);
    if (hash.empty()) {
      // Between two states of somebody's work, or gone by mistake: no reason to do anything but to say so.
      if (file == files_.front() && !std::exchange(missing_told_, true))
        log::warn("config_watch: the configuration file cannot be read: the one before it serves on", {{"file", file}});
      continue;
    }
    if (file == files_.front()) missing_told_ = false;
    if (std::string& seen = seen_[file]; seen != hash) {
      seen = std::move(hash);
      if (changed.empty()) changed = file;
    }
  }
  if (changed.empty()) return;
  log::info("config_watch: a file has changed: reloading", {{"file", changed}});
  on_change_();
}

ConfigWatcher::Wanted watched_files(const config::Config& config, const std::string& hash, const FileHashes& named) {
  if (!config.config_watch) return {};
  return {config.file, hash, named};
}

}  // namespace restgate::master
