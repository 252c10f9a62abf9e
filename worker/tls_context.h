// TlsContext: how one https service is spoken to; TlsClient: one TLS session with it (OpenSSL). Worker.
//
// The master makes a context when it loads a configuration, and owns it: so a file that is no good is found before
// anything is changed, and a worker needs no right to read a key. Each worker uses the copy that fork gives it. A
// context belongs to one service and must outlive its clients. TLS 1.2 or later, ALPN
// http/1.1, the certificate checked against the system's CAs (or ca_file) and the service's host name, unless
// `tls.verify` is false. The latest session is kept and offered at the next connection (resumption).
// SIGPIPE: all bytes go through a BIO of ours that sends with MSG_NOSIGNAL; no signal disposition is relied on.
#pragma once

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "config/model.h"
#include "worker/transport.h"

namespace restgate::worker {

class TlsContext;

struct OpensslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

/// One client session. Created by TlsContext::new_client(); used through Transport, which documents the results.
class TlsClient {
 public:
  TlsClient(TlsContext& context, std::unique_ptr<SSL, OpensslDeleter> ssl) : context_(context), ssl_(std::move(ssl)) {}

  IoResult handshake();
  IoResult read(char* to, size_t room);
  IoResult write(std::span<const iovec> pieces);
  [[nodiscard]] bool has_buffered_input() const;
  /// Tells the peer that nothing more will come; at most once, and only on a healthy session. Does not wait.
  void send_close_notify();
  [[nodiscard]] std::string_view failure() const { return failure_; }

  /// Whether the handshake resumed an earlier session. After handshake() returned Ok.
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  /// "TLSv1.3".
  [[nodiscard]] std::string_view version() const { return SSL_get_version(ssl_.get()); }

 private:
  enum class End : uint8_t { None, Eof, Failed };
  IoResult end_result() const;
  /// Sorts out a call of OpenSSL that did not succeed; remembers an end of the session.
  IoResult sort_out(int returned);
  void explain(int ssl_error, int sys_errno);

  TlsContext& context_;
  std::unique_ptr<SSL, OpensslDeleter> ssl_;
  std::string failure_;
  int end_errno_ = 0;
  End end_ = End::None;
  bool established_ = false;
  bool end_told_ = true;  // read() has returned the end, or there is none
  bool drained_ = true;   // the last read() ran into WouldBlock: what OpenSSL holds is no whole record
  bool close_notify_sent_ = false;
};

class TlsContext {
 public:
  /// Reads the certificates and the key. An Error names the file that is at fault.
  static Result<std::unique_ptr<TlsContext>> create(const config::Service& service);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  /// What the person who runs this should know, in a sentence; "": nothing.
  [[nodiscard]] const std::string& caution() const { return caution_; }

  /// A session over the connected (or connecting) socket `fd`, which stays the caller's. Null when memory runs out.
  std::unique_ptr<TlsClient> new_client(int fd);

 private:
  friend class TlsClient;
  TlsContext() = default;
  Status load_trust(const config::Service& service);
  Status load_client_certificate(const config::TlsOptions& tls);
  Status set_peer_name(const config::Service& service);
  void keep_sessions();

  static constexpr size_t kCoalesceBytes = 16 * 1024;  // the most that one TLS record holds

  std::unique_ptr<BIO_METHOD, OpensslDeleter> socket_bio_;
  std::unique_ptr<SSL_CTX, OpensslDeleter> context_;
  std::unique_ptr<SSL_SESSION, OpensslDeleter> session_;  // the latest one that may be resumed
  std::string server_name_;                               // SNI; "" for an IP literal
  std::string caution_;
  std::array<char, kCoalesceBytes> coalesced_{};  // where small pieces are joined into one record
};

/// By index of Config::services; null: that service is plain.
using TlsContexts = std::vector<std::unique_ptr<TlsContext>>;

}  // namespace restgate::worker
