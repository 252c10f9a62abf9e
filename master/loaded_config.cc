#include "master/loaded_config.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/unique_fd.h"
#include "worker/tls_context.h"

namespace restgate::master {
namespace {

constexpr size_t kHashBytes = 6;

struct DigestDeleter {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string hash_of_file(const std::string& path) {
  // A pipe can be read only once, and was.
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  const std::unique_ptr<EVP_MD_CTX, DigestDeleter> context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) return "";
  std::array<char, 16 * 1024> chunk;
  off_t at = 0;  // the descriptor may share its offset with others (/proc/self/fd)
  for (ssize_t n = 0; (n = pread(file.get(), chunk.data(), chunk.size(), at)) > 0; at += n)
    EVP_DigestUpdate(context.get(), chunk.data(), static_cast<size_t>(n));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) return "";
  std::string hash;
  for (size_t i = 0; i < kHashBytes; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hash += kDigits[digest[i] >> 4];
    hash += kDigits[digest[i] & 15];
  }
  return hash;
}

std::vector<config::Diagnostic> unusable_tls_files(const config::Config& config) {
  std::vector<config::Diagnostic> found;
  for (size_t i = 0; i < config.services.size(); ++i) {
    const config::Service& service = config.services[i];
    if (service.tls.ca_file.empty() && service.tls.client_cert_file.empty()) continue;
    if (auto made = worker::TlsContext::create(service); !made.ok())
      found.push_back({.file = config.file,
                       .mark = service.mark,
                       .path = "observed_services[" + std::to_string(i) + "].tls",
                       .message = made.error().message,
                       .source_line = ""});
  }
  return found;
}

}  // namespace

LoadedResult load_config(const std::string& path) {
  auto loaded = config::load(path);
  if (!loaded) return std::move(loaded).error();
  if (auto unusable = unusable_tls_files(*loaded); !unusable.empty()) return unusable;
  return LoadedConfig{std::move(loaded).value(), hash_of_file(path)};
}

}  // namespace restgate::master
