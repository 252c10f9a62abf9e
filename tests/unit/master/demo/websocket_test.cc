#include "master/demo/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace restgate::demo {
namespace {

using namespace std::string_literals;

/// A client's frame: masked.
std::string client_frame(uint8_t first_byte, std::string_view payload, size_t length_bytes = 0) {
  std::string frame(1, static_cast<char>(first_byte));
  if (length_bytes == 0) length_bytes = payload.size() > 0xFFFF ? 8 : payload.size() > 125 ? 2 : 0;
  const size_t code = length_bytes == 8 ? 127 : length_bytes == 2 ? 126 : payload.size();
  frame.push_back(static_cast<char>(0x80 | code));
  for (size_t i = length_bytes; i > 0; --i) frame.push_back(static_cast<char>(payload.size() >> (8 * (i - 1)) & 0xFF));
  const std::string mask = "\x12\x34\x56\x78";
  frame += mask;
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return frame;
}

std::string server_frame(uint8_t first_byte, std::string_view payload) {
  std::string frame(1, static_cast<char>(first_byte));
  if (payload.size() <= 125) {
    frame.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= 0xFFFF) {
    frame.push_back(126);
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size() & 0xFF));
  } else {
    frame.push_back(127);
    for (int i = 7; i >= 0; --i) frame.push_back(static_cast<char>(payload.size() >> (8 * i) & 0xFF));
  }
  return frame + std::string(payload);
}

TEST(WebSocketAccept, IsTheExampleOfRfc6455Section1_3) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

struct Dialogue {
  const char* name;
  std::string from_client;
  std::string from_server;
  bool open;
};

void PrintTo(const Dialogue& dialogue, std::ostream* os) {
  *os << dialogue.name;
}

class WebSocketEchoTest : public testing::TestWithParam<Dialogue> {};

TEST_P(WebSocketEchoTest, AnswersInOnePiece) {
  WebSocketEcho echo;
  std::string out;
  EXPECT_EQ(echo.feed(GetParam().from_client, out), GetParam().open);
  EXPECT_EQ(out, GetParam().from_server);
}

TEST_P(WebSocketEchoTest, AnswersByteByByteAlike) {
  WebSocketEcho echo;
  std::string out;
  bool open = true;
  for (size_t i = 0; i < GetParam().from_client.size() && open; ++i) {
    open = echo.feed(std::string_view(GetParam().from_client).substr(i, 1), out);
  }
  EXPECT_EQ(open, GetParam().open);
  EXPECT_EQ(out, GetParam().from_server);
}

std::string closing(uint16_t code) {
  return server_frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)});
}

const std::vector<Dialogue>& dialogues() {
  static const std::vector<Dialogue> all = {
      {"text", client_frame(0x81, "hello"), server_frame(0x81, "hello"), true},
      {"empty", client_frame(0x81, ""), server_frame(0x81, ""), true},
      {"binary", client_frame(0x82, "\0\xFF\x80"s), server_frame(0x82, "\0\xFF\x80"s), true},
      {"two_messages", client_frame(0x81, "a") + client_frame(0x81, "b"),
       server_frame(0x81, "a") + server_frame(0x81, "b"), true},
      {"length_125", client_frame(0x82, std::string(125, 'x')), server_frame(0x82, std::string(125, 'x')), true},
      {"length_126", client_frame(0x82, std::string(126, 'x')), server_frame(0x82, std::string(126, 'x')), true},
      {"length_70000", client_frame(0x82, std::string(70000, 'x')), server_frame(0x82, std::string(70000, 'x')), true},
      {"fragments", client_frame(0x01, "one ") + client_frame(0x00, "two ") + client_frame(0x80, "three"),
       server_frame(0x81, "one two three"), true},
      {"ping_between_fragments", client_frame(0x01, "a") + client_frame(0x89, "p") + client_frame(0x80, "b"),
       server_frame(0x8A, "p") + server_frame(0x81, "ab"), true},
      {"utf8_across_fragments", client_frame(0x01, "\xE2\x82") + client_frame(0x80, "\xAC"),
       server_frame(0x81, "\xE2\x82\xAC"), true},
      {"pong_is_ignored", client_frame(0x8A, "x"), "", true},
      {"close_without_code", client_frame(0x88, ""), server_frame(0x88, ""), false},
      {"close_with_code", client_frame(0x88, "\x03\xE8 bye"), closing(1000), false},
      {"after_close_nothing", client_frame(0x88, "\x03\xE9") + client_frame(0x81, "late"), closing(1001), false},
      {"close_of_one_byte", client_frame(0x88, "x"), closing(1002), false},
      {"close_with_reserved_code", client_frame(0x88, "\x03\xED"), closing(1002), false},
      {"close_reason_not_utf8", client_frame(0x88, "\x03\xE8\xFF"), closing(1007), false},
      {"unmasked", server_frame(0x81, "hello"), closing(1002), false},
      {"reserved_bit", client_frame(0xC1, "x"), closing(1002), false},
      {"unknown_data_opcode", client_frame(0x83, "x"), closing(1002), false},
      {"unknown_control_opcode", client_frame(0x8B, "x"), closing(1002), false},
      {"fragmented_ping", client_frame(0x09, "x"), closing(1002), false},
      {"long_ping", client_frame(0x89, std::string(126, 'x')), closing(1002), false},
      {"continuation_of_nothing", client_frame(0x80, "x"), closing(1002), false},
      {"message_in_message", client_frame(0x01, "a") + client_frame(0x81, "b"), closing(1002), false},
      {"length_not_shortest", client_frame(0x81, "abc", 2), closing(1002), false},
      {"long_length_not_shortest", client_frame(0x81, "abc", 8), closing(1002), false},
      {"text_not_utf8", client_frame(0x81, "\xC0\xAF"), closing(1007), false},
      {"too_big", "\x82\xFF\x80\0\0\0\0\0\0\0mask"s, closing(1009), false},
  };
  return all;
}

INSTANTIATE_TEST_SUITE_P(Dialogues, WebSocketEchoTest, testing::ValuesIn(dialogues()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(WebSocketEcho, RefusesAMessageThatGrowsTooBig) {
  WebSocketEcho echo;
  std::string out;
  const std::string fragment(WebSocketEcho::kMaxMessageBytes / 2 + 1, 'x');
  ASSERT_TRUE(echo.feed(client_frame(0x02, fragment), out));
  EXPECT_FALSE(echo.feed(client_frame(0x00, fragment), out));
  EXPECT_EQ(out, closing(1009));
}

TEST(Utf8, AcceptsWhatIsWellFormed) {
  for (const std::string_view text :
       {"", "abc", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(text)) << testing::PrintToString(text);
}

TEST(Utf8, RefusesWhatIsNot) {
  for (const std::string_view text :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\x80", "\xED\xA0\x80", "\xE2\x82", "\xE2\x82\x41",
        "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
}

}  // namespace
}  // namespace restgate::demo
