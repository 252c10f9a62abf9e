#include "master/loaded_config.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "common/log.h"
#include "common/platform/identity.h"
#include "common/unique_fd.h"

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

}  // namespace

LoadedResult load_config(const std::string& path, LoadFor purpose) {
  worker::TlsContexts tls;
  config::LoadChecks checks;
  checks.tls = [&tls](const config::Service& service, size_t index) -> std::optional<std::string> {
    auto made = worker::TlsContext::create(service);
    if (!made) return made.error().message;
    if (tls.size() <= index) tls.resize(index + 1);
    tls[index] = std::move(made).value();
    return std::nullopt;
  };
  if (purpose == LoadFor::Serve)
    checks.identity = [](const platform::Identity& identity) -> std::optional<std::string> {
      const Status allowed = platform::check_may_become(identity);
      return allowed ? std::nullopt : std::optional(allowed.error().message);
    };
  auto loaded = config::load(path, checks);
  if (!loaded) return std::move(loaded).error();
  tls.resize(loaded->services.size());
  return LoadedConfig{std::move(loaded).value(), hash_of_file(path), std::move(tls)};
}

std::vector<Caution> cautions(const config::Config& config, const worker::TlsContexts& tls) {
  std::vector<Caution> all;
  for (size_t i = 0; i < tls.size(); ++i)
    if (tls[i] && !tls[i]->caution().empty()) all.push_back({config.services[i].name, tls[i]->caution()});
  return all;
}

void log_cautions(const config::Config& config, const worker::TlsContexts& tls) {
  for (const Caution& caution : cautions(config, tls)) log::warn(caution.message, {{"service", caution.service}});
}

}  // namespace restgate::master
