// A look at one key of a configuration that need not be good as a whole. For `restgate reload`, which has to find the
// gateway that shall refuse a bad file.
#pragma once

#include <string>
#include <string_view>

namespace restgate::config {

/// The text of a key of the top level, "" when there is none. In a text that is no YAML: of the first line that begins
/// with the key.
[[nodiscard]] std::string peek(std::string_view text, std::string_view key);

}  // namespace restgate::config
