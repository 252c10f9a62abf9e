#include "bench/tools/load.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/platform/sockets.h"

namespace restgate::bench {
namespace {

// So many connections may be on their way up at once: an accept queue is not the thing measured.
constexpr uint64_t kOpenAtOnce = 128;
constexpr int64_t kTickNs = 250'000'000;

}  // namespace

Load::Load(LoadOptions options) : options_(std::move(options)) {
  for (uint64_t i = 0; i < options_.connections; ++i)
    connections_.push_back(std::make_unique<Connection>(ReplyReader(options_.kind, options_.status)));
  latencies_.reserve(options_.count);
}

void Load::set_up() {
  if (options_.reconnect) return;
  deadline_ns_ = now_ns() + options_.timeout_ns;
  size_t next = 0;
  while (opened_ < connections_.size()) {
    while (next < connections_.size() && next - opened_ < kOpenAtOnce) open(*connections_[next++]);
    turn(kTickNs);
  }
}

void Load::run() {
  counting_ = true;
  deadline_ns_ = now_ns() + options_.timeout_ns;
  if (options_.kind == ReplyReader::Kind::Events) drop_waiting_events();
  start_ns_ = now_ns();
  if (options_.rate > 0) {
    for (const auto& connection : connections_) idle_.push_back(connection.get());
  } else if (options_.kind != ReplyReader::Kind::Events) {
    for (const auto& connection : connections_) begin_exchange(*connection, start_ns_);
  }
  while (finished_ < options_.count) {
    if (options_.rate > 0) start_due();
    turn(until_due());
  }
  elapsed_ns_ = now_ns() - start_ns_;
}

/// Events have been coming since the connections stand: what waits already is not counted.
void Load::drop_waiting_events() {
  uint64_t before = 0;
  do {
    before = finished_;
    turn(0);
  } while (finished_ > before);
  finished_ = 0;
}

/// How long nothing has to be started.
int64_t Load::until_due() const {
  if (options_.rate == 0 || idle_.empty() || started_ == options_.count) return kTickNs;
  return std::clamp<int64_t>(due_ns(started_) - now_ns(), 0, kTickNs);
}

int64_t Load::due_ns(uint64_t exchange) const {
  return start_ns_ + static_cast<int64_t>(exchange * 1'000'000'000 / options_.rate);
}

void Load::start_due() {
  const int64_t now = now_ns();
  while (started_ < options_.count && !idle_.empty() && due_ns(started_) <= now) {
    Connection& connection = *idle_.front();
    idle_.pop_front();
    begin_exchange(connection, due_ns(started_));
  }
}

void Load::begin_exchange(Connection& connection, int64_t since_ns) {
  if (started_ >= options_.count) return;
  connection.since_ns = since_ns;
  if (options_.reconnect) return open(connection);
  const uint64_t batch = std::min(options_.pipeline, options_.count - started_);
  started_ += batch;
  send(connection, batch);
}

void Load::open(Connection& connection) {
  auto socket = platform::connect_tcp(options_.target.get(), options_.target.length());
  if (!socket.ok()) fail(socket.error().message);
  connection.fd = std::move(socket).value();
  connection.reader = ReplyReader(options_.kind, options_.status);
  connection.writable = false;
  poller_.add(connection.fd.get(), &connection);
  if (counting_) ++started_;
  connection.awaited = 1;
  connection.unsent = random_request();
}

const std::string& Load::random_request() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return options_.requests[random_ % options_.requests.size()];
}

void Load::send(Connection& connection, uint64_t batch) {
  connection.awaited = batch;
  if (!options_.message.empty()) {
    connection.unsent = options_.message;
  } else if (batch == 1) {
    connection.unsent = random_request();
  } else {
    connection.batch.clear();
    for (uint64_t i = 0; i < batch; ++i) connection.batch += random_request();
    connection.unsent = connection.batch;
  }
  write_unsent(connection);
}

void Load::write_unsent(Connection& connection) {
  while (connection.writable && !connection.unsent.empty()) {
    const ssize_t put = write(connection.fd.get(), connection.unsent.data(), connection.unsent.size());
    if (put > 0)
      connection.unsent.remove_prefix(static_cast<size_t>(put));
    else if (errno == EAGAIN)
      connection.writable = false;
    else
      fail_errno("a connection broke while a request was written");
  }
}

void Load::turn(int64_t timeout_ns) {
  poller_.wait(timeout_ns,
               [this](void* owner, uint32_t events) { on_event(*static_cast<Connection*>(owner), events); });
  if (now_ns() > deadline_ns_)
    fail("timed out: " + std::to_string(opened_) + " connections stand, " + std::to_string(finished_) + " of " +
         std::to_string(options_.count) + " exchanges are done");
}

void Load::on_event(Connection& connection, uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    connection.writable = true;
    write_unsent(connection);
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) == 0) return;
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
  for (;;) {
    const ssize_t got = read(connection.fd.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) fail_errno("a connection broke while a reply was read");
    if (got == 0) return on_closed(connection);
    const auto bytes = static_cast<size_t>(got);
    const unsigned replies = connection.reader.take({buffer_.data(), bytes});
    if (replies > 0) on_replies(connection, replies);
    if (bytes < buffer_.size() && !hung_up) return;
  }
}

void Load::on_replies(Connection& connection, unsigned replies) {
  if (!counting_) {
    if (connection.awaited > 0) ++opened_;
    connection.awaited = 0;
    return;
  }
  const int64_t now = now_ns();
  finished_ += replies;
  if (options_.kind == ReplyReader::Kind::Events) return;
  if (replies > connection.awaited) fail("more replies than requests");
  const auto latency = static_cast<uint32_t>(std::min<int64_t>((now - connection.since_ns) / 100, UINT32_MAX));
  latencies_.insert(latencies_.end(), replies, latency);
  connection.awaited -= replies;
  if (connection.awaited > 0 || options_.reconnect) return;
  if (options_.rate > 0)
    idle_.push_back(&connection);
  else
    begin_exchange(connection, now);
}

void Load::on_closed(Connection& connection) {
  if (!options_.reconnect || connection.awaited > 0) fail("a connection was closed");
  connection.fd.reset();
  if (options_.rate > 0)
    idle_.push_back(&connection);
  else
    begin_exchange(connection, now_ns());
}

std::string Load::report() {
  std::sort(latencies_.begin(), latencies_.end());
  const auto percentile = [this](double part) {
    if (latencies_.empty()) return 0.0;
    const auto at = static_cast<size_t>(part * static_cast<double>(latencies_.size()));
    return latencies_[std::min(at, latencies_.size() - 1)] / 10.0;
  };
  std::array<char, 256> text;
  const int size = std::snprintf(text.data(), text.size(),
                                 R"({"count": %llu, "seconds": %.6f, "p50_us": %.1f, "p99_us": %.1f, "p999_us": %.1f})",
                                 static_cast<unsigned long long>(finished_), static_cast<double>(elapsed_ns_) / 1e9,
                                 percentile(0.5), percentile(0.99), percentile(0.999));
  return {text.data(), static_cast<size_t>(size)};
}

}  // namespace restgate::bench
