// WebSocket by hand (RFC 6455): handshake and frames, so that a test can hold every byte. Test process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "integration/support/stream.h"

namespace restgate::itest::ws {

enum class Opcode : uint8_t { Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10 };

struct Frame {
  Opcode opcode = Opcode::Text;
  bool masked = false;
  std::string payload;  ///< unmasked
};

/// The pair that RFC 6455 §1.3 gives as its example.
inline constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The request head of a handshake with kKey.
std::string handshake_request(std::string_view target, std::string_view host = "client.test");
/// The 101 head that answers it.
std::string handshake_response();

/// A final frame; clients mask theirs (RFC 6455 §5.3).
std::string encode(Opcode opcode, std::string_view payload, bool masked);
Frame read_frame(Stream& stream);

}  // namespace restgate::itest::ws
