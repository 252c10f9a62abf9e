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

AdminSocket::~AdminSocket() {
  if (!path_.empty() && in_place()) ::unlink(path_.c_str());
}

}  // namespace restgate::master
