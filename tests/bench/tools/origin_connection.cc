#include "bench/tools/origin_connection.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace restgate::bench {
namespace {

// A body of this size or less is copied behind its head, so that pipelined answers leave in one write.
constexpr uint64_t kSmallBody = 4096;
constexpr size_t kFillerSize = size_t{1} << 20;
// One event. '!' occurs nowhere else in it: the load client counts those.
constexpr std::string_view kEvent =
    "data: {\"symbol\": \"RSTG\", \"price\": 101.25, \"volume\": 1200, \"venue\": \"loopback\", \"final\": true}!\n\n";
// RFC 6455 §1.3: the key that the load client always sends, and its answer.
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::string_view kEventStream =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

/// What a web service says of a page.
constexpr std::string_view kPageFields =
    "Date: Sat, 01 Mar 2025 12:00:00 GMT\r\nContent-Encoding: identity\r\nVary: Accept-Encoding, Origin\r\n"
    "Cache-Control: private, max-age=60, must-revalidate\r\nETag: \"5f2b-61a8c0d4e9f37\"\r\n"
    "Last-Modified: Fri, 28 Feb 2025 08:30:00 GMT\r\nStrict-Transport-Security: max-age=31536000\r\n"
    "Set-Cookie: session=8d1f0c6a2b7e4e53; Path=/; HttpOnly; Secure; SameSite=Lax\r\n";

std::string chunk(std::string_view bytes) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16).ptr;
  return std::string(digits.data(), end).append("\r\n").append(bytes).append("\r\n");
}

const std::string& filler() {
  static const std::string bytes(kFillerSize, 'x');
  return bytes;
}

uint64_t to_number(std::string_view digits) {
  while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// The value of a header line when it has this name (in lower case, with its colon).
bool has_name(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && strncasecmp(line.data(), name.data(), name.size()) == 0;
}

}  // namespace

bool OriginConnection::on_ready(std::span<char> scratch) {
  if (!flush()) return false;
  // What is owed comes first: a client that does not read is not read from.
  while (!output_pending()) {
    if (!in_.empty()) in_.erase(0, in_.size() - serve(in_).size());
    if (!output_pending()) {
      const OriginStream::Moved got = stream_.read(scratch);
      if (got.status == OriginStream::Status::Over) return false;
      if (got.status == OriginStream::Status::WouldBlock) return true;
      const std::string_view input(scratch.data(), got.bytes);
      if (in_.empty())
        in_ = serve(input);
      else
        in_ += input;
    }
    if (!flush()) return false;
  }
  return true;
}

std::string_view OriginConnection::serve(std::string_view input) {
  if (mode_ == Mode::Http) input = serve_requests(input);
  if (mode_ == Mode::WebSocket) input = echo_frames(input);
  return mode_ == Mode::Events ? std::string_view() : input;
}

std::string_view OriginConnection::serve_requests(std::string_view input) {
  while (!input.empty() && mode_ == Mode::Http) {
    if (body_left_ > 0) {
      const size_t taken = std::min<uint64_t>(body_left_, input.size());
      body_left_ -= taken;
      input.remove_prefix(taken);
      if (body_left_ == 0) answer(path_);
      continue;
    }
    const size_t end = input.find("\r\n\r\n");
    // The head of a second answer would have to wait for the filler of the first.
    if (end == std::string_view::npos || filler_left_ > 0) break;
    take_head(input.substr(0, end));
    input.remove_prefix(end + 4);
    if (body_left_ == 0) answer(path_);
  }
  return input;
}

void OriginConnection::take_head(std::string_view head) {
  const size_t path = head.find(' ') + 1;
  path_ = head.substr(path, head.find(' ', path) - path);
  for (size_t line = head.find("\r\n"); line != std::string_view::npos; line = head.find("\r\n", line)) {
    line += 2;
    const std::string_view rest = head.substr(line, head.find("\r\n", line) - line);
    if (has_name(rest, "content-length:")) body_left_ = to_number(rest.substr(15));
    if (has_name(rest, "connection: close")) close_after_ = true;
  }
}

void OriginConnection::answer(std::string_view path) {
  constexpr std::string_view kBytes = "/bytes/";
  if (path.substr(0, kBytes.size()) == kBytes) return answer_bytes(to_number(path.substr(kBytes.size())));
  constexpr std::string_view kPage = "/page/";
  if (path.substr(0, kPage.size()) == kPage) return answer_bytes(to_number(path.substr(kPage.size())), kPageFields);
  if (path.substr(0, 3) == "/ws") {
    mode_ = Mode::WebSocket;
    out_ += kSwitch;
  } else if (path.substr(0, 4) == "/sse") {
    mode_ = Mode::Events;
    out_ += kEventStream;
  } else {
    answer_bytes(128);
  }
}

void OriginConnection::answer_bytes(uint64_t size, std::string_view fields) {
  std::array<char, 20> digits;
  char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), size).ptr;
  out_ += "HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: application/octet-stream\r\n";
  out_ += fields;
  out_ += "Content-Length: ";
  out_.append(digits.data(), end);
  out_ += close_after_ ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
  if (size <= kSmallBody)
    out_.append(filler(), 0, size);
  else
    filler_left_ = size;
}

/// Clients' frames are masked, ours are not (RFC 6455 §5.1). Frames of 64 KiB and more do not occur.
std::string_view OriginConnection::echo_frames(std::string_view input) {
  const auto byte = [&input](size_t at) { return static_cast<uint8_t>(input[at]); };
  while (input.size() >= 2) {
    const size_t short_size = byte(1) & 0x7F;
    const size_t mask = short_size == 126 ? 4 : 2;
    if (input.size() < mask + 4) break;
    const size_t size = short_size == 126 ? size_t{byte(2)} << 8 | byte(3) : short_size;
    const size_t payload = mask + 4;
    if (input.size() < payload + size) break;
    out_ += input[0];
    out_ += static_cast<char>(short_size);
    if (short_size == 126) out_.append(input.substr(2, 2));
    for (size_t i = 0; i < size; ++i) out_ += static_cast<char>(byte(payload + i) ^ byte(mask + i % 4));
    input.remove_prefix(payload + size);
  }
  return input;
}

bool OriginConnection::send_event() {
  static const std::string event = chunk(kEvent);
  if (output_pending()) return true;
  out_ += event;
  return flush();
}

/// False: the connection is over.
bool OriginConnection::flush() {
  while (output_pending()) {
    const size_t piece = std::min<uint64_t>(filler_left_, kFillerSize);
    // Only a first piece with something in it will do for TLS.
    std::array<iovec, 2> pieces{iovec{out_.data() + sent_, out_.size() - sent_},
                                iovec{const_cast<char*>(filler().data()), piece}};
    const bool only_filler = sent_ == out_.size();
    const auto put = stream_.write(std::span(pieces).subspan(only_filler ? 1 : 0, only_filler || piece == 0 ? 1 : 2));
    if (put.status == OriginStream::Status::Over) return false;
    if (put.status == OriginStream::Status::WouldBlock) return true;
    const size_t of_out = std::min(put.bytes, out_.size() - sent_);
    sent_ += of_out;
    filler_left_ -= put.bytes - of_out;
  }
  out_.clear();
  sent_ = 0;
  return !close_after_ || body_left_ > 0;
}

}  // namespace restgate::bench
