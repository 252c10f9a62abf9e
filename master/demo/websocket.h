// WebSocketEcho: the server's side of RFC 6455 for one connection, sending every message back. Demo origin process.
//
// Bytes in, bytes out: it knows no socket. Strict, so that a gateway that damaged a frame would be noticed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace restgate::demo {

/// The value of Sec-WebSocket-Accept for a client's Sec-WebSocket-Key (RFC 6455 §4.2.2).
[[nodiscard]] std::string websocket_accept(std::string_view key);

class WebSocketEcho {
 public:
  /// A longer message, its fragments taken together, is refused with 1009.
  static constexpr size_t kMaxMessageBytes = 4 * 1024 * 1024;

  /// Takes bytes as they come from the client, in any division, and appends to `out` what the client is to be sent.
  /// False: the connection ends once `out` has been sent (RFC 6455 §7.1.1: the server closes first).
  [[nodiscard]] bool feed(std::string_view bytes, std::string& out);

 private:
  enum class Opcode : uint8_t { Continuation = 0x0, Text = 0x1, Binary = 0x2, Close = 0x8, Ping = 0x9, Pong = 0xA };
  enum class Status : uint16_t { Normal = 1000, ProtocolError = 1002, InvalidData = 1007, TooBig = 1009 };
  struct Frame {
    Opcode opcode = Opcode::Text;
    bool fin = false;
    size_t head_bytes = 0;
    uint64_t payload_bytes = 0;
  };
  enum class Parsed : uint8_t { Frame, Incomplete, Malformed };

  static Parsed parse_frame_head(std::string_view bytes, Frame& frame);
  static void append_frame(Opcode opcode, std::string_view payload, std::string& out);
  static bool close_with(Status status, std::string& out);
  bool on_frame(const Frame& frame, std::string_view payload, std::string& out);
  bool on_data(const Frame& frame, std::string_view payload, std::string& out);
  static bool on_close(std::string_view payload, std::string& out);

  std::string input_;    ///< what has come of an incomplete frame
  std::string message_;  ///< the fragments of the message so far
  Opcode message_opcode_ = Opcode::Text;
  bool in_message_ = false;
};

/// Whether the bytes are well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view bytes);

}  // namespace restgate::demo
