#include "master/admin_socket.h"

#include <unistd.h>

#include <cerrno>
#include <optional>

namespace restgate::master {

Result<AdminSocket> AdminSocket::open(const std::string& path) {
  auto listener = platform::listen_unix(path);
  if (!listener) return std::move(listener).error();
  const std::optional<platform::FileId> file = platform::file_id(path);
  if (!file) return Error{path + " has been taken away at once", ENOENT};
  return AdminSocket(path, *file, std::move(listener).value());
}

std::unique_ptr<AdminSocket> AdminSocket::adopt(const UpgradeState::AdminSocket& left) {
  UniqueFd listener(left.fd);
  if (!platform::is_unix_listener(listener.get())) return nullptr;
  return std::unique_ptr<AdminSocket>(new AdminSocket(left.path, left.file, std::move(listener)));
}

AdminSocket::~AdminSocket() {
  if (!path_.empty() && in_place()) ::unlink(path_.c_str());
}

}  // namespace restgate::master
