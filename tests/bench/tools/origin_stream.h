// OriginStream: the bytes of one connection at the benchmark's origin, plain or TLS. Origin's worker processes.
//
// Owns the descriptor. Never blocks. Errors and the end of the stream are one thing here: Status::Over.
#pragma once

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>

#include "common/unique_fd.h"

namespace restgate::bench {

/// The origin's certificate and key.
class TlsServer {
 public:
  TlsServer(const std::string& certificate_file, const std::string& key_file);
  [[nodiscard]] SSL* new_session(int fd) const;

 private:
  struct Deleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Deleter> context_;
};

class OriginStream {
 public:
  enum class Status : uint8_t { Ok, WouldBlock, Over };
  struct Moved {
    Status status = Status::Ok;
    size_t bytes = 0;
  };

  /// `tls` null: plain.
  OriginStream(UniqueFd fd, const TlsServer* tls);
  [[nodiscard]] int fd() const { return fd_.get(); }
  Moved read(std::span<char> to);
  Moved write(std::span<const iovec> pieces);

 private:
  struct Deleter {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  Moved tls_result(int result);

  UniqueFd fd_;
  std::unique_ptr<SSL, Deleter> tls_;
};

}  // namespace restgate::bench
