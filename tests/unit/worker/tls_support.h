// For the tests of TLS: certificates made on the spot, and a server's side of a connection.
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "common/unique_fd.h"

namespace restgate::test {

struct OpensslFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// A directory that goes when the test ends.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "restgate-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct CertificateSpec {
  std::string names;          ///< subjectAltName: "DNS:example.test,IP:127.0.0.1"; "": a CA
  long valid_from_s = -3600;  ///< from now
  long valid_until_s = 3600;
};

/// A key and its certificate.
class Certificate {
 public:
  /// Signed by `issuer`, or by itself.
  explicit Certificate(const CertificateSpec& spec, const Certificate* issuer = nullptr)
      : key_(EVP_EC_gen("P-256")), x509_(X509_new()) {
    X509* x = x509_.get();
    static long serial = 1;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), spec.valid_from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), spec.valid_until_s);
    X509_set_pubkey(x, key_.get());
    const std::string name = spec.names.empty() ? "test CA " + std::to_string(serial) : "test leaf";
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer != nullptr ? issuer->x509_.get() : x));
    add_extension(NID_basic_constraints, spec.names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
    if (!spec.names.empty()) add_extension(NID_subject_alt_name, spec.names);
    X509_sign(x, issuer != nullptr ? issuer->key_.get() : key_.get(), EVP_sha256());
  }

  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] X509* x509() const { return x509_.get(); }

  void write_certificate(const std::string& file) const {
    FILE* out = std::fopen(file.c_str(), "w");
    PEM_write_X509(out, x509_.get());
    std::fclose(out);
  }
  /// `pass_phrase`: null: not encrypted.
  void write_key(const std::string& file, const char* pass_phrase = nullptr) const {
    FILE* out = std::fopen(file.c_str(), "w");
    PEM_write_PKCS8PrivateKey(out, key_.get(), pass_phrase != nullptr ? EVP_aes_128_cbc() : nullptr, pass_phrase,
                              pass_phrase != nullptr ? 4 : 0, nullptr, nullptr);
    std::fclose(out);
  }

 private:
  void add_extension(int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  std::unique_ptr<EVP_PKEY, OpensslFree> key_;
  std::unique_ptr<X509, OpensslFree> x509_;
};

/// What a TLS server shows and asks for.
class TlsServerContext {
 public:
  explicit TlsServerContext(const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_.get(), certificate.x509());
    SSL_CTX_use_PrivateKey(context_.get(), certificate.key());
    static const unsigned char id[] = "test";
    SSL_CTX_set_session_id_context(context_.get(), id, sizeof id);
    SSL_CTX_set_alpn_select_cb(
        context_.get(),
        [](SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in, unsigned, void*) {
          *out = in + 1;
          *length = in[0];
          return SSL_TLSEXT_ERR_OK;
        },
        nullptr);
  }
  void only(int version) {
    SSL_CTX_set_security_level(context_.get(), 0);  // lets old versions be offered
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
  }
  void require_client_certificate(const Certificate& ca) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), ca.x509());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, OpensslFree> context_;
};

/// The server's side of one connection, over a non-blocking socket.
class TlsServer {
 public:
  TlsServer(const TlsServerContext& context, UniqueFd fd) : fd_(std::move(fd)), ssl_(SSL_new(context.get())) {
    SSL_set_fd(ssl_.get(), fd_.get());
    SSL_set_accept_state(ssl_.get());
    SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  /// Goes on with the handshake; true when it is done.
  bool handshake() {
    ERR_clear_error();
    return SSL_do_handshake(ssl_.get()) == 1;
  }
  /// Writes as much as goes.
  size_t write(std::string_view bytes) {
    ERR_clear_error();
    size_t total = 0;
    for (size_t n = 0; total < bytes.size(); total += n)
      if (SSL_write_ex(ssl_.get(), bytes.data() + total, bytes.size() - total, &n) != 1) break;
    return total;
  }
  /// Reads what is there.
  std::string read() {
    ERR_clear_error();
    std::string all;
    char buffer[20'000];
    for (size_t n = 0; SSL_read_ex(ssl_.get(), buffer, sizeof buffer, &n) == 1;) all.append(buffer, n);
    return all;
  }
  /// The client has ended its direction with a close_notify.
  [[nodiscard]] bool got_close_notify() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
  void send_close_notify() { SSL_shutdown(ssl_.get()); }
  void close() { fd_.reset(); }
  /// TLS 1.3: both directions change their keys; the client has to answer.
  void ask_for_new_keys() { SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED); }

  /// The client has shown one, now or when the session began.
  [[nodiscard]] bool saw_certificate() const { return SSL_get0_peer_certificate(ssl_.get()) != nullptr; }
  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] std::string server_name() const {
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name != nullptr ? name : "";
  }
  [[nodiscard]] std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &length);
    return {reinterpret_cast<const char*>(name), length};
  }

 private:
  UniqueFd fd_;
  std::unique_ptr<SSL, OpensslFree> ssl_;
};

}  // namespace restgate::test
