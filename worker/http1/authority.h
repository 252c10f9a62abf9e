// The authority of a request: "uri-host [ ":" port ]" of the Host field and of an absolute-form target. Worker; no
// state.
#pragma once

#include <string_view>

namespace restgate::http1 {

/// Whether `text` is a valid authority of an http URI without user info (RFC 9110 §4.2.1, §7.2, RFC 3986 §3.2.2):
/// a non-empty reg-name or IPv4 address, or an IPv6 or IPvFuture address in brackets; then, optionally, ':' and at most
/// five digits up to 65535 (none are valid too, RFC 3986 §3.2.3). Zone identifiers are refused: they mean something on
/// the client's machine only.
///
/// The empty value is refused. RFC 9112 §3.2 has it sent only when the target URI has no authority, and every http and
/// https URI has one with a host (RFC 9110 §4.2.1).
[[nodiscard]] bool is_valid_authority(std::string_view text);

}  // namespace restgate::http1
