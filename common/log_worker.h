// Whose the records of the operational log are: those of a worker tell its index and its generation. Worker.
#pragma once

#include <cstdint>

namespace restgate::log {

/// From now on every record of this process says so. Call once, after fork, before there is another thread.
void name_worker(uint32_t index, uint64_t generation);

}  // namespace restgate::log
