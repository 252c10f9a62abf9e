// Transport: the byte stream of one connection, plain TCP or TLS over it. Worker.
//
// Owns the descriptor and, for TLS, the session. Never blocks. The plain path is one system call, without a virtual
// call. Made for one persistent edge-triggered registration of both directions (common/event_loop.h): a TLS session may
// have to write in order to read and the other way round, so WouldBlock always means "at the next readiness of any
// kind, try again".
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "common/unique_fd.h"
#include "worker/pipe_pool.h"

namespace restgate::worker {

class TlsClient;  // worker/tls_context.h

struct IoResult {
  enum class Kind : uint8_t {
    Ok,          ///< `bytes` were moved; for a write that may be fewer than offered
    WouldBlock,  ///< nothing was moved; try again at the next readiness
    Eof,         ///< read only: the peer has ended its direction in an orderly way
    Failed,      ///< the connection is broken; `sys_errno` says how
  };
  Kind kind = Kind::Ok;
  size_t bytes = 0;
  int sys_errno = 0;
};

class Transport {
 public:
  Transport() noexcept;
  explicit Transport(UniqueFd fd) noexcept;
  Transport(UniqueFd fd, std::unique_ptr<TlsClient> tls) noexcept;
  Transport(Transport&&) noexcept;
  Transport& operator=(Transport&& other) noexcept;
  /// Closes, as close() does.
  ~Transport();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  [[nodiscard]] bool open() const { return static_cast<bool>(fd_); }

  /// Goes on with the TLS handshake. Ok: application data may flow (plain: at once). WouldBlock: call again at the next
  /// readiness. Failed: see failure(). Must have returned Ok before the first read() or write() of a TLS transport.
  IoResult handshake() {
    if (tls_ == nullptr) return {};
    return tls_handshake();
  }

  /// Receives up to `room` (> 0) bytes. A result of fewer bytes than `room` means that the input was drained.
  /// Plain: one recv(). TLS: decrypts until `room` is full or nothing is left; an end of file without close_notify is
  /// Failed with ECONNRESET (RFC 8446 §6.1: the data may have been truncated), with close_notify it is Eof.
  IoResult read(char* to, size_t room) {
    if (tls_ != nullptr) [[unlikely]]
      return tls_read(to, room);
    for (;;) {
      const ssize_t n = ::recv(fd_.get(), to, room, 0);
      if (n > 0) [[likely]]
        return {IoResult::Kind::Ok, static_cast<size_t>(n), 0};
      if (n == 0) return {IoResult::Kind::Eof, 0, 0};
      if (errno != EINTR) return from_errno(errno);
    }
  }

  /// Sends the pieces in order; Ok with fewer bytes than offered is a partial write, the rest goes at the next
  /// readiness. Plain: one send() or sendmsg() of at most kMaxPieces pieces. TLS: after WouldBlock or a partial write
  /// the bytes that are left must be offered again unchanged (they may move, be divided otherwise, and be followed by
  /// more): OpenSSL may have encrypted the first of them already.
  IoResult write(std::span<const iovec> pieces) {
    if (tls_ != nullptr) [[unlikely]]
      return tls_write(pieces);
    for (;;) {
      const ssize_t n = send_once(pieces);
      if (n >= 0) [[likely]]
        return {IoResult::Kind::Ok, static_cast<size_t>(n), 0};
      if (errno != EINTR) return from_errno(errno);
    }
  }

  /// Moves up to `most` bytes into the pipe, or what the pipe holds into the socket, by one splice(). Not for TLS;
  /// SIGPIPE is ignored. That fewer bytes than `most` came does not mean that the input was drained: the pipe may be
  /// full.
  IoResult read_into(Pipe& pipe, size_t most) {
    const IoResult result = splice_once(fd_.get(), pipe.in.get(), most);
    if (result.kind == IoResult::Kind::Ok) pipe.held += result.bytes;
    return result;
  }
  IoResult write_from(Pipe& pipe) {
    const IoResult result = splice_once(pipe.out.get(), fd_.get(), pipe.held);
    if (result.kind == IoResult::Kind::Ok) pipe.held -= result.bytes;
    return result;
  }

  /// TLS: input waits inside the session, or an end that read() has not told yet; no readiness will be reported for it.
  [[nodiscard]] bool has_buffered_input() const { return tls_ != nullptr && tls_buffered_input(); }

  /// Ends our direction; the peer's stays open. TLS: close_notify first. Call it when all data have been written.
  /// False when the connection was gone already.
  bool shutdown_send();

  /// After Failed on TLS: an explanation for the log ("certificate has expired"). "": none beyond sys_errno.
  [[nodiscard]] std::string_view failure() const;

  /// "TLSv1.3", after the handshake; empty: in the clear. Valid for ever.
  [[nodiscard]] std::string_view tls_version() const;

  /// Closes the descriptor; TLS: after a close_notify, if the session is healthy. Harmless when closed already.
  void close();
  /// Gives the descriptor away (a handover); the TLS session, if any, is dropped without a word to the peer.
  [[nodiscard]] UniqueFd release_fd();

  static constexpr size_t kMaxPieces = 64;

 private:
  [[nodiscard]] ssize_t send_once(std::span<const iovec> pieces) const {
    if (pieces.size() == 1) return ::send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg() only reads them
    message.msg_iovlen = pieces.size() < kMaxPieces ? pieces.size() : kMaxPieces;
    return ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }
  static IoResult splice_once(int from, int to, size_t most) {
    for (;;) {
      const ssize_t n = ::splice(from, nullptr, to, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (n > 0) return {IoResult::Kind::Ok, static_cast<size_t>(n), 0};
      if (n == 0) return {IoResult::Kind::Eof, 0, 0};
      if (errno != EINTR) return from_errno(errno);
    }
  }
  static IoResult from_errno(int error) {
    if (error == EAGAIN || error == EWOULDBLOCK) return {IoResult::Kind::WouldBlock, 0, 0};
    return {IoResult::Kind::Failed, 0, error};
  }
  IoResult tls_handshake();
  IoResult tls_read(char* to, size_t room);
  IoResult tls_write(std::span<const iovec> pieces);
  [[nodiscard]] bool tls_buffered_input() const;

  UniqueFd fd_;
  std::unique_ptr<TlsClient> tls_;
};

}  // namespace restgate::worker
