#include "integration/torture/stage_tunnel.h"

#include <fcntl.h>

#include <chrono>
#include <random>
#include <string>
#include <thread>

#include "integration/support/websocket.h"
#include "integration/torture/script.h"

namespace restgate::itest::torture {

namespace {

using ws::Opcode;
constexpr unsigned kLongestPause_ms = 30;

}  // namespace

void StageTunnel::run() {
  back_ = Stream(UniqueFd(::fcntl(stream_.fd(), F_DUPFD_CLOEXEC, 0)));
  send(ws::handshake_response());
  std::thread pusher([this] { push_all(); });
  try {
    echo_all();
  } catch (...) {
    stop_pushing();
    pusher.join();
    throw;
  }
  stop_pushing();
  pusher.join();
  send(ws::encode(Opcode::Close, std::to_string(received_) + " " + std::to_string(pushed_), false));
}

void StageTunnel::send(const std::string& bytes) {
  const std::lock_guard lock(sending_);
  back_.send(bytes);
}

void StageTunnel::echo_all() {
  while (true) {
    const ws::Frame frame = ws::read_frame(stream_);
    if (frame.opcode == Opcode::Close) return;
    if (frame.payload != frame_of(number_, 'c', received_))
      throw Failure("tunnel " + std::to_string(number_) + ": frame " + std::to_string(received_) +
                    " is due, there came " + printable(frame.payload, 60));
    ++received_;
    send(ws::encode(Opcode::Binary, frame.payload, false));
  }
}

void StageTunnel::push_all() {
  std::minstd_rand random(static_cast<unsigned>(number_) + 1);
  std::unique_lock lock(mutex_);
  const auto pause = [&] { return std::chrono::milliseconds(random() % kLongestPause_ms); };
  while (!stopping_.wait_for(lock, pause(), [this] { return stopped_; })) {
    lock.unlock();
    try {
      send(ws::encode(Opcode::Binary, frame_of(number_, 'o', pushed_), false));
    } catch (const Failure&) {
      return;  // the echoing thread sees the same end
    }
    ++pushed_;
    lock.lock();
  }
}

void StageTunnel::stop_pushing() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
}

}  // namespace restgate::itest::torture
