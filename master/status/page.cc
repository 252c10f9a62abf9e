#include "master/status/page.h"

#include <openssl/evp.h>

#include <array>

namespace restgate::master {
namespace {

/// 'sha256-…' (Content Security Policy 3, §2.3.1).
std::string source_hash(std::string_view content) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  if (EVP_Digest(content.data(), content.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1) return "'none'";
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text{};
  EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
  return "'sha256-" + std::string(reinterpret_cast<const char*>(text.data())) + "'";
}

void replace(std::string& in, std::string_view marker, const std::string& by) {
  if (const size_t at = in.find(marker); at != std::string::npos) in.replace(at, marker.size(), by);
}

}  // namespace

Page assemble(const PageParts& parts) {
  const auto script = [](std::string_view text) { return "<script>" + std::string(text) + "</script>\n"; };
  std::string html(parts.html);
  replace(html, "<!--style-->", "<style>" + std::string(parts.style) + "</style>");
  replace(html, "<!--scripts-->", script(parts.library) + script(parts.script));
  Page page;
  page.html = std::make_shared<const std::string>(std::move(html));
  page.content_policy = "default-src 'none'; script-src " + source_hash(parts.library) + " " +
                        source_hash(parts.script) + "; style-src " + source_hash(parts.style) +
                        "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
  return page;
}

const Page& page() {
  static const Page assembled = assemble(embedded_page());
  return assembled;
}

}  // namespace restgate::master
