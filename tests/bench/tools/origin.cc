// bench_origin: the backend that all proxies are measured in front of; prefork, edge-triggered, very cheap.
//
//   bench_origin [--workers N] [--tick-ms N] [--certificate FILE --key FILE]
//
// --tick-ms: how often each client of /sse gets an event. With a certificate it speaks TLS. See OriginConnection.
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/tools/origin_connection.h"
#include "bench/tools/support.h"
#include "common/platform/sockets.h"

namespace restgate::bench {
namespace {

class Origin {
 public:
  Origin(int listener, uint64_t tick_ms, const TlsServer* tls) : listener_(listener), tls_(tls) {
    poller_.add(listener, &listener_, EPOLLIN | EPOLLET);
    start_ticks(tick_ms);
  }

  [[noreturn]] void run() {
    for (;;) {
      poller_.wait(Poller::kForever, [this](void* owner, uint32_t) {
        if (owner == &listener_)
          accept_all();
        else if (owner == &ticks_)
          on_tick();
        else
          on_ready(*static_cast<OriginConnection*>(owner));
      });
      for (OriginConnection* const dead : dead_) connections_.erase(dead);
      dead_.clear();
    }
  }

 private:
  void start_ticks(uint64_t tick_ms) {
    ticks_.reset(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    itimerspec spec{};
    spec.it_interval.tv_sec = static_cast<time_t>(tick_ms / 1000);
    spec.it_interval.tv_nsec = static_cast<long>(tick_ms % 1000 * 1'000'000);
    spec.it_value = spec.it_interval;
    if (!ticks_ || timerfd_settime(ticks_.get(), 0, &spec, nullptr) != 0) fail_errno("timerfd");
    poller_.add(ticks_.get(), &ticks_, EPOLLIN | EPOLLET);
  }

  void accept_all() {
    for (;;) {
      platform::Accepted accepted = platform::accept_tcp(listener_);
      if (!accepted.fd) return;
      auto connection = std::make_unique<OriginConnection>(OriginStream(std::move(accepted.fd), tls_));
      poller_.add(connection->fd(), connection.get());
      OriginConnection* const key = connection.get();
      connections_.emplace(key, std::move(connection));
    }
  }

  void on_ready(OriginConnection& connection) {
    const bool subscribed = connection.subscribed();
    if (!connection.on_ready(buffer_)) return lose(connection);
    if (!subscribed && connection.subscribed()) subscribers_.push_back(&connection);
  }

  void on_tick() {
    uint64_t ticks = 0;
    if (read(ticks_.get(), &ticks, sizeof ticks) < 0) return;
    std::vector<OriginConnection*> lost;
    for (OriginConnection* const subscriber : subscribers_)
      if (!subscriber->send_event()) lost.push_back(subscriber);
    for (OriginConnection* const subscriber : lost) lose(*subscriber);
  }

  /// It may have been lost earlier in this batch of events.
  void lose(OriginConnection& connection) {
    std::erase(subscribers_, &connection);
    dead_.push_back(&connection);
  }

  int listener_;
  const TlsServer* tls_;
  Poller poller_;
  UniqueFd ticks_;
  std::array<char, size_t{64} * 1024> buffer_;
  std::unordered_map<OriginConnection*, std::unique_ptr<OriginConnection>> connections_;
  std::vector<OriginConnection*> subscribers_;
  std::vector<OriginConnection*> dead_;
};

}  // namespace
}  // namespace restgate::bench

int main(int argc, char** argv) {
  using namespace restgate::bench;
  Flags flags(argc, argv);
  const uint64_t workers = flags.number("workers", 1);
  const uint64_t tick_ms = flags.number("tick-ms", 100);
  const std::string certificate = flags.text("certificate");
  const std::string key = flags.text("key");
  flags.done();
  std::optional<TlsServer> tls;
  if (!certificate.empty()) tls.emplace(certificate, key);
  prefork(workers,
          [&](int listener) { std::make_unique<Origin>(listener, tick_ms, tls.has_value() ? &*tls : nullptr)->run(); });
}
