// LoadedConfig: a good configuration and the hash that tells it from others. Master.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "config/parser.h"

namespace restgate::master {

struct LoadedConfig {
  config::Config config;
  std::string hash;  ///< the first 12 hexadecimal digits of the text's SHA-256
  std::string text;  ///< what the file said
};

using LoadedResult = Result<LoadedConfig, std::vector<config::Diagnostic>>;

[[nodiscard]] LoadedResult load_config(const std::string& path);
/// The same for a text that was the content of that file.
[[nodiscard]] LoadedResult parse_config(std::string text, const std::string& path);

}  // namespace restgate::master
