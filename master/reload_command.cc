#include "master/reload_command.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include "common/platform/unix_socket.h"
#include "common/result.h"
#include "config/file_text.h"
#include "config/peek.h"
#include "master/reload_protocol.h"

namespace restgate::master {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kNobodyAsked = 2;

int complain(int code, const std::string& what) {
  std::fprintf(stderr, "restgate: %s\n", what.c_str());
  return code;
}

/// Where the configuration says that the gateway listens.
Result<std::string> socket_named_by(const std::string& config_path) {
  std::string text;
  if (const auto problem = config::read_file(config_path, text)) return Error{config_path + ": " + *problem, 0};
  std::string socket = config::peek(text, "admin_socket");
  if (socket.starts_with('/')) return socket;
  return Error{config_path +
                   ": the key admin_socket is not there, so it does not say where the gateway can be asked: add it, "
                   "use -socket PATH, or send the master process SIGHUP",
               0};
}

/// As the gateway, which works in another directory, can find it; symbolic links stay, since what they lead to may
/// change.
Result<std::string> seen_from_elsewhere(const std::string& file) {
  if (file.empty()) return file;
  std::error_code error;
  std::string absolute = std::filesystem::absolute(file, error).string();
  if (error) return Error{file + ": " + error.message(), error.value()};
  for (const std::string_view own : {"/dev/fd/", "/dev/stdin", "/proc/self/"})
    if (absolute.starts_with(own)) return Error{file + " is of this process alone: the gateway cannot read it", 0};
  return absolute;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

/// Everything until the peer closes; it may take its time.
std::string receive_all(int fd) {
  std::string all;
  std::array<char, 16 * 1024> chunk;
  for (;;) {
    const ssize_t n = ::recv(fd, chunk.data(), chunk.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;
    all.append(chunk.data(), static_cast<size_t>(n));
  }
}

int report(const reload_protocol::Answer& answer) {
  std::string_view text = answer.body;
  while (text.ends_with('\n')) text.remove_suffix(1);
  switch (answer.status) {
    case reload_protocol::kFinished:
      std::printf("%s\n", std::string(text).c_str());
      return kDone;
    case reload_protocol::kRefused:
      std::fprintf(stderr, "%s\n", std::string(text).c_str());
      return kFailed;
    case reload_protocol::kAborted:
      return complain(kFailed, "reload failed: the configuration before it serves on: " + std::string(text));
    default:
      return complain(kNobodyAsked, "unexpected answer " + std::to_string(answer.status) + ": " + std::string(text));
  }
}

}  // namespace

int run_reload(const ReloadCommand& command) {
  auto file = seen_from_elsewhere(command.use_file);
  if (!file) return complain(kNobodyAsked, file.error().message);
  auto socket = command.socket.empty() ? socket_named_by(command.config_path) : Result<std::string>(command.socket);
  if (!socket) return complain(kNobodyAsked, socket.error().message);
  const auto connection = platform::connect_unix(*socket);
  if (!connection) return complain(kNobodyAsked, "no gateway answers at " + connection.error().message);
  // Should it not take the whole request, it says why.
  (void)send_all(connection->get(), reload_protocol::request_for(*file));
  const auto answer = reload_protocol::parse_answer(receive_all(connection->get()));
  if (!answer) return complain(kFailed, "the gateway at " + *socket + " gave no verdict: " + answer.error().message);
  return report(*answer);
}

}  // namespace restgate::master
