#include "master/demo/origin.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "common/event_loop.h"
#include "common/platform/process.h"
#include "common/platform/sockets.h"
#include "common/unique_fd.h"
#include "master/demo/origin_server.h"

namespace restgate::demo {
namespace {

/// The terminal's Ctrl-C goes to every process of the group, but the gateway drains first and needs its backend.
void ignore_terminal_signals() {
  for (const int signo : std::array{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE})
    ::signal(signo, SIG_IGN);
}

[[noreturn]] void run_origin(UniqueFd listener, pid_t parent) {
  if (!platform::die_with_parent(parent, SIGKILL)) ::_exit(EXIT_FAILURE);
  platform::set_thread_name("restgate-demo");
  ignore_terminal_signals();
  EventLoop loop;
  OriginServer server(loop, std::move(listener));
  if (server.serving()) loop.run();
  ::_exit(EXIT_FAILURE);
}

}  // namespace

Result<Origin> Origin::start() {
  // Listening before the fork lets a client connect as soon as this has returned.
  Result<UniqueFd> listener = platform::listen_tcp("127.0.0.1", 0);
  if (!listener) return listener.error();
  const uint16_t port = platform::local_port(listener->get());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return system_error("cannot start the demo service", errno);
  if (pid == 0) run_origin(std::move(*listener), parent);
  return Origin(pid, port);
}

Origin::Origin(Origin&& other) noexcept : pid_(std::exchange(other.pid_, -1)), port_(other.port_) {}

Origin::~Origin() {
  // Waiting first: if somebody else has reaped it, the number may belong to another process by now.
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

}  // namespace restgate::demo
