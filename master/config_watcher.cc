#include "master/config_watcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include "common/log.h"
#include "config/parser.h"
#include "master/loaded_config.h"

namespace restgate::master {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

/// Directories may change while they are being looked up; then once more.
constexpr int kLookups = 4;

/// "" when it is no file that can be read: a pipe would have to be waited for.
std::string hash_of_file(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  if (static_cast<uint64_t>(status.st_size) > config::kMaxFileBytes) return "";
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return file.bad() ? "" : content_hash(text);
}

}  // namespace

ConfigWatcher::ConfigWatcher(EventLoop& loop, std::function<void()> on_change)
    : ConfigWatcher(loop, std::move(on_change), Pace{}) {}

ConfigWatcher::ConfigWatcher(EventLoop& loop, std::function<void()> on_change, Pace pace)
    : loop_(loop), on_change_(std::move(on_change)), pace_(pace), timer_(loop, [this] { look(); }) {}

void ConfigWatcher::follow(Wanted wanted) {
  if (wanted.files == files_) return;
  files_ = std::move(wanted.files);
  if (files_.empty()) return stop();
  std::map<std::string, std::string> before = std::exchange(seen_, {});
  for (const std::string& file : files_) {
    if (const auto known = before.find(file); known != before.end())
      seen_[file] = std::move(known->second);
    else
      seen_[file] = file == files_.front() ? wanted.hash : hash_of_file(file);
  }
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
  for (const std::string& each : files_) seen_[each] = hash_of_file(each);
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
    std::string hash = hash_of_file(file);
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

ConfigWatcher::Wanted watched_files(const config::Config& config, const std::string& hash) {
  ConfigWatcher::Wanted wanted;
  if (!config.config_watch) return wanted;
  wanted.hash = hash;
  std::set<std::string_view> added;
  const auto add = [&](const std::string& file) {
    if (!file.empty() && added.insert(file).second) wanted.files.push_back(file);
  };
  add(config.file);
  add(config.admin_token_file);
  for (const config::Service& service : config.services) {
    add(service.tls.ca_file);
    add(service.tls.client_cert_file);
    add(service.tls.client_key_file);
  }
  return wanted;
}

}  // namespace restgate::master
