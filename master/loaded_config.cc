#include "master/loaded_config.h"

#include <openssl/evp.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "common/log.h"
#include "common/platform/identity.h"
#include "common/platform/output.h"
#include "common/unique_fd.h"
#include "master/admin_token.h"

namespace restgate::master {
namespace {

constexpr size_t kHashBytes = 6;

/// What is read besides the text.
struct Companions {
  worker::TlsContexts tls;
  FileHashes named;

  /// REQUIRES: the file is read after this; so what changes it in between will be noticed.
  void note(const std::string& file) {
    if (!file.empty() && !named.contains(file)) named.emplace(file, file_hash(file));
  }
};

/// What is looked at beyond the text; what is read goes to `read`, which outlives the checks.
config::LoadChecks checks_for(LoadFor purpose, Companions& read) {
  config::LoadChecks checks;
  checks.tls = [&read](const config::Service& service, size_t index) -> std::optional<std::string> {
    for (const std::string* file : {&service.tls.ca_file, &service.tls.client_cert_file, &service.tls.client_key_file})
      read.note(*file);
    worker::TlsContexts& tls = read.tls;
    auto made = worker::TlsContext::create(service);
    if (!made) return made.error().message;
    if (tls.size() <= index) tls.resize(index + 1);
    tls[index] = std::move(made).value();
    return std::nullopt;
  };
  checks.admin_token = [&read](const std::string& file, AdminTokenDigest& digest) -> std::optional<std::string> {
    read.note(file);
    auto token = read_admin_token(file);
    if (!token) return token.error().message;
    digest = *token;
    return std::nullopt;
  };
  if (purpose == LoadFor::Serve) {
    checks.access_log = [](const std::string& file) -> std::optional<std::string> {
      auto opened = platform::open_to_append(file);
      return opened ? std::nullopt : std::optional(opened.error().message);
    };
    checks.identity = [](const platform::Identity& identity) -> std::optional<std::string> {
      const Status allowed = platform::check_may_become(identity);
      return allowed ? std::nullopt : std::optional(allowed.error().message);
    };
  }
  return checks;
}

LoadedResult complete(config::LoadResult loaded, std::string text, Companions read) {
  if (!loaded) return std::move(loaded).error();
  read.tls.resize(loaded->services.size());
  std::string hash = content_hash(text);
  return LoadedConfig{std::move(loaded).value(), std::move(hash), std::move(text), std::move(read.tls),
                      std::move(read.named)};
}

}  // namespace

std::string content_hash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) return "";
  std::string hash;
  for (size_t i = 0; i < kHashBytes; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    hash += kDigits[digest[i] >> 4];
    hash += kDigits[digest[i] & 15];
  }
  return hash;
}

std::string file_hash(const std::string& path) {
  struct stat status {};
  // A pipe would have to be waited for.
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  if (static_cast<uint64_t>(status.st_size) > config::kMaxFileBytes) return "";
  std::ifstream file(path, std::ios::binary);
  if (!file) return "";
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return file.bad() ? "" : content_hash(text);
}

LoadedResult load_config(const std::string& path, LoadFor purpose) {
  Companions read;
  std::string text;
  config::LoadResult loaded = config::load(path, checks_for(purpose, read), &text);
  return complete(std::move(loaded), std::move(text), std::move(read));
}

LoadedResult parse_config(std::string text, const std::string& path) {
  Companions read;
  const config::LoadChecks checks = checks_for(LoadFor::Serve, read);
  config::LoadResult loaded = config::parse(text, path, &checks);
  return complete(std::move(loaded), std::move(text), std::move(read));
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
