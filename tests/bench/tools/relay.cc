// bench_relay: the least that a proxy can do, as the yardstick: a blind TCP relay. One process per worker.
//
//   bench_relay --to PORT [--workers N]
//
// Each accepted connection gets one to the origin, and bytes go both ways through one 64 KiB buffer per process. Events
// are edge-triggered and registered once; a read that fills less than the buffer has drained the socket. What a side
// does not take at once is copied and holds back its peer, so that memory is bounded by one buffer a direction.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bench/tools/support.h"
#include "common/platform/sockets.h"

namespace restgate::bench {
namespace {

struct Pair;

/// One side of a relayed connection.
struct Side {
  UniqueFd fd;
  Pair* pair = nullptr;
  Side* other = nullptr;
  std::string unsent{};  // read from the other side, not yet taken by this one
  size_t sent = 0;       // of it
  bool readable = false;
  bool hung_up = false;  // the end comes without a further edge
  bool ended = false;
};

struct Pair {
  Side client;
  Side origin;
};

class Relay {
 public:
  Relay(int listener, platform::Address origin) : listener_(listener), origin_(origin) {
    poller_.add(listener, nullptr, EPOLLIN | EPOLLET);
  }

  [[noreturn]] void run() {
    for (;;) {
      poller_.wait(Poller::kForever, [this](void* owner, uint32_t events) {
        if (owner == nullptr)
          accept_all();
        else
          on_event(*static_cast<Side*>(owner), events);
      });
      dead_.clear();
    }
  }

 private:
  void accept_all() {
    for (;;) {
      platform::Accepted accepted = platform::accept_tcp(listener_);
      if (!accepted.fd) return;
      auto to_origin = platform::connect_tcp(origin_.get(), origin_.length());
      if (!to_origin.ok()) fail(to_origin.error().message);
      auto pair = std::make_unique<Pair>();
      pair->client = {.fd = std::move(accepted.fd), .pair = pair.get(), .other = &pair->origin};
      pair->origin = {.fd = std::move(to_origin).value(), .pair = pair.get(), .other = &pair->client};
      poller_.add(pair->client.fd.get(), &pair->client);
      poller_.add(pair->origin.fd.get(), &pair->origin);
      Pair* const key = pair.get();
      pairs_.emplace(key, std::move(pair));
    }
  }

  void on_event(Side& side, uint32_t events) {
    Pair& pair = *side.pair;
    if (!pair.client.fd) return;  // closed earlier in this batch
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) side.hung_up = true;
    bool alive = pump(side);
    // Room to write lets what the other side has to say go on.
    if (alive && (events & EPOLLOUT) != 0) alive = pump(*side.other);
    if (!alive || (pair.client.ended && pair.origin.ended)) close(pair);
  }

  /// Moves what `from` has to say. False: the connection is broken.
  bool pump(Side& from) {
    Side& to = *from.other;
    if (!flush(to)) return false;
    while (from.readable && to.unsent.empty() && !from.ended) {
      const ssize_t got = read(from.fd.get(), buffer_.data(), buffer_.size());
      if (got < 0) {
        from.readable = false;
        return errno == EAGAIN;
      }
      if (got == 0) {
        from.ended = true;
        shutdown(to.fd.get(), SHUT_WR);
        return true;
      }
      const auto bytes = static_cast<size_t>(got);
      if (bytes < buffer_.size() && !from.hung_up) from.readable = false;
      const ssize_t put = write(to.fd.get(), buffer_.data(), bytes);
      if (put < 0 && errno != EAGAIN) return false;
      const size_t taken = put < 0 ? 0 : static_cast<size_t>(put);
      if (taken < bytes) to.unsent.assign(buffer_.data() + taken, bytes - taken);
    }
    return true;
  }

  static bool flush(Side& to) {
    if (to.unsent.empty()) return true;
    const ssize_t put = write(to.fd.get(), to.unsent.data() + to.sent, to.unsent.size() - to.sent);
    if (put < 0) return errno == EAGAIN;
    to.sent += static_cast<size_t>(put);
    if (to.sent < to.unsent.size()) return true;
    to.unsent.clear();
    to.sent = 0;
    return true;
  }

  void close(Pair& pair) {
    pair.client.fd.reset();
    pair.origin.fd.reset();
    const auto found = pairs_.find(&pair);
    dead_.push_back(std::move(found->second));
    pairs_.erase(found);
  }

  int listener_;
  platform::Address origin_;
  Poller poller_;
  std::array<char, size_t{64} * 1024> buffer_;
  std::unordered_map<Pair*, std::unique_ptr<Pair>> pairs_;
  std::vector<std::unique_ptr<Pair>> dead_;  // closed in this batch of events
};

}  // namespace
}  // namespace restgate::bench

int main(int argc, char** argv) {
  using namespace restgate::bench;
  Flags flags(argc, argv);
  const restgate::platform::Address origin = loopback(flags.number("to", 0));
  const uint64_t workers = flags.number("workers", 1);
  flags.done();
  prefork(workers, [&](int listener) { std::make_unique<Relay>(listener, origin)->run(); });
}
