#include "master/admin_version.h"

#include <nlohmann/json.hpp>

#include "common/version.h"

namespace restgate::master {

std::string version_json() {
  const nlohmann::ordered_json object = {{"version", version()}, {"commit", commit()}, {"build_time", build_time()}};
  return object.dump();
}

}  // namespace restgate::master
