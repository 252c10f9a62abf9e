// Sizes in bytes: "512", "64KiB", "10MB". Pure. Master.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/result.h"
#include "config/text.h"

namespace restgate::config {

/// Parses a whole number with an optional unit: B, kB/KB MB GB TB (powers of 1000), KiB MiB GiB TiB (powers of 1024).
/// The result is in bytes and below 2^63.
[[nodiscard]] Result<uint64_t, TextError> parse_size(std::string_view text);

}  // namespace restgate::config
