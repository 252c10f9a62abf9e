// service_url taken apart and checked. Pure. Master.
#pragma once

#include <optional>
#include <string_view>

#include "common/result.h"
#include "config/model.h"
#include "config/text.h"

namespace restgate::config {

/// Parses `http://host[:port][/base][?query]` (or https), RFC 3986 §3. Stricter than the RFC where a gateway must be:
/// no user info, no fragment, no dot or empty segments, no zone id, nothing that would have to be escaped first.
/// Everything in the result is normalised as ServiceUrl documents; path and query keep their bytes.
[[nodiscard]] Result<ServiceUrl, TextError> parse_service_url(std::string_view text);

/// What is wrong with a host name or an IP address (IPv6 without brackets), or nothing. Names by RFC 1123 §2.1, with
/// '_' tolerated and one trailing dot allowed.
[[nodiscard]] std::optional<TextError> check_host(std::string_view host);

}  // namespace restgate::config
