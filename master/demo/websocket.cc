#include "master/demo/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

namespace restgate::demo {
namespace {

constexpr std::string_view kHandshakeGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 §1.3
constexpr size_t kMaxControlPayload = 125;                                           // RFC 6455 §5.5

uint8_t byte_at(std::string_view bytes, size_t i) {
  return static_cast<uint8_t>(bytes[i]);
}

uint64_t big_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) value = value << 8 | byte_at(bytes, i);
  return value;
}

/// The codes that may appear in a close frame (RFC 6455 §7.4).
bool is_sendable_status(uint64_t code) {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

/// Bytes of the sequence that `lead` begins; 0: it begins none.
size_t utf8_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/// The second byte decides whether a form is overlong, a surrogate or too large (RFC 3629 §4).
bool is_second_byte(uint8_t lead, uint8_t second) {
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  std::string input(key);
  input += kHandshakeGuid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1> encoded{};
  const int length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(encoded.data()), static_cast<size_t>(length)};
}

bool is_utf8(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const uint8_t lead = byte_at(bytes, i);
    const size_t length = utf8_length(lead);
    if (length == 0 || length > bytes.size() - i) return false;
    if (length > 1 && !is_second_byte(lead, byte_at(bytes, i + 1))) return false;
    for (size_t k = 2; k < length; ++k)
      if ((byte_at(bytes, i + k) & 0xC0) != 0x80) return false;
    i += length;
  }
  return true;
}

bool WebSocketEcho::feed(std::string_view bytes, std::string& out) {
  input_.append(bytes);
  size_t used = 0;
  bool open = true;
  while (open) {
    const std::string_view rest = std::string_view(input_).substr(used);
    Frame frame;
    const Parsed parsed = parse_frame_head(rest, frame);
    if (parsed == Parsed::Malformed) return close_with(Status::ProtocolError, out);
    if (parsed == Parsed::Incomplete) break;
    if (frame.payload_bytes > kMaxMessageBytes) return close_with(Status::TooBig, out);
    const size_t payload_bytes = static_cast<size_t>(frame.payload_bytes);
    if (rest.size() < frame.head_bytes + payload_bytes) break;

    const std::string_view mask = rest.substr(frame.head_bytes - 4, 4);
    std::string payload(rest.substr(frame.head_bytes, payload_bytes));
    for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    used += frame.head_bytes + payload_bytes;
    open = on_frame(frame, payload, out);
  }
  input_.erase(0, used);
  return open;
}

// RFC 6455 §5.2: FIN and three reserved bits, opcode; mask bit and length, in the shortest form; the masking key, which
// a client's frame must have.
WebSocketEcho::Parsed WebSocketEcho::parse_frame_head(std::string_view bytes, Frame& frame) {
  if (bytes.size() < 2) return Parsed::Incomplete;
  const uint8_t first = byte_at(bytes, 0);
  const uint8_t second = byte_at(bytes, 1);
  const uint8_t opcode = first & 0x0F;
  const bool control = (opcode & 0x08) != 0;
  if ((first & 0x70) != 0 || (second & 0x80) == 0) return Parsed::Malformed;
  if (control ? opcode > 0xA : opcode > 0x2) return Parsed::Malformed;
  frame.fin = (first & 0x80) != 0;
  frame.opcode = static_cast<Opcode>(opcode);

  const uint8_t length = second & 0x7F;
  const size_t length_bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
  frame.head_bytes = 2 + length_bytes + 4;
  if (control && (!frame.fin || length > kMaxControlPayload)) return Parsed::Malformed;
  if (bytes.size() < frame.head_bytes) return Parsed::Incomplete;
  frame.payload_bytes = length_bytes == 0 ? length : big_endian(bytes.substr(2, length_bytes));
  const bool shortest = length_bytes == 0 || (length_bytes == 2 && frame.payload_bytes > 125) ||
                        (length_bytes == 8 && frame.payload_bytes > 0xFFFF);
  return shortest ? Parsed::Frame : Parsed::Malformed;
}

bool WebSocketEcho::on_frame(const Frame& frame, std::string_view payload, std::string& out) {
  switch (frame.opcode) {
    case Opcode::Continuation:
    case Opcode::Text:
    case Opcode::Binary:
      return on_data(frame, payload, out);
    case Opcode::Ping:
      append_frame(Opcode::Pong, payload, out);
      return true;
    case Opcode::Pong:
      return true;
    case Opcode::Close:
      return on_close(payload, out);
  }
  return close_with(Status::ProtocolError, out);
}

// RFC 6455 §5.4: a message is one frame, or a first one without FIN and continuations; messages do not interleave.
bool WebSocketEcho::on_data(const Frame& frame, std::string_view payload, std::string& out) {
  if ((frame.opcode == Opcode::Continuation) != in_message_) return close_with(Status::ProtocolError, out);
  if (!in_message_) message_opcode_ = frame.opcode;
  if (message_.size() + payload.size() > kMaxMessageBytes) return close_with(Status::TooBig, out);
  message_.append(payload);
  in_message_ = !frame.fin;
  if (in_message_) return true;
  if (message_opcode_ == Opcode::Text && !is_utf8(message_)) return close_with(Status::InvalidData, out);
  append_frame(message_opcode_, message_, out);
  message_.clear();
  return true;
}

// RFC 6455 §5.5.1: the answer to a close frame is a close frame with the same code.
bool WebSocketEcho::on_close(std::string_view payload, std::string& out) {
  if (payload.empty()) {
    append_frame(Opcode::Close, "", out);
    return false;
  }
  if (payload.size() < 2 || !is_sendable_status(big_endian(payload.substr(0, 2))))
    return close_with(Status::ProtocolError, out);
  if (!is_utf8(payload.substr(2))) return close_with(Status::InvalidData, out);
  append_frame(Opcode::Close, payload.substr(0, 2), out);
  return false;
}

bool WebSocketEcho::close_with(Status status, std::string& out) {
  const auto code = static_cast<uint16_t>(status);
  const std::array<char, 2> payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  append_frame(Opcode::Close, {payload.data(), payload.size()}, out);
  return false;
}

void WebSocketEcho::append_frame(Opcode opcode, std::string_view payload, std::string& out) {
  out.push_back(static_cast<char>(0x80 | static_cast<uint8_t>(opcode)));
  const uint64_t size = payload.size();
  size_t length_bytes = 0;
  if (size <= 125) {
    out.push_back(static_cast<char>(size));
  } else if (size <= 0xFFFF) {
    out.push_back(126);
    length_bytes = 2;
  } else {
    out.push_back(127);
    length_bytes = 8;
  }
  for (size_t i = length_bytes; i > 0; --i) out.push_back(static_cast<char>(size >> (8 * (i - 1)) & 0xFF));
  out.append(payload);
}

}  // namespace restgate::demo
