#include "master/loaded_config.h"

#include <openssl/evp.h>

#include <array>
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

/// What is looked at beyond the text; the contexts made on the way go to `tls`, which outlives the checks.
config::LoadChecks checks_for(LoadFor purpose, worker::TlsContexts& tls) {
  config::LoadChecks checks;
  checks.tls = [&tls](const config::Service& service, size_t index) -> std::optional<std::string> {
    auto made = worker::TlsContext::create(service);
    if (!made) return made.error().message;
    if (tls.size() <= index) tls.resize(index + 1);
    tls[index] = std::move(made).value();
    return std::nullopt;
  };
  checks.admin_token = [](const std::string& file, AdminTokenDigest& digest) -> std::optional<std::string> {
    auto read = read_admin_token(file);
    if (!read) return read.error().message;
    digest = *read;
    return std::nullopt;
  };
  if (purpose == LoadFor::Serve) {
    checks.access_log = [](const std::string& file) -> std::optional<std::string> {
      // Who reads a pipe would take this for the end of what comes.
      if (platform::is_pipe(file)) return std::nullopt;
      auto opened = platform::open_to_append(file);
      return opened ? std::nullopt : std::optional(opened.error().message);
    };
  }
  if (purpose != LoadFor::Check) {
    checks.identity = [](const platform::Identity& identity) -> std::optional<std::string> {
      const Status allowed = platform::check_may_become(identity);
      return allowed ? std::nullopt : std::optional(allowed.error().message);
    };
  }
  return checks;
}

LoadedResult complete(config::LoadResult loaded, std::string text, worker::TlsContexts tls) {
  if (!loaded) return std::move(loaded).error();
  tls.resize(loaded->services.size());
  std::string hash = content_hash(text);
  return LoadedConfig{std::move(loaded).value(), std::move(hash), std::move(text), std::move(tls)};
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

LoadedResult load_config(const std::string& path, LoadFor purpose) {
  worker::TlsContexts tls;
  std::string text;
  config::LoadResult loaded = config::load(path, checks_for(purpose, tls), &text);
  return complete(std::move(loaded), std::move(text), std::move(tls));
}

LoadedResult parse_config(std::string text, const std::string& path) {
  worker::TlsContexts tls;
  const config::LoadChecks checks = checks_for(LoadFor::Resume, tls);
  config::LoadResult loaded = config::parse(text, path, &checks);
  return complete(std::move(loaded), std::move(text), std::move(tls));
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
