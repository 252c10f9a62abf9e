#include "worker/http1/writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <map>
#include <memory>
#include <string>

namespace restgate::http1::test {
namespace {

TEST(HeadWriter, RendersHeads) {
  std::array<char, 256> space;
  HeadWriter request(space.data(), space.data() + space.size());
  request.request_line("GET", "/a?b");
  request.field("Host", "c");
  request.field("Content-Length", 0);
  request.field("X", "");
  request.crlf();
  EXPECT_EQ(request.text(), "GET /a?b HTTP/1.1\r\nHost: c\r\nContent-Length: 0\r\nX: \r\n\r\n");
  EXPECT_EQ(request.size(), request.text().size());
  EXPECT_FALSE(request.overflowed());

  HeadWriter response(space.data(), space.data() + space.size());
  response.status_line(404, "Not Found");
  response.status_line(200, "");
  EXPECT_EQ(response.text(), "HTTP/1.1 404 Not Found\r\nHTTP/1.1 200 \r\n");
}

TEST(HeadWriter, RendersNumbersAndChunks) {
  std::array<char, 256> space;
  HeadWriter out(space.data(), space.data() + space.size());
  out.number(0);
  out.raw(" ");
  out.number(std::numeric_limits<uint64_t>::max());
  out.raw(" ");
  out.hex(std::numeric_limits<uint64_t>::max());
  out.raw(" ");
  out.chunk_head(65536);
  out.last_chunk();
  out.last_chunk("A: b\r\n");
  EXPECT_EQ(out.text(), "0 18446744073709551615 ffffffffffffffff 10000\r\n0\r\n\r\n0\r\nA: b\r\n\r\n");
}

// Nothing is written behind the end (the memory is exactly as large), nothing after what did not fit.
TEST(HeadWriter, ReportsOverflow) {
  const std::string_view whole = "ab: c\r\n12345";
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto space = std::make_unique<char[]>(size);
    HeadWriter out(space.get(), space.get() + size);
    out.field("ab", "c");
    out.number(12345);
    out.raw("");
    EXPECT_TRUE(out.overflowed()) << size;
    EXPECT_EQ(out.text(), whole.substr(0, size < 7 ? 0 : 7)) << size;
    out.raw("x");
    out.field("x", "y");
    EXPECT_EQ(out.size(), size < 7 ? 0U : 7U) << size;
  }
  std::array<char, 12> space;
  HeadWriter out(space.data(), space.data() + space.size());
  out.field("ab", "c");
  out.number(12345);
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(out.text(), whole);
}

std::string number_in(size_t room, uint64_t value) {
  std::string space(room + 4, '#');
  HeadWriter out(space.data(), space.data() + room);
  out.number(value);
  EXPECT_EQ(space.substr(room), "####") << "beyond the end";
  return out.overflowed() ? "-" : std::string(out.text());
}

// Short numbers are written four characters at a time, if there is room for so many.
TEST(HeadWriter, NumbersOfEveryLengthInAnyRoom) {
  for (const uint64_t value : {0U, 7U, 9U, 10U, 42U, 99U, 100U, 405U, 999U, 1'000U, 9'999U, 10'000U, 123'456U}) {
    const std::string text = std::to_string(value);
    for (size_t room = 0; room < 10; ++room) EXPECT_EQ(number_in(room, value), room < text.size() ? "-" : text) << room;
  }
}

TEST(HeadWriter, Seconds) {
  std::array<char, 32> space;
  for (const auto& [micros, text] : std::map<uint64_t, std::string>{{0, "0.000000"},
                                                                    {1, "0.000001"},
                                                                    {90'210, "0.090210"},
                                                                    {999'999, "0.999999"},
                                                                    {1'000'000, "1.000000"},
                                                                    {12'345'678'901, "12345.678901"}}) {
    HeadWriter out(space.data(), space.data() + space.size());
    out.seconds(micros);
    EXPECT_EQ(out.text(), text);
    HeadWriter tight(space.data(), space.data() + text.size() - 1);
    tight.seconds(micros);
    EXPECT_TRUE(tight.overflowed());
  }
}

}  // namespace
}  // namespace restgate::http1::test
