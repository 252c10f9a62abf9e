// ConfigWatcher: notices that the configuration file, or a file that it names (certificates, keys, token), has got
// another content, and says so: the key `config_watch`. Master; owned by the Gateway; its one thread.
//
//   something happens in a watched directory ──250 ms of quiet, or 2 s──▶ look: another content? ──▶ on_change
//
// What counts is the content, not the event: a touch, a swap of links to an equal file and a reload that somebody else
// asked for meanwhile lead to nothing. Every content is told once, so that a bad file is refused once.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/platform/directory_watch.h"
#include "config/model.h"
#include "master/loaded_config.h"

namespace restgate::master {

class ConfigWatcher final : private IoHandler {
 public:
  struct Pace {
    std::chrono::milliseconds quiet{250};        ///< so long nothing may happen before it looks
    std::chrono::milliseconds at_most{2'000};    ///< after the first event it looks all the same
    std::chrono::milliseconds unwatched{5'000};  ///< how often it looks at what cannot be watched
  };
  /// What is to be watched.
  struct Wanted {
    std::string file{};  ///< the configuration file; "": nothing
    std::string hash{};  ///< of it as it was read: content_hash()
    FileHashes named{};  ///< what it names, as it was when it was read, or just before
  };

  /// `loop` outlives it. `on_change` is called within a turn of the loop.
  ConfigWatcher(EventLoop& loop, std::function<void()> on_change);
  ConfigWatcher(EventLoop& loop, std::function<void()> on_change, Pace pace);
  ConfigWatcher(const ConfigWatcher&) = delete;
  ConfigWatcher& operator=(const ConfigWatcher&) = delete;
  ~ConfigWatcher() = default;

  /// Watches these from now on. Costs nothing when they are those of the last time.
  void follow(Wanted wanted);
  /// This configuration file, and what it names, is about to be read: what is in them now is not told any more.
  void note_read(const std::string& file);

  /// How often it has looked: for tests.
  [[nodiscard]] uint64_t looks() const { return looks_; }

 private:
  void on_io(IoReady ready) override;
  void look();
  /// Watches whatever leads to the files. False: some of it cannot be watched.
  bool watch_directories();
  void arm();
  void stop();

  EventLoop& loop_;
  std::function<void()> on_change_;
  Pace pace_;
  std::vector<std::string> files_;  // the configuration file first
  FileHashes seen_;                 // what was told or read last
  std::optional<platform::DirectoryWatch> watch_;
  IoEvent readable_;
  TimerEvent timer_;
  std::optional<std::chrono::steady_clock::time_point> look_by_;  // while something has happened
  bool missing_told_ = false;
  bool blind_told_ = false;
  uint64_t looks_ = 0;
};

/// What is to be watched for a configuration: nothing unless it says `config_watch: true`. See LoadedConfig for the
/// others.
[[nodiscard]] ConfigWatcher::Wanted watched_files(const config::Config& config, const std::string& hash,
                                                  const FileHashes& named);

}  // namespace restgate::master
