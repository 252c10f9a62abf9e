#include "integration/torture/tunnel_client.h"

#include <fcntl.h>

#include <thread>

#include "integration/torture/http_client.h"
#include "integration/torture/script.h"

namespace restgate::itest::torture {

namespace {

using std::chrono::milliseconds;
using ws::Opcode;

constexpr unsigned kLongestPause_ms = 20;

}  // namespace

void TunnelClient::run() {
  while (course_.pause(milliseconds(0)) && !course_.closing())
    if (open()) use();
}

void TunnelClient::failed(Outcome outcome, const std::string& detail) {
  broken_ = true;
  score_.mishaps.push_back({Kind::Tunnel, outcome, last_, Clock::now(), false, detail});
}

bool TunnelClient::open() {
  last_ = Clock::now();
  number_ = course_.next_number();
  sent_ = echoed_ = pushed_ = 0;
  broken_ = false;
  try {
    stream_ = course_.connect();
    ++score_.connects;
    stream_.send(ws::handshake_request(Cue{Scene::Tunnel, number_}.target()));
    const Message answer = stream_.read_head();
    if (answer.status() == 101) {
      ++score_.good;
      return true;
    }
    failed(Outcome::BadStatus, answer.start_line);
  } catch (const StreamFailure& failure) {
    failed(outcome_of(failure.cause(), false), failure.what());
  }
  stream_.close();
  return false;
}

void TunnelClient::use() {
  Stream sending(UniqueFd(::fcntl(stream_.fd(), F_DUPFD_CLOEXEC, 0)));
  std::thread sender([&] { send_all(sending); });
  try {
    receive_all();
  } catch (const StreamFailure& failure) {
    failed(outcome_of(failure.cause(), true), failure.what());
  } catch (const Failure& failure) {
    failed(Outcome::WrongBody, failure.what());
  }
  sender.join();
  stream_.close();
}

void TunnelClient::send_all(Stream& sending) {
  try {
    while (!broken_ && !course_.closing() && course_.pause(milliseconds(random_() % kLongestPause_ms))) {
      sending.send(ws::encode(Opcode::Binary, frame_of(number_, 'c', sent_), true));
      ++sent_;
    }
    if (!broken_) sending.send(ws::encode(Opcode::Close, "", true));
  } catch (const Failure&) {
    // The receiver sees the same end and judges it.
  }
}

void TunnelClient::receive_all() {
  while (true) {
    const ws::Frame frame = ws::read_frame(stream_);
    last_ = Clock::now();
    if (frame.opcode == Opcode::Close) return close(frame.payload);
    take(frame);
    ++score_.frames;
    course_.note_progress(Kind::Tunnel);
  }
}

void TunnelClient::take(const ws::Frame& frame) {
  if (frame.payload.empty()) throw Failure("an empty frame");
  const char from = frame.payload.front();
  uint64_t& next = from == 'c' ? echoed_ : pushed_;
  const std::string expected = frame_of(number_, from == 'c' ? 'c' : 'o', next);
  if (frame.payload != expected)
    throw Failure("tunnel " + std::to_string(number_) + ": expected " + printable(expected, 60) + ", got " +
                  printable(frame.payload, 60));
  ++next;
}

void TunnelClient::close(const std::string& counts) {
  const std::string expected = std::to_string(sent_) + " " + std::to_string(pushed_);
  if (counts != expected || echoed_ != sent_)
    throw Failure("tunnel " + std::to_string(number_) + ": frames sent and pushed: " + expected +
                  ", came back: " + std::to_string(echoed_) + "; the origin says " + printable(counts));
  stream_.expect_end();
}

}  // namespace restgate::itest::torture
