#include "bench/tools/origin_stream.h"

#include <openssl/err.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "bench/tools/support.h"

namespace restgate::bench {

TlsServer::TlsServer(const std::string& certificate_file, const std::string& key_file)
    : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr || SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    fail("cannot use the certificate " + certificate_file + " and its key");
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

SSL* TlsServer::new_session(int fd) const {
  SSL* const session = SSL_new(context_.get());
  if (session == nullptr || SSL_set_fd(session, fd) != 1) fail("no memory for a TLS session");
  SSL_set_accept_state(session);
  return session;
}

OriginStream::OriginStream(UniqueFd fd, const TlsServer* tls)
    : fd_(std::move(fd)), tls_(tls == nullptr ? nullptr : tls->new_session(fd_.get())) {}

OriginStream::Moved OriginStream::read(std::span<char> to) {
  if (tls_) return tls_result(SSL_read(tls_.get(), to.data(), static_cast<int>(to.size())));
  const ssize_t got = ::read(fd_.get(), to.data(), to.size());
  if (got > 0) return {Status::Ok, static_cast<size_t>(got)};
  return {got < 0 && errno == EAGAIN ? Status::WouldBlock : Status::Over, 0};
}

OriginStream::Moved OriginStream::write(std::span<const iovec> pieces) {
  if (tls_) return tls_result(SSL_write(tls_.get(), pieces[0].iov_base, static_cast<int>(pieces[0].iov_len)));
  const ssize_t put = writev(fd_.get(), pieces.data(), static_cast<int>(pieces.size()));
  if (put >= 0) return {Status::Ok, static_cast<size_t>(put)};
  return {errno == EAGAIN ? Status::WouldBlock : Status::Over, 0};
}

OriginStream::Moved OriginStream::tls_result(int result) {
  if (result > 0) return {Status::Ok, static_cast<size_t>(result)};
  const int error = SSL_get_error(tls_.get(), result);
  ERR_clear_error();
  const bool wait = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  return {wait ? Status::WouldBlock : Status::Over, 0};
}

}  // namespace restgate::bench
