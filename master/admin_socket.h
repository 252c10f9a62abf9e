// AdminSocket: the unix socket of the configuration key admin_socket: its name in the file system, for as long as it is
// served. Master; owned by the Management.
//
// The file goes when this does, unless another has taken its place.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "common/platform/unix_socket.h"
#include "common/result.h"
#include "common/unique_fd.h"
#include "master/upgrade_state.h"

namespace restgate::master {

class AdminSocket {
 public:
  /// See platform::listen_unix().
  static Result<AdminSocket> open(const std::string& path);
  /// What another program has left in this process, which is closed if it is no such thing: then null.
  static std::unique_ptr<AdminSocket> adopt(const UpgradeState::AdminSocket& left);
  AdminSocket(AdminSocket&& other) noexcept
      : path_(std::exchange(other.path_, "")), file_(other.file_), listener_(std::move(other.listener_)) {}
  AdminSocket& operator=(AdminSocket&&) = delete;
  AdminSocket(const AdminSocket&) = delete;
  AdminSocket& operator=(const AdminSocket&) = delete;
  ~AdminSocket();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const platform::FileId& file() const { return file_; }
  /// Whether clients still find it: a cleaner of temporary files may have been there.
  [[nodiscard]] bool in_place() const { return platform::file_id(path_) == file_; }
  /// Listens, and does not block. Once.
  [[nodiscard]] UniqueFd take_listener() { return std::move(listener_); }

 private:
  AdminSocket(std::string path, platform::FileId file, UniqueFd listener)
      : path_(std::move(path)), file_(file), listener_(std::move(listener)) {}

  std::string path_;  // "": moved from
  platform::FileId file_;
  UniqueFd listener_;
};

}  // namespace restgate::master
