// Durations as Go writes them: "1m30s", "500ms", "1.5h", "0". Pure. Master.
#pragma once

#include <chrono>
#include <string_view>

#include "common/result.h"
#include "config/text.h"

namespace restgate::config {

/// Parses a sequence of decimal numbers, each with an optional fraction and a unit (ns us µs ms s m h); "0" needs no
/// unit. What is left below a millisecond is rounded up. Negative, empty, unitless or longer than 292 years: an error.
[[nodiscard]] Result<std::chrono::milliseconds, TextError> parse_duration(std::string_view text);

/// The same, exactly.
[[nodiscard]] Result<std::chrono::nanoseconds, TextError> parse_nanoseconds(std::string_view text);

}  // namespace restgate::config
