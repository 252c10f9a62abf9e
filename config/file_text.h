// The bytes of a configuration file. Master, and who looks into one.
#pragma once

#include <optional>
#include <string>

namespace restgate::config {

/// Reads the file at `path` into `text`, at most kMaxFileBytes; what went wrong is returned as a sentence. It may be a
/// pipe: one that is silent for 5 s is given up, and one without a writer holds nobody up.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, std::string& text);

/// The sentence for a file beyond kMaxFileBytes.
[[nodiscard]] std::string file_too_large();

}  // namespace restgate::config
