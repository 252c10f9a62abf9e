#include "master/loaded_config.h"

#include <openssl/evp.h>

#include <array>
#include <string_view>
#include <utility>

namespace restgate::master {
namespace {

constexpr size_t kHashBytes = 6;

std::string hash_of(std::string_view text) {
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

LoadedResult with_hash(config::LoadResult loaded, std::string text) {
  if (!loaded) return std::move(loaded).error();
  std::string hash = hash_of(text);
  return LoadedConfig{std::move(loaded).value(), std::move(hash), std::move(text)};
}

}  // namespace

LoadedResult load_config(const std::string& path) {
  std::string text;
  config::LoadResult loaded = config::load(path, &text);
  return with_hash(std::move(loaded), std::move(text));
}

LoadedResult parse_config(std::string text, const std::string& path) {
  config::LoadResult loaded = config::parse(text, path);
  return with_hash(std::move(loaded), std::move(text));
}

}  // namespace restgate::master
