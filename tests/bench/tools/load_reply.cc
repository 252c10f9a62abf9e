#include "bench/tools/load_reply.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

#include "bench/tools/support.h"

namespace restgate::bench {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";
constexpr std::string_view kContentLength = "content-length: ";

unsigned status_of(std::string_view head) {
  unsigned status = 0;
  if (head.size() >= 12) std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

bool find_content_length(std::string_view head, uint64_t& value) {
  for (size_t line = head.find('\n'); line != std::string_view::npos; line = head.find('\n', line)) {
    ++line;
    if (head.size() - line <= kContentLength.size()) return false;
    if (strncasecmp(head.data() + line, kContentLength.data(), kContentLength.size()) != 0) continue;
    return std::from_chars(head.data() + line + kContentLength.size(), head.data() + head.size(), value).ec ==
           std::errc();
  }
  return false;
}

}  // namespace

unsigned ReplyReader::take(std::string_view bytes) {
  unsigned replies = 0;
  while (!bytes.empty()) {
    switch (state_) {
      case State::Head:
        take_head(bytes);
        break;
      case State::Frame:
        take_frame_head(bytes);
        break;
      case State::Body: {
        const size_t taken = std::min<uint64_t>(body_left_, bytes.size());
        bytes.remove_prefix(taken);
        body_left_ -= taken;
        break;
      }
      case State::Stream:
        return replies + static_cast<unsigned>(std::count(bytes.begin(), bytes.end(), '!'));
    }
    if (complete_ || (state_ == State::Body && body_left_ == 0)) {
      ++replies;
      complete_ = false;
      state_ = kind_ == Kind::WebSocket ? State::Frame : State::Head;
    }
  }
  return replies;
}

void ReplyReader::take_head(std::string_view& bytes) {
  if (begun_.empty()) {
    const size_t end = bytes.find(kEnd);
    if (end != std::string_view::npos) {
      read_head(bytes.substr(0, end));
      return bytes.remove_prefix(end + kEnd.size());
    }
  }
  const size_t before = begun_.size();
  begun_ += bytes;
  const size_t end = begun_.find(kEnd);
  if (end == std::string::npos) return bytes.remove_prefix(bytes.size());
  begun_.resize(end);
  read_head(begun_);
  begun_.clear();
  bytes.remove_prefix(end + kEnd.size() - before);
}

void ReplyReader::read_head(std::string_view head) {
  if (status_of(head) != status_) fail("not the reply that was expected:\n" + std::string(head));
  if (kind_ == Kind::WebSocket) {
    complete_ = true;
  } else if (kind_ == Kind::Events) {
    state_ = State::Stream;
  } else {
    if (!find_content_length(head, body_left_)) fail("a reply without Content-Length:\n" + std::string(head));
    state_ = State::Body;
  }
}

/// Servers' frames are not masked (RFC 6455 §5.1); those of 64 KiB and more do not occur.
void ReplyReader::take_frame_head(std::string_view& bytes) {
  const auto byte = [this](size_t at) { return static_cast<uint8_t>(begun_[at]); };
  while (!bytes.empty()) {
    begun_ += bytes.front();
    bytes.remove_prefix(1);
    const size_t wanted = begun_.size() >= 2 && byte(1) == 126 ? 4 : 2;
    if (begun_.size() < wanted) continue;
    body_left_ = wanted == 4 ? uint64_t{byte(2)} << 8 | byte(3) : byte(1);
    begun_.clear();
    state_ = State::Body;
    return;
  }
}

}  // namespace restgate::bench
