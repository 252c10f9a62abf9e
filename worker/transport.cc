#include "worker/transport.h"

#include "worker/tls_context.h"

namespace restgate::worker {

Transport::Transport() noexcept = default;
Transport::Transport(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
Transport::Transport(UniqueFd fd, std::unique_ptr<TlsClient> tls) noexcept : fd_(std::move(fd)), tls_(std::move(tls)) {}
Transport::Transport(Transport&&) noexcept = default;

Transport& Transport::operator=(Transport&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::move(other.fd_);
    tls_ = std::move(other.tls_);
  }
  return *this;
}

Transport::~Transport() {
  close();
}

bool Transport::shutdown_send() {
  if (!fd_) return false;
  if (tls_ != nullptr) tls_->send_close_notify();
  return ::shutdown(fd_.get(), SHUT_WR) == 0;
}

std::string_view Transport::tls_version() const {
  return tls_ ? tls_->version() : std::string_view();
}

std::string_view Transport::failure() const {
  return tls_ != nullptr ? tls_->failure() : std::string_view();
}

void Transport::close() {
  if (tls_ != nullptr) {
    if (fd_) tls_->send_close_notify();
    tls_.reset();
  }
  fd_.reset();
}

UniqueFd Transport::release_fd() {
  tls_.reset();
  return std::move(fd_);
}

IoResult Transport::tls_handshake() {
  return tls_->handshake();
}
IoResult Transport::tls_read(char* to, size_t room) {
  return tls_->read(to, room);
}
IoResult Transport::tls_write(std::span<const iovec> pieces) {
  return tls_->write(pieces);
}
bool Transport::tls_buffered_input() const {
  return tls_->has_buffered_input();
}

}  // namespace restgate::worker
