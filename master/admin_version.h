// What /version says. Master.
#pragma once

#include <string>

namespace restgate::master {

/// Version, commit and build time of this program as a JSON object.
[[nodiscard]] std::string version_json();

}  // namespace restgate::master
