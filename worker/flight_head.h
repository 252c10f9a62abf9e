// What of a request's head the flight recorder gets to see. Worker.
#pragma once

#include <string_view>

#include "common/flight/writer.h"
#include "worker/http1/head.h"

namespace restgate::worker {

/// Views into the head's bytes. `started_us` is left to the caller.
[[nodiscard]] flight::Head flight_head(const http1::RequestHead& head, std::string_view client);

}  // namespace restgate::worker
