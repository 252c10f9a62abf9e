// LoadedConfig: a good configuration, with what was read of the files that it names, and the hash that tells it from
// others. Master.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "config/parser.h"
#include "worker/tls_context.h"

namespace restgate::master {

/// By path, the hash of a file's content: content_hash(); "": it could not be read.
using FileHashes = std::map<std::string, std::string>;

struct LoadedConfig {
  config::Config config;
  std::string hash;           ///< the first 12 hexadecimal digits of the text's SHA-256
  std::string text{};         ///< what the file said
  worker::TlsContexts tls{};  ///< by service
  /// The files that it names and that were read with it (certificates, keys, token), as they were just before.
  FileHashes named{};
};

using LoadedResult = Result<LoadedConfig, std::vector<config::Diagnostic>>;

/// Who loads: `-t` may be run by anybody, while a gateway has to be able to do what the file says.
enum class LoadFor : uint8_t { Check, Serve };
[[nodiscard]] LoadedResult load_config(const std::string& path, LoadFor purpose);

/// What the person who runs this should know of a good configuration.
struct Caution {
  std::string service;
  std::string message;
};
[[nodiscard]] std::vector<Caution> cautions(const config::Config& config, const worker::TlsContexts& tls);
void log_cautions(const config::Config& config, const worker::TlsContexts& tls);
/// The hash that LoadedConfig has of its text; of any other content.
[[nodiscard]] std::string content_hash(std::string_view text);
/// Of what is in a file now. "" when it is none that can be read without waiting.
[[nodiscard]] std::string file_hash(const std::string& path);
/// The same for a text that was the content of that file, and good then.
[[nodiscard]] LoadedResult parse_config(std::string text, const std::string& path);

}  // namespace restgate::master
