#include "integration/support/websocket.h"

#include <array>

namespace restgate::itest::ws {

namespace {

constexpr std::array<char, 4> kMask = {'\x37', '\xfa', '\x21', '\x3d'};

void append_number(std::string& bytes, uint64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xff);
}

uint64_t read_number(Stream& stream, size_t size) {
  uint64_t value = 0;
  for (const char byte : stream.read_exactly(size)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

void mask(std::string& payload, std::string_view key) {
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ key[i % 4]);
}

}  // namespace

std::string handshake_request(std::string_view target, std::string_view host) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: " + std::string(host) +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + std::string(kKey) +
         "\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

std::string handshake_response() {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         std::string(kAccept) + "\r\n\r\n";
}

std::string encode(Opcode opcode, std::string_view payload, bool masked) {
  std::string bytes(1, static_cast<char>(0x80 | static_cast<int>(opcode)));
  const int mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else if (payload.size() < 65536) {
    bytes += static_cast<char>(mask_bit | 126);
    append_number(bytes, payload.size(), 2);
  } else {
    bytes += static_cast<char>(mask_bit | 127);
    append_number(bytes, payload.size(), 8);
  }
  std::string body(payload);
  if (masked) {
    bytes.append(kMask.data(), kMask.size());
    mask(body, std::string_view(kMask.data(), kMask.size()));
  }
  return bytes + body;
}

Frame read_frame(Stream& stream) {
  const std::string head = stream.read_exactly(2);
  Frame frame;
  frame.opcode = static_cast<Opcode>(head[0] & 0x0f);
  frame.masked = (head[1] & 0x80) != 0;
  uint64_t size = static_cast<uint8_t>(head[1] & 0x7f);
  if (size == 126)
    size = read_number(stream, 2);
  else if (size == 127)
    size = read_number(stream, 8);
  const std::string key = frame.masked ? stream.read_exactly(4) : "";
  frame.payload = stream.read_exactly(size);
  if (frame.masked) mask(frame.payload, key);
  return frame;
}

}  // namespace restgate::itest::ws
