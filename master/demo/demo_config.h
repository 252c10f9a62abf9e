// The demo's configuration: services and routes in front of the demo origin, and the commands that show them.
#pragma once

#include <cstdint>
#include <string>

namespace restgate::demo {

struct DemoPorts {
  uint16_t gateway = 7000;
  uint16_t admin = 9000;
  uint16_t origin = 0;
};

/// The YAML text.
[[nodiscard]] std::string demo_config(const DemoPorts& ports);

/// What a person is told once the gateway serves on these ports: the URLs and the commands to try.
[[nodiscard]] std::string demo_greeting(const DemoPorts& ports);

}  // namespace restgate::demo
