// Unix stream sockets with a name in the file system. Master and `restgate reload`. Descriptors are close-on-exec.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/result.h"
#include "common/unique_fd.h"

namespace restgate::platform {

/// Tells one file from another that took its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};
/// The file of that name itself, not what a link leads to; nothing: there is none.
[[nodiscard]] std::optional<FileId> file_id(const std::string& path);

/// Listens at `path`, non-blocking; only this user (and root) may connect. A socket that nobody listens on is replaced;
/// anything else that is there stays, and is an Error: a sentence for the person who chose the path.
Result<UniqueFd> listen_unix(const std::string& path);
/// Whether `fd` is such a socket.
[[nodiscard]] bool is_unix_listener(int fd);

/// Connects, blocking.
Result<UniqueFd> connect_unix(const std::string& path);

}  // namespace restgate::platform
