// DirectoryWatch: tells that something in some directories has changed (inotify). Master.
//
// It says that there is something to look at, not what: whoever owns it looks again at what it cares about.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

class DirectoryWatch {
 public:
  /// An Error: the system has no more of these for this user.
  static Result<DirectoryWatch> open();

  /// Readable when there is something to take(). Close-on-exec, non-blocking.
  [[nodiscard]] int fd() const { return fd_.get(); }

  /// Watches these directories and no others. Returns those that cannot be watched, because they are not there or may
  /// not be read. One that had been moved away or removed since the last time is watched anew under its path.
  std::set<std::string> follow(const std::set<std::string>& directories);

  /// Takes what has happened; true when there was anything.
  bool take();

 private:
  explicit DirectoryWatch(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
  std::map<std::string, int> watches_;  // by path
};

/// The directories in which something has to change for this path to lead to another file: the one in which the file
/// lies and those of all symbolic links on the way to it. Where the path leads nowhere, the last directory that there
/// is. Absolute, without links.
[[nodiscard]] std::set<std::string> directories_behind(const std::filesystem::path& path);

}  // namespace restgate::platform
