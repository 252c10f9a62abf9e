// Ports that nobody uses, for a gateway whose port is changed. Test process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace restgate::itest::torture {

/// Different ones, below those that the system hands out by itself (a client's connection may have any of these).
std::vector<uint16_t> free_ports(size_t count);

}  // namespace restgate::itest::torture
