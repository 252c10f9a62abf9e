// What `restgate reload` and a running gateway say to each other, over the admin socket. Master and client. Pure.
//
//   POST /reload, body: the absolute path of the file to use from now on; or empty: the one in use
//   200  it is in service                  the body says as which generation
//   422  the file has errors               the body tells them all, as `restgate -t` does
//   409  the file is good, but could not be taken into service: the old one goes on. The body says why
// The answer comes when the verdict is there. Bodies are text for people, lines ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "master/admin_connection.h"
#include "master/reload_tickets.h"

namespace restgate::master::reload_protocol {

[[nodiscard]] AdminResponse response_to(const Verdict& verdict);

[[nodiscard]] std::string request_for(std::string_view file);

/// What the client has got.
struct Answer {
  uint16_t status = 0;
  std::string body;
};
/// Takes a whole response apart. An Error: the gateway ended the connection without one.
[[nodiscard]] Result<Answer> parse_answer(std::string_view bytes);

inline constexpr uint16_t kFinished = 200;
inline constexpr uint16_t kAborted = 409;
inline constexpr uint16_t kRefused = 422;

}  // namespace restgate::master::reload_protocol
