// The configuration file → Config, or everything that is wrong with it. Master, and `restgate -t`.
//
// Pure: reads one file, keeps no descriptor and no state, binds nothing, resolves no name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "config/diagnostic.h"
#include "config/model.h"

namespace restgate::config {

inline constexpr size_t kMaxFileBytes = 16 * 1024 * 1024;

/// Diagnostics are never empty and in file order.
using LoadResult = Result<Config, std::vector<Diagnostic>>;

/// Reads and validates the file at `path`, which may be a pipe (at most 5 s of silence). The files that tls keys name
/// must be readable; their contents are not looked at. `text`, if there is one, gets what the file says.
[[nodiscard]] LoadResult load(const std::string& path, std::string* text = nullptr);

/// The same for a text in memory; `file` is the name for messages. Looks at no other file.
[[nodiscard]] LoadResult parse(std::string_view text, std::string file);

}  // namespace restgate::config
