// The methods of a route: "GET,OPTIONS". Pure. Master.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "config/text.h"

namespace restgate::config {

/// What is wrong with one method name, or nothing. A method is a token, case-sensitive (RFC 9110 §9.1); a standard one
/// in other letters is a mistake. CONNECT is refused: RESTGate is not a forward proxy.
[[nodiscard]] std::optional<TextError> check_method(std::string_view method);

/// Splits at commas; blanks around a method are dropped. The parts point into `text`; empty ones are an error.
[[nodiscard]] Result<std::vector<std::string_view>, TextError> split_methods(std::string_view text);

}  // namespace restgate::config
