// How the parsers of heads report what came out. Worker.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/reason.h"

namespace restgate::http1 {

enum class ParseStatus : uint8_t { NeedMore, Done, Failed };

/// Why a head was refused. After a refusal the connection cannot be used any more: where the message ends is unknown.
struct ParseFailure {
  uint16_t status = 400;    ///< what the client is told: 400, 414, 417, 431, 501, 505; 502 for a response
  std::string_view reason;  ///< the fixed code for log and metric: that of `code` in common/reason.h
  std::string_view detail;  ///< what exactly was wrong, a constant; for the log only
  Reason code = Reason::None;

  ParseFailure() = default;
  ParseFailure(Reason why, std::string_view what)
      : status(info(why).status), reason(info(why).code), detail(what), code(why) {}
};

}  // namespace restgate::http1
