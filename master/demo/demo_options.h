// DemoOptions: the flags of `restgate demo`, taken apart. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"

namespace restgate::demo {

struct DemoOptions {
  enum class Mode : uint8_t { Run, PrintConfig, Help };
  Mode mode = Mode::Run;
  uint16_t port = 7000;        ///< 0: any free one
  uint16_t admin_port = 9000;  ///< 0: any free one
};

/// What is wrong with the flags, in a sentence for a person.
struct DemoUsageError {
  std::string message;
};

/// `args` are the words after "demo".
[[nodiscard]] Result<DemoOptions, DemoUsageError> parse_demo_options(std::span<const char* const> args);

/// The text of `restgate demo -help`.
[[nodiscard]] std::string_view demo_usage();

}  // namespace restgate::demo
