// Stream: one TCP connection in a test's hand, on either side of the gateway. Test process.
//
// Every call has a deadline (patience()) and throws Failure when its expectation is not met, with the bytes seen so
// far. Nothing is sent or read behind the test's back, so the order of the calls is the order of the events.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/unique_fd.h"
#include "integration/support/deadline.h"
#include "integration/support/message.h"

namespace restgate::itest {

/// What a Stream throws, and what became of the connection: for those who count causes rather than read sentences.
class StreamFailure : public Failure {
 public:
  enum class Cause : uint8_t { Refused, Reset, Ended, Timeout, Other };
  StreamFailure(const std::string& what, Cause cause) : Failure(what), cause_(cause) {}
  [[nodiscard]] Cause cause() const { return cause_; }

 private:
  Cause cause_;
};

class Stream {
 public:
  Stream() = default;
  explicit Stream(UniqueFd fd);
  /// Connects to 127.0.0.1. `receive_buffer`: SO_RCVBUF in bytes, 0: the system's.
  static Stream connect(uint16_t port, int receive_buffer = 0);
  /// The same to another IPv4 address.
  static Stream connect_to(const std::string& address, uint16_t port);
  /// The errno of a connection attempt; 0: it was accepted (and closed again).
  static int probe(uint16_t port);

  void send(std::string_view bytes);
  /// Writes what fits without waiting; returns the number of bytes taken.
  size_t send_some(std::string_view bytes);
  /// Whether the connection takes more bytes within that time.
  [[nodiscard]] bool writable_within(std::chrono::milliseconds time);

  /// Everything up to and including `delimiter`.
  std::string read_until(std::string_view delimiter);
  std::string read_exactly(size_t size);
  /// Reads as many bytes as `text` has and compares.
  void expect(std::string_view text);
  /// Everything until the peer closes orderly.
  std::string read_to_end();
  /// An orderly end with nothing before it.
  void expect_end();
  /// The connection is gone, orderly or by reset; what came before is returned.
  std::string read_until_gone();
  /// Whether neither bytes nor an end have come by now. Proves something only after an event that orders.
  [[nodiscard]] bool quiet();

  /// Waits without a deadline; false when the peer ended the connection.
  [[nodiscard]] bool wait_readable();

  /// A head with its body as the framing fields say; a response's end without framing is its connection's end.
  Message read_request();
  Message read_response(std::string_view request_method = "GET");
  Message read_head();
  /// Reads on behind read_head().
  void read_body(Message& response, std::string_view request_method = "GET");
  /// send() and read_response().
  Message exchange(std::string_view request);

  /// No more bytes from us; the peer may go on.
  void finish_sending();
  void close();
  /// Closes with RST.
  void reset();

  /// Gives the (non-blocking) socket away.
  [[nodiscard]] UniqueFd take_fd() { return std::move(fd_); }

  [[nodiscard]] bool open() const { return static_cast<bool>(fd_); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] uint16_t local_port() const;
  [[nodiscard]] uint16_t peer_port() const;

 private:
  static Stream connected(UniqueFd fd, const char* host, uint16_t port);
  enum class End : uint8_t { None, Orderly, Reset };
  bool wait_for(short events, const Deadline& deadline);
  /// Reads once, waiting until the deadline; false at the end of the connection.
  bool fill(const Deadline& deadline);
  void need(size_t size, const Deadline& deadline);
  std::string take(size_t size);
  void read_chunked(Message& message, const Deadline& deadline);
  std::string take_line(const Deadline& deadline);
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail(const std::string& what, StreamFailure::Cause cause) const;

  UniqueFd fd_;
  std::string buffer_;
  End end_ = End::None;
};

}  // namespace restgate::itest
