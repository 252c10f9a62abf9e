// The configuration file → Config, or everything that is wrong with it. Master, and `restgate -t`.
//
// Reads one file, keeps no descriptor and no state, binds nothing, resolves no host name.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
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

/// What a later stage has to say about values that are well-formed: a sentence about what is wrong, or nothing.
struct LoadChecks {
  /// Called for each https service whose files are readable; `index` in Config::services.
  std::function<std::optional<std::string>(const Service& service, size_t index)> tls;
  /// Called when `admin_token_file` is given; sets `digest` unless something is wrong.
  std::function<std::optional<std::string>(const std::string& file, std::array<uint8_t, 32>& digest)> admin_token{};
  /// Called with the file of the access log, when there is one.
  std::function<std::optional<std::string>(const std::string& file)> access_log{};
  /// Called when `user` is given and found.
  std::function<std::optional<std::string>(const platform::Identity& identity)> identity;
};

/// Reads and validates the file at `path`, which may be a pipe (at most 5 s of silence). The files that tls keys name
/// must be readable, users and groups known to this system. `text`, if there is one, gets what the file says.
[[nodiscard]] LoadResult load(const std::string& path, const LoadChecks& checks = {}, std::string* text = nullptr);

/// The same for a text in memory; `file` is the name for messages. Without `checks` it looks at no other file, for no
/// user.
[[nodiscard]] LoadResult parse(std::string_view text, std::string file, const LoadChecks* checks = nullptr);

}  // namespace restgate::config
