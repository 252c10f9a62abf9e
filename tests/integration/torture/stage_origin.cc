#include "integration/torture/stage_origin.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "integration/torture/stage_tunnel.h"

namespace restgate::itest::torture {

namespace {

void play_stream(Stream& stream, const Cue& cue) {
  const std::string body = stream_of(cue.number);
  stream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  const size_t size = body.size() / kStreamChunks;
  for (size_t i = 0; i < kStreamChunks; ++i) {
    stream.send(chunk(body.substr(i * size, size)));
    std::this_thread::sleep_for(cue.length / kStreamChunks);  // the slowness that is asked for
  }
  stream.send(chunk(""));
}

}  // namespace

StageOrigin::StageOrigin() : wake_(::eventfd(0, EFD_CLOEXEC)), acceptor_([this] { accept_all(); }) {}

StageOrigin::~StageOrigin() {
  stopping_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
  acceptor_.join();
  for (Connection& connection : connections_) ::shutdown(connection.stream.fd(), SHUT_RDWR);
  reap(/*all=*/true);
}

void StageOrigin::accept_all() {
  std::array<pollfd, 2> entries{pollfd{origin_.fd(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
  while (!stopping_) {
    if (::poll(entries.data(), entries.size(), -1) < 0 || !origin_.contacted()) continue;
    Connection& connection = connections_.emplace_back();
    connection.stream = origin_.accept();
    connection.thread = std::thread([this, &connection] { serve(connection); });
    reap(/*all=*/false);
  }
}

// Hundreds of reloads bring thousands of connections: those that have ended go.
void StageOrigin::reap(bool all) {
  connections_.remove_if([all](Connection& connection) {
    if (!all && !connection.ended) return false;
    connection.thread.join();
    return true;
  });
}

void StageOrigin::serve(Connection& connection) {
  try {
    while (connection.stream.wait_readable()) play(connection.stream, connection.stream.read_request());
  } catch (const StreamFailure&) {
    // The gateway's end went away: the client sees it on its own side.
  } catch (const Failure& failure) {
    complain(failure.what());
  }
  ::shutdown(connection.stream.fd(), SHUT_RDWR);
  connection.ended = true;
}

void StageOrigin::play(Stream& stream, const Message& request) {
  const Cue cue = Cue::parse(request.target());
  switch (cue.scene) {
    case Scene::Get:
      return stream.send(response(200, body_of(cue.number)));
    case Scene::Post:
      return take_post(stream, request, cue);
    case Scene::Slow:
      return play_stream(stream, cue);
    case Scene::Tunnel:
      StageTunnel(stream, cue.number).run();
      throw StreamFailure("the tunnel has ended", StreamFailure::Cause::Ended);
  }
}

void StageOrigin::take_post(Stream& stream, const Message& request, const Cue& cue) {
  {
    const std::lock_guard lock(mutex_);
    ++posts_[cue.number];
  }
  if (request.body != body_of(cue.number)) complain("the body of POST " + std::to_string(cue.number) + " is another");
  stream.send(response(200, receipt_of(cue.number)));
}

void StageOrigin::complain(const std::string& what) {
  const std::lock_guard lock(mutex_);
  complaints_.push_back(what);
}

std::unordered_map<uint64_t, size_t> StageOrigin::posts() const {
  const std::lock_guard lock(mutex_);
  return posts_;
}

std::vector<std::string> StageOrigin::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

}  // namespace restgate::itest::torture
