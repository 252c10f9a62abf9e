#include "common/platform/directory_watch.h"

#include <sys/inotify.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <system_error>
#include <utility>

namespace restgate::platform {
namespace {

namespace fs = std::filesystem;

/// A file that is written in place counts when its writer closes it: before, it may be half of one.
constexpr uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
                             IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// As the kernel has it for path resolution.
constexpr int kMaxLinks = 40;

}  // namespace

Result<DirectoryWatch> DirectoryWatch::open() {
  UniqueFd fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!fd) return system_error("cannot watch directories", errno);
  return DirectoryWatch(std::move(fd));
}

std::set<std::string> DirectoryWatch::follow(const std::set<std::string>& directories) {
  std::set<std::string> refused;
  std::erase_if(watches_, [&](const auto& watch) {
    if (directories.contains(watch.first)) return false;
    inotify_rm_watch(fd_.get(), watch.second);  // fails when the directory is gone, and the watch with it
    return true;
  });
  for (const std::string& directory : directories) {
    if (watches_.contains(directory)) continue;
    const int watch = inotify_add_watch(fd_.get(), directory.c_str(), kEvents);
    if (watch < 0)
      refused.insert(directory);
    else
      watches_.emplace(directory, watch);
  }
  return refused;
}

bool DirectoryWatch::take() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool any = false;
  while (true) {
    const ssize_t size = read(fd_.get(), buffer.data(), buffer.size());
    if (size <= 0) return any;
    any = true;
    for (size_t at = 0; at < static_cast<size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      at += sizeof event + event.len;
      if ((event.mask & (IN_IGNORED | IN_MOVE_SELF)) == 0) continue;
      // What is watched is not what the path means any more.
      std::erase_if(watches_, [gone = event.wd](const auto& watch) { return watch.second == gone; });
      if ((event.mask & IN_MOVE_SELF) != 0) inotify_rm_watch(fd_.get(), event.wd);
    }
  }
}

std::set<std::string> directories_behind(const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  std::deque<fs::path> rest(whole.begin(), whole.end());
  std::set<std::string> found;
  fs::path here = "/";
  for (int links = 0; !rest.empty();) {
    const fs::path name = rest.front();
    rest.pop_front();
    if (name == "/" || name == "." || name.empty()) continue;
    if (name == "..") {
      here = here.parent_path();
      continue;
    }
    const fs::path next = here / name;
    const fs::file_status status = fs::symlink_status(next, error);
    if (!fs::exists(status)) {
      found.insert(here);
      return found;
    }
    if (fs::is_symlink(status)) {
      found.insert(here);
      if (++links > kMaxLinks) return found;
      const fs::path target = fs::read_symlink(next, error);
      rest.insert(rest.begin(), target.begin(), target.end());
      if (target.is_absolute()) here = "/";
      continue;
    }
    if (rest.empty() || !fs::is_directory(status)) {
      found.insert(here);
      return found;
    }
    here = next;
  }
  found.insert(here);
  return found;
}

}  // namespace restgate::platform
