#include "master/admin_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

#include "config/file_text.h"
#include "worker/http1/char_class.h"

namespace restgate::master {
namespace {

constexpr size_t kShortest = 8;
constexpr size_t kLongest = 4096;
constexpr std::string_view kScheme = "bearer ";

bool digest_of(std::string_view token, AdminTokenDigest& digest) {
  return EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

Result<AdminTokenDigest> read_admin_token(const std::string& file) {
  std::string text;
  if (auto problem = config::read_file(file, text)) return Error{*std::move(problem)};
  const std::string_view token = trimmed(text);
  if (token.size() < kShortest) return Error{"holds no token of 8 characters or more"};
  const bool visible = std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 127; });
  if (!visible || token.size() > kLongest) return Error{"does not hold one token of at most 4096 visible characters"};
  AdminTokenDigest digest{};
  if (!digest_of(token, digest)) return Error{"cannot be hashed"};
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool authorizes(std::string_view authorization, const AdminTokenDigest& token) {
  if (authorization.size() <= kScheme.size()) return false;
  if (!http1::equals_ignore_case(authorization.substr(0, kScheme.size()), kScheme)) return false;
  AdminTokenDigest presented{};
  return digest_of(trimmed(authorization.substr(kScheme.size())), presented) &&
         CRYPTO_memcmp(presented.data(), token.data(), token.size()) == 0;
}

}  // namespace restgate::master
