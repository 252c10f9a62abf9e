#include "bench/tools/support.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/platform/process.h"
#include "common/platform/sockets.h"

namespace restgate::bench {

void fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, what.c_str());
  std::exit(1);
}

void fail_errno(const std::string& what) {
  fail(what + ": " + std::strerror(errno));
}

Flags::Flags(int argc, char** argv) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name.substr(0, 2) != "--" || i + 1 == argc) fail("expected --name value, not '" + std::string(name) + "'");
    values_.insert_or_assign(std::string(name.substr(2)), argv[i + 1]);
  }
}

std::string Flags::text(const std::string& name, const std::string& otherwise) {
  const auto found = values_.extract(name);
  return found.empty() ? otherwise : found.mapped();
}

uint64_t Flags::number(const std::string& name, uint64_t otherwise) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) fail("--" + name + ": not a number: " + value);
  return number;
}

void Flags::done() const {
  if (!values_.empty()) fail("unknown flag --" + values_.begin()->first);
}

platform::Address loopback(uint64_t port) {
  return platform::Address::ipv4(in_addr{htonl(INADDR_LOOPBACK)}, static_cast<uint16_t>(port));
}

namespace {

UniqueFd listen_on(uint16_t port) {
  auto listener = platform::listen_tcp("127.0.0.1", port, {.reuse_port = true});
  if (!listener.ok()) fail(listener.error().message);
  return std::move(listener).value();
}

pid_t fork_worker(int listener, const std::function<void(int)>& serve) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) fail_errno("fork");
  if (child > 0) return child;
  platform::reset_signals_in_child();
  if (platform::die_with_parent(parent, SIGKILL)) serve(listener);
  std::_Exit(1);
}

}  // namespace

void prefork(uint64_t workers, const std::function<void(int listener)>& serve) {
  platform::ignore_sigpipe();
  platform::raise_nofile_limit();
  sigset_t awaited;
  sigemptyset(&awaited);
  for (const int signo : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&awaited, signo);
  sigprocmask(SIG_BLOCK, &awaited, nullptr);
  if (!platform::die_with_parent(getppid(), SIGTERM)) return;

  std::vector<UniqueFd> listeners;
  uint16_t port = 0;
  for (uint64_t i = 0; i < workers; ++i) {
    listeners.push_back(listen_on(port));
    port = platform::local_port(listeners.back().get());
  }
  std::vector<pid_t> children;
  for (const UniqueFd& listener : listeners) children.push_back(fork_worker(listener.get(), serve));
  std::printf("port %u\n", unsigned{port});
  std::fflush(stdout);

  int signo = 0;
  sigwait(&awaited, &signo);
  for (const pid_t child : children) kill(child, SIGKILL);
  while (wait(nullptr) > 0) {
  }
  if (signo == SIGCHLD) fail("a worker has ended");
}

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!fd_) fail_errno("epoll_create1");
}

void Poller::add(int fd, void* owner, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner;
  if (epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) fail_errno("epoll_ctl");
}

int Poller::wait(int64_t timeout_ns) {
  int count = 0;
  if (timeout_ns < 0) {
    count = epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), -1);
  } else {
    const timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
    count = epoll_pwait2(fd_.get(), events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
  }
  if (count < 0 && errno != EINTR) fail_errno("epoll_wait");
  return count < 0 ? 0 : count;
}

}  // namespace restgate::bench
