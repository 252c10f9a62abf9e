#include "integration/support/stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace restgate::itest {

namespace {

constexpr const char* kLoopback = "127.0.0.1";

UniqueFd tcp_socket() {
  return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// Connects a non-blocking socket; 0 or the errno.
int connect_in_time(int fd, const char* host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (::inet_pton(AF_INET, host, &address.sin_addr) != 1) return EINVAL;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  const Deadline deadline;
  pollfd entry{fd, POLLOUT, 0};
  int ready = 0;
  while ((ready = ::poll(&entry, 1, deadline.left_ms())) < 0) {
  }
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

using Cause = StreamFailure::Cause;

Cause cause_of(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Cause::Refused;
    case ECONNRESET:
    case EPIPE:
      return Cause::Reset;
    case ETIMEDOUT:
      return Cause::Timeout;
    default:
      return Cause::Other;
  }
}

}  // namespace

Stream::Stream(UniqueFd fd) : fd_(std::move(fd)) {
  const int flags = fcntl(fd_.get(), F_GETFL);
  fcntl(fd_.get(), F_SETFL, flags | O_NONBLOCK);
  const int on = 1;
  setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Stream Stream::connected(UniqueFd fd, const char* host, uint16_t port) {
  if (const int error = connect_in_time(fd.get(), host, port); error != 0)
    throw StreamFailure("connect to port " + std::to_string(port) + ": " + std::strerror(error), cause_of(error));
  return Stream(std::move(fd));
}

Stream Stream::connect(uint16_t port, int receive_buffer) {
  UniqueFd fd = tcp_socket();
  if (receive_buffer > 0) setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  return connected(std::move(fd), kLoopback, port);
}

Stream Stream::connect_to(const std::string& address, uint16_t port) {
  return connected(tcp_socket(), address.c_str(), port);
}

int Stream::probe(uint16_t port) {
  const UniqueFd fd = tcp_socket();
  return connect_in_time(fd.get(), kLoopback, port);
}

void Stream::fail(const std::string& what) const {
  fail(what, end_ == End::Reset ? Cause::Reset : end_ == End::Orderly ? Cause::Ended : Cause::Other);
}

void Stream::fail(const std::string& what, Cause cause) const {
  throw StreamFailure(what + "; unread bytes: \"" + printable(buffer_) + "\"" +
                          (end_ == End::Reset     ? ", then reset"
                           : end_ == End::Orderly ? ", then end of file"
                                                  : ""),
                      cause);
}

bool Stream::wait_for(short events, const Deadline& deadline) {
  pollfd entry{fd_.get(), events, 0};
  while (true) {
    const int ready = ::poll(&entry, 1, deadline.left_ms());
    if (ready > 0) return true;
    if (ready == 0) return false;
    if (errno != EINTR) fail("poll: " + std::string(std::strerror(errno)));
  }
}

size_t Stream::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  fail("send: " + std::string(std::strerror(errno)), cause_of(errno));
}

void Stream::send(std::string_view bytes) {
  const Deadline deadline;
  while (!bytes.empty()) {
    bytes.remove_prefix(send_some(bytes));
    if (!bytes.empty() && !wait_for(POLLOUT, deadline)) fail("the peer does not take our bytes", Cause::Timeout);
  }
}

bool Stream::writable_within(std::chrono::milliseconds time) {
  return wait_for(POLLOUT, Deadline(time));
}

bool Stream::fill(const Deadline& deadline) {
  std::array<char, 65536> chunk;
  while (end_ == End::None) {
    const ssize_t got = ::recv(fd_.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) {
      buffer_.append(chunk.data(), static_cast<size_t>(got));
      return true;
    }
    if (got == 0) {
      end_ = End::Orderly;
    } else if (errno == ECONNRESET || errno == EPIPE) {
      end_ = End::Reset;
    } else if (errno == EAGAIN) {
      if (!wait_for(POLLIN, deadline)) fail("nothing more came in time", Cause::Timeout);
    } else if (errno != EINTR) {
      fail("recv: " + std::string(std::strerror(errno)));
    }
  }
  return false;
}

void Stream::need(size_t size, const Deadline& deadline) {
  while (buffer_.size() < size)
    if (!fill(deadline)) fail("the connection ended; wanted " + std::to_string(size) + " bytes");
}

std::string Stream::take(size_t size) {
  std::string bytes = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return bytes;
}

std::string Stream::read_until(std::string_view delimiter) {
  const Deadline deadline;
  size_t from = 0;
  while (true) {
    const size_t at = buffer_.find(delimiter, from);
    if (at != std::string::npos) return take(at + delimiter.size());
    from = buffer_.size() >= delimiter.size() ? buffer_.size() - delimiter.size() + 1 : 0;
    if (!fill(deadline)) fail("the connection ended before \"" + printable(delimiter) + "\"");
  }
}

std::string Stream::read_exactly(size_t size) {
  buffer_.reserve(size);
  need(size, Deadline());
  return take(size);
}

void Stream::expect(std::string_view text) {
  const std::string got = read_exactly(text.size());
  if (got != text) fail("expected \"" + printable(text) + "\", got \"" + printable(got) + "\"");
}

std::string Stream::read_to_end() {
  const Deadline deadline;
  while (fill(deadline)) {
  }
  if (end_ == End::Reset) fail("reset where an orderly end was expected");
  return take(buffer_.size());
}

void Stream::expect_end() {
  const std::string rest = read_to_end();
  if (!rest.empty()) fail("expected the end, got \"" + printable(rest) + "\"");
}

std::string Stream::read_until_gone() {
  const Deadline deadline;
  while (fill(deadline)) {
  }
  return take(buffer_.size());
}

bool Stream::quiet() {
  return buffer_.empty() && end_ == End::None && !wait_for(POLLIN, Deadline(std::chrono::milliseconds(0)));
}

bool Stream::wait_readable() {
  if (!buffer_.empty()) return true;
  pollfd entry{fd_.get(), POLLIN, 0};
  while (::poll(&entry, 1, -1) < 0) {
  }
  return fill(Deadline());
}

Message Stream::read_head() {
  return parse_head(read_until("\r\n\r\n"));
}

std::string Stream::take_line(const Deadline& deadline) {
  size_t at = 0;
  while ((at = buffer_.find("\r\n")) == std::string::npos)
    if (!fill(deadline)) fail("the connection ended inside a line of the chunked coding");
  return take(at + 2);
}

void Stream::read_chunked(Message& message, const Deadline& deadline) {
  while (true) {
    const std::string size_line = take_line(deadline);
    message.raw_body += size_line;
    char* stop = nullptr;
    const size_t size = std::strtoull(size_line.c_str(), &stop, 16);
    if (stop == size_line.c_str()) fail("bad chunk size line \"" + printable(size_line) + "\"");
    if (size == 0) break;
    need(size + 2, deadline);
    message.body.append(buffer_, 0, size);
    message.raw_body += take(size + 2);
    if (!message.raw_body.ends_with("\r\n")) fail("a chunk without CRLF at its end");
  }
  std::string section = "\r\n";
  while (!section.ends_with("\r\n\r\n")) {
    const std::string line = take_line(deadline);
    message.raw_body += line;
    section += line;
  }
  message.trailers = parse_head(section).fields;
}

Message Stream::read_request() {
  Message message = read_head();
  const Deadline deadline;
  if (message.chunked()) {
    read_chunked(message, deadline);
  } else if (const auto length = message.field("Content-Length")) {
    message.body = message.raw_body = read_exactly(std::strtoull(length->c_str(), nullptr, 10));
  }
  return message;
}

Message Stream::read_response(std::string_view request_method) {
  Message message = read_head();
  read_body(message, request_method);
  return message;
}

void Stream::read_body(Message& message, std::string_view request_method) {
  const Deadline deadline;
  const int status = message.status();
  if (request_method == "HEAD" || status / 100 == 1 || status == 204 || status == 304) return;
  if (message.chunked()) {
    read_chunked(message, deadline);
  } else if (const auto length = message.field("Content-Length")) {
    message.body = message.raw_body = read_exactly(std::strtoull(length->c_str(), nullptr, 10));
  } else {
    message.body = message.raw_body = read_to_end();
  }
}

Message Stream::exchange(std::string_view request) {
  send(request);
  return read_response(request.substr(0, request.find(' ')));
}

void Stream::finish_sending() {
  ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() {
  fd_.reset();
}

void Stream::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  fd_.reset();
}

uint16_t Stream::local_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

uint16_t Stream::peer_port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace restgate::itest
