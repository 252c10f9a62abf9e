// LoadedConfig: a good configuration and the hash that tells it from others. Master.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "config/parser.h"

namespace restgate::master {

struct LoadedConfig {
  config::Config config;
  std::string hash;  ///< the first 12 hexadecimal digits of the file's SHA-256; "" for what is no regular file
};

using LoadedResult = Result<LoadedConfig, std::vector<config::Diagnostic>>;

/// As config::load(), and what the files named by `tls` hold is good: a certificate that nobody can use is found here
/// rather than by each request.
[[nodiscard]] LoadedResult load_config(const std::string& path);

}  // namespace restgate::master
