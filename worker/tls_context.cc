#include "worker/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace restgate::worker {
namespace {

// ---- the BIO: a non-blocking socket, written with MSG_NOSIGNAL ----

int bio_fd(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* from, int length) {
  BIO_clear_retry_flags(bio);
  ssize_t n = 0;
  do {
    n = ::send(bio_fd(bio), from, static_cast<size_t>(length), MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* to, int room) {
  BIO_clear_retry_flags(bio);
  ssize_t n = 0;
  do {
    n = ::recv(bio_fd(bio), to, static_cast<size_t>(room), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);  // tells OpenSSL an end of file from an error
  return static_cast<int>(n);
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

// ---- errors in words ----

/// The latest error that OpenSSL queued, in words; empties the queue.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

/// The first system error in the queue explains a file that cannot be read better than the parser's complaint after it.
Error file_error(const std::string& what, const std::string& file) {
  const unsigned long first = ERR_peek_error();
  std::string why = ERR_SYSTEM_ERROR(first) ? std::strerror(ERR_GET_REASON(first)) : openssl_reason();
  ERR_clear_error();
  return Error{what + " '" + file + "': " + why, ERR_SYSTEM_ERROR(first) ? ERR_GET_REASON(first) : 0};
}

std::string verify_failure(long code) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "certificate has expired";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "host name mismatch: the certificate is for another name";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "unknown issuer: the certificate is not signed by a trusted CA";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "unknown issuer: the certificate is self-signed";
    default:
      return std::string("certificate refused: ") + X509_verify_cert_error_string(code);
  }
}

bool is_ip_literal(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1 || inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

std::string peer_name(const config::Service& service) {
  std::string name = service.tls.server_name.empty() ? service.url.host : service.tls.server_name;
  if (name.ends_with('.')) name.pop_back();  // absolute names are never so in certificates
  return name;
}

/// For the next record: the piece itself where it fills a record or is the last, else pieces joined in `scratch`.
/// Never less than what an earlier call on the same bytes gave, as OpenSSL's retry rule wants.
std::span<const char> next_chunk(std::span<const iovec> pieces, size_t offset, std::span<char> scratch) {
  const char* first = static_cast<const char*>(pieces[0].iov_base) + offset;
  const size_t first_length = pieces[0].iov_len - offset;
  if (pieces.size() == 1 || first_length >= scratch.size()) return {first, first_length};
  size_t used = 0;
  for (const iovec& piece : pieces) {
    const size_t skip = &piece == pieces.data() ? offset : 0;
    const size_t length = std::min(piece.iov_len - skip, scratch.size() - used);
    if (length != 0) std::memcpy(scratch.data() + used, static_cast<const char*>(piece.iov_base) + skip, length);
    used += length;
    if (used == scratch.size()) break;
  }
  return {scratch.data(), used};
}

}  // namespace

// ---- TlsClient ----

IoResult TlsClient::end_result() const {
  if (end_ == End::Eof) return {IoResult::Kind::Eof, 0, 0};
  return {IoResult::Kind::Failed, 0, end_errno_};
}

IoResult TlsClient::sort_out(int returned) {
  const int sys_errno = errno;
  const int ssl_error = SSL_get_error(ssl_.get(), returned);
  switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoResult::Kind::WouldBlock, 0, 0};
    case SSL_ERROR_ZERO_RETURN:
      end_ = End::Eof;
      return end_result();
    default:
      end_ = End::Failed;
      explain(ssl_error, sys_errno);
      return end_result();
  }
}

void TlsClient::explain(int ssl_error, int sys_errno) {
  const unsigned long code = ERR_peek_last_error();
  const long verdict = SSL_get_verify_result(ssl_.get());
  if (ssl_error == SSL_ERROR_SYSCALL) {
    end_errno_ = sys_errno != 0 ? sys_errno : ECONNRESET;
    failure_ = established_ ? std::strerror(end_errno_)
                            : std::string("connection lost in the TLS handshake: ") + std::strerror(end_errno_);
  } else if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    end_errno_ = ECONNRESET;
    failure_ = established_ ? "connection ended without close_notify" : "connection ended in the TLS handshake";
  } else if (!established_ && verdict != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    end_errno_ = EPROTO;
    failure_ = verify_failure(verdict);
  } else {
    end_errno_ = EPROTO;
    failure_ = openssl_reason();
  }
  ERR_clear_error();
}

IoResult TlsClient::handshake() {
  if (established_) return {};
  if (end_ != End::None) return end_result();
  ERR_clear_error();
  errno = 0;
  const int returned = SSL_do_handshake(ssl_.get());
  if (returned == 1) {
    established_ = true;
    drained_ = false;  // bytes behind the handshake may have come with it
    return {};
  }
  const IoResult result = sort_out(returned);
  if (end_ == End::Eof) {  // close_notify in place of a handshake
    end_ = End::Failed;
    end_errno_ = ECONNRESET;
    failure_ = "connection ended in the TLS handshake";
    return end_result();
  }
  if (end_ == End::Failed) context_.session_.reset();  // should it be to blame, the next attempt goes without it
  return result;
}

IoResult TlsClient::read(char* to, size_t room) {
  end_told_ = true;
  if (end_ != End::None) return end_result();
  drained_ = false;
  size_t total = 0;
  while (total < room) {
    ERR_clear_error();
    errno = 0;
    size_t n = 0;
    const int returned = SSL_read_ex(ssl_.get(), to + total, room - total, &n);
    if (returned == 1) {
      total += n;
      continue;
    }
    const IoResult result = sort_out(returned);
    if (result.kind == IoResult::Kind::WouldBlock) drained_ = true;
    if (total == 0) return result;
    end_told_ = end_ == End::None;  // the data first; the next call tells the end
    break;
  }
  return {IoResult::Kind::Ok, total, 0};
}

IoResult TlsClient::write(std::span<const iovec> pieces) {
  if (end_ == End::Failed) return end_result();
  size_t total = 0;
  size_t offset = 0;  // bytes of pieces[0] that are sent
  for (;;) {
    while (!pieces.empty() && offset >= pieces[0].iov_len) {
      offset -= pieces[0].iov_len;
      pieces = pieces.subspan(1);
    }
    if (pieces.empty()) return {IoResult::Kind::Ok, total, 0};
    const std::span<const char> chunk = next_chunk(pieces, offset, context_.coalesced_);
    ERR_clear_error();
    errno = 0;
    size_t n = 0;
    const int returned = SSL_write_ex(ssl_.get(), chunk.data(), chunk.size(), &n);
    if (returned != 1) {
      const IoResult result = sort_out(returned);
      if (result.kind == IoResult::Kind::WouldBlock && total > 0) return {IoResult::Kind::Ok, total, 0};
      return {result.kind, total, result.sys_errno};
    }
    total += n;
    offset += n;
  }
}

bool TlsClient::has_buffered_input() const {
  if (end_ != End::None) return !end_told_;
  return !drained_ && SSL_has_pending(ssl_.get()) == 1;
}

void TlsClient::send_close_notify() {
  if (!established_ || end_ == End::Failed || close_notify_sent_) return;
  close_notify_sent_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// ---- TlsContext ----

TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::create(const config::Service& service) {
  ERR_clear_error();
  std::unique_ptr<TlsContext> self(new TlsContext);
  self->socket_bio_.reset(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "restgate socket"));
  self->context_.reset(SSL_CTX_new(TLS_client_method()));
  if (!self->socket_bio_ || !self->context_) return Error{"TLS cannot be set up: " + openssl_reason(), 0};
  BIO_METHOD* method = self->socket_bio_.get();
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_ctrl(method, bio_control);
  BIO_meth_set_create(method, bio_create);

  SSL_CTX* context = self->context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // one recv() a record rather than two
  static constexpr unsigned char kAlpn[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn - 1);
  self->keep_sessions();

  if (Status status = self->load_trust(service); !status) return status.error();
  if (Status status = self->load_client_certificate(service.tls); !status) return status.error();
  if (Status status = self->set_peer_name(service); !status) return status.error();
  return self;
}

Status TlsContext::load_trust(const config::Service& service) {
  SSL_CTX* context = context_.get();
  if (!service.tls.verify) {
    caution_ = "the backend's certificate is NOT verified: anybody on the way can read and change the traffic";
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return Ok{};
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!service.tls.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context, service.tls.ca_file.c_str()) == 1) return Ok{};
    return file_error("cannot load the CA file", service.tls.ca_file);
  }
  if (SSL_CTX_set_default_verify_paths(context) != 1)
    return Error{"cannot use the system's CAs: " + openssl_reason(), 0};
  ERR_clear_error();
  // Minimal images hold the bundle but not the links that OpenSSL's own default paths are.
  const bool defaults_exist = ::access(X509_get_default_cert_dir(), R_OK) == 0 ||
                              ::access(X509_get_default_cert_file(), R_OK) == 0 ||
                              ::secure_getenv(X509_get_default_cert_file_env()) != nullptr;
  if (defaults_exist) return Ok{};
  for (const char* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
    if (::access(bundle, R_OK) == 0 && SSL_CTX_load_verify_file(context, bundle) == 1) return Ok{};
  ERR_clear_error();
  caution_ = "no CA certificates found on this system: every certificate will be refused";
  return Ok{};
}

Status TlsContext::load_client_certificate(const config::TlsOptions& tls) {
  if (tls.client_cert_file.empty()) return Ok{};
  SSL_CTX* context = context_.get();
  // An encrypted key must not make OpenSSL ask for its pass phrase on the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_certificate_chain_file(context, tls.client_cert_file.c_str()) != 1)
    return file_error("cannot load the client certificate", tls.client_cert_file);
  const std::string& key = tls.client_key_file.empty() ? tls.client_cert_file : tls.client_key_file;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return file_error("cannot load the client certificate's key", key);
  if (SSL_CTX_check_private_key(context) != 1) return file_error("the client certificate does not belong to", key);
  return Ok{};
}

Status TlsContext::set_peer_name(const config::Service& service) {
  const std::string name = peer_name(service);
  X509_VERIFY_PARAM* parameters = SSL_CTX_get0_param(context_.get());
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool literal = is_ip_literal(name);
  const int done = literal ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str())
                           : X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size());
  if (done != 1) return Error{"'" + name + "' cannot be checked against a certificate", 0};
  if (!literal) server_name_ = name;  // RFC 6066 §3: no IP literals in server_name
  return Ok{};
}

void TlsContext::keep_sessions() {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    self->session_.reset(session);
    return 1;  // the reference is ours now
  });
}

std::unique_ptr<TlsClient> TlsContext::new_client(int fd) {
  std::unique_ptr<SSL, OpensslDeleter> ssl(SSL_new(context_.get()));
  BIO* bio = BIO_new(socket_bio_.get());
  if (!ssl || bio == nullptr) {
    BIO_free(bio);
    ERR_clear_error();
    return nullptr;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  SSL_set_bio(ssl.get(), bio, bio);  // takes the BIO
  SSL_set_connect_state(ssl.get());
  if (!server_name_.empty()) SSL_set_tlsext_host_name(ssl.get(), server_name_.c_str());
  if (session_ && SSL_SESSION_is_resumable(session_.get()) == 1) SSL_set_session(ssl.get(), session_.get());
  return std::make_unique<TlsClient>(*this, std::move(ssl));
}

}  // namespace restgate::worker
