// Which build this is. Master and its executable; defined in a file that the build generates (cmake/BuildInfo.cmake).
#pragma once

#include <string_view>

namespace restgate {

/// "0.1.0", as CMakeLists.txt has it.
[[nodiscard]] std::string_view version();
/// The git commit's first 12 hexadecimal digits, with "-dirty" when the tree had changes; "unknown" outside a clone.
[[nodiscard]] std::string_view commit();
/// RFC 3339 in UTC, to the second.
[[nodiscard]] std::string_view build_time();

}  // namespace restgate
