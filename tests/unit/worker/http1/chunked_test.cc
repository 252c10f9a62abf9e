// ChunkedDecoder: sizes, line ends, extensions, trailers, bounds; every row in every split.
#include "worker/http1/chunked.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "worker/http1/feed.h"
#include "worker/http1/reference_chunked.h"

namespace restgate::http1::test {
namespace {

using namespace std::string_literals;
using Event = ChunkedDecoder::Event;

struct ChunkedCase {
  const char* rule;
  std::string input;
  /// "done: data|trailers" for all of the input but `rest` bytes, "more: data so far", or a failure's code.
  std::string want;
  size_t rest = 0;
};

std::string decode(const std::string& input, const std::vector<size_t>& cuts, const Limits& limits) {
  ChunkedDecoder decoder(limits);
  const DecodedBody body = feed_chunked(decoder, input, cuts);
  switch (body.event) {
    case Event::End:
      return "done: " + body.data + "|" + body.trailers + " in " + std::to_string(body.consumed);
    case Event::NeedMore:
      return "more: " + body.data;
    case Event::Failed:
      return std::string(decoder.failure());
    case Event::Data:
      break;
  }
  return "data left over";
}

void check(const ChunkedCase& row, const Limits& limits = {}) {
  SCOPED_TRACE(std::string(row.rule) + ": " + testing::PrintToString(row.input));
  std::string want = row.want;
  if (want.rfind("done", 0) == 0) want += " in " + std::to_string(row.input.size() - row.rest);
  EXPECT_EQ(want, decode(row.input, {}, limits));
  for (size_t cut = 0; cut < row.input.size(); ++cut)
    ASSERT_EQ(want, decode(row.input, {cut}, limits)) << "split at " << cut;
  ASSERT_EQ(want, decode(row.input, every_byte(row.input.size()), limits)) << "byte by byte";

  const auto reference = reference::decode_chunked(row.input, limits);
  const bool complete = reference.verdict == reference::ChunkedBody::Verdict::Complete;
  EXPECT_EQ(want.rfind("done", 0) == 0, complete) << "the reference decoder";
  if (reference.verdict == reference::ChunkedBody::Verdict::Reject) {
    EXPECT_EQ(want.find(": "), std::string::npos);
  } else if (complete) {
    const std::string consumed = std::to_string(reference.consumed);
    EXPECT_EQ(want, "done: " + reference.data + "|" + reference.trailers + " in " + consumed);
  }
}

TEST(ChunkedDecoder, Sizes) {
  const std::vector<ChunkedCase> rows = {
      {"9112-7.1", "0\r\n\r\n", "done: |"},
      {"9112-7.1", "5\r\nhello\r\n0\r\n\r\n", "done: hello|"},
      {"9112-7.1", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "done: hello!|"},
      {"9112-7.1", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "done: 01234567890123456789|"},
      {"9112-7.1", "005\r\nhello\r\n000\r\n\r\n", "done: hello|"},
      {"9112-7.1", "0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "done: hello|"},
      {"ours", std::string(128, '0') + "5\r\nhello\r\n0\r\n\r\n", "chunk_size_overflow"},
      {"9112-7.1", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "done: \r\n\r\n|"},
      {"9112-7.1", "5\r\n0\r\n\r\n\r\n0\r\n\r\n", "done: 0\r\n\r\n|"},
      {"9112-7.1", "0\r\n\r\nGET / HTTP/1.1\r\n", "done: |", 16},
      {"9112-7.1", "1\r\n\0\r\n0\r\n\r\n\n"s, "done: \0|"s, 1},
      {"9112-7.1", "7fffffffffffffff\r\nab", "more: ab"},
      {"9112-7.1", "8000000000000000\r\nab", "chunk_size_overflow"},
      {"9112-7.1", "ffffffffffffffff\r\nab", "chunk_size_overflow"},
      {"9112-7.1", "10000000000000005\r\nhello\r\n0\r\n\r\n", "chunk_size_overflow"},
      {"9112-7.1", "100000000000000000000000000000005\r\nhello\r\n0\r\n\r\n", "chunk_size_overflow"},
      {"9112-7.1", "\r\n", "chunk_size_invalid"},
      {"9112-7.1", "g\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5g\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "0x5\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "+5\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "-5\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5_0\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5,\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", " 5\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5 \r\nhello\r\n0\r\n\r\n", "chunk_extension_invalid"},
      {"9112-7.1", "5\t\r\nhello\r\n0\r\n\r\n", "chunk_extension_invalid"},
      {"9112-7.1", "5 5\r\nhello\r\n0\r\n\r\n", "chunk_extension_invalid"},
      {"9112-7.1", "\xB5\r\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5\0\r\nhello\r\n0\r\n\r\n"s, "chunk_size_invalid"},
      {"9112-7.1", "", "more: "},
      {"9112-7.1", "5", "more: "},
      {"9112-7.1", "5\r", "more: "},
      {"9112-7.1", "5\r\n", "more: "},
      {"9112-7.1", "5\r\nhel", "more: hel"},
      {"9112-7.1", "5\r\nhello", "more: hello"},
      {"9112-7.1", "5\r\nhello\r", "more: hello"},
      {"9112-7.1", "5\r\nhello\r\n0\r\n", "more: hello"},
      {"9112-7.1", "5\r\nhello\r\n0\r\n\r", "more: hello"},
  };
  for (const auto& row : rows) check(row);
}

TEST(ChunkedDecoder, LineEnds) {
  const std::vector<ChunkedCase> rows = {
      {"9112-7.1", "5\nhello\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5\rhello\r\n0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\r\nhello\r\n0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\nhello\n0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\nhello\r0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\nhello0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\nhelloo\r\n0\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5\r\nhello\r\n\r\n0\r\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5\r\nhello\r\n0\n\r\n", "chunk_size_invalid"},
      {"9112-7.1", "5\r\nhello\r\n0\r\n\n", "trailer_invalid"},
      {"9112-7.1", "5\r\nhello\r\n0\r\n\r\r\n", "chunk_line_end_invalid"},
      {"9112-7.1", "5;a\nhello\r\n0\r\n\r\n", "chunk_extension_invalid"},
      {"9112-7.1", "5;a=\"b\n\"\r\nhello\r\n0\r\n\r\n", "chunk_extension_invalid"},
  };
  for (const auto& row : rows) check(row);
}

TEST(ChunkedDecoder, Extensions) {
  const std::string rest = "\r\nhello\r\n0\r\n\r\n";
  const std::vector<ChunkedCase> rows = {
      {"9112-7.1.1", "5;a" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=b" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=b;c;d=e" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=\"b\"" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=\"\"" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=\"b;c=\\\"\\\\ \t\xE9\";d" + rest, "done: hello|"},
      {"9110-5.6.3", "5 ; a = b \t; c = \"d\" ;e" + rest, "done: hello|"},
      {"9112-7.1.1", "5;a=b\r\nhello\r\n0;c=d\r\n\r\n", "done: hello|"},
      {"9112-7.1.1", "5;" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5; " + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;;a" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;=b" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=;b" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a b" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=b c" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=b " + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a " + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=\"b" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=\"b\\" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=\"b\"c" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a(b" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=b\xE9" + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=b\0"s + rest, "chunk_extension_invalid"},
      {"9112-7.1.1", "5;a=\"\x7F\"" + rest, "chunk_extension_invalid"},
  };
  for (const auto& row : rows) check(row);
}

TEST(ChunkedDecoder, Trailers) {
  const std::vector<ChunkedCase> rows = {
      {"9112-7.1.2", "0\r\nX-Sum: 1\r\n\r\n", "done: |X-Sum: 1\r\n"},
      {"9112-7.1.2", "0\r\nX-Sum:1 \t\r\nx-b: \r\n\r\n", "done: |X-Sum: 1\r\nx-b: \r\n"},
      {"9112-7.1.2", "1\r\na\r\n0\r\nGrpc-Status: 0\r\nETag: \"x\"\r\n\r\nHTTP/1.1",
       "done: a|Grpc-Status: 0\r\nETag: \"x\"\r\n", 8},
      {"9110-6.5.1", "0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nhost: b\r\n\r\n", "done: |"},
      {"9110-6.5.1", "0\r\nConnection: x\r\nKeep-Alive: 1\r\nTE: trailers\r\nUpgrade: x\r\nTrailer: y\r\n\r\n",
       "done: |"},
      {"9110-6.5.1", "0\r\nAUTHORIZATION: x\r\nX-A: 1\r\nSet-Cookie: a\r\nCache-Control: y\r\n\r\n",
       "done: |X-A: 1\r\n"},
      {"9110-6.5.1", "0\r\nX-Forwarded-For: 1\r\nX-forwarded-port: 2\r\nForwarded: 3\r\nContent-Type: 4\r\n\r\n",
       "done: |"},
      {"9112-5.1", "0\r\nX : 1\r\n\r\n", "trailer_invalid"},
      {"9112-5.1", "0\r\nX\r\n\r\n", "trailer_invalid"},
      {"9112-5.1", "0\r\n: 1\r\n\r\n", "trailer_invalid"},
      {"9112-5.2", "0\r\nX: 1\r\n 2\r\n\r\n", "trailer_invalid"},
      {"9112-5.2", "0\r\n X: 1\r\n\r\n", "trailer_invalid"},
      {"9110-5.5", "0\r\nX: \0\r\n\r\n"s, "trailer_invalid"},
      {"9110-5.5", "0\r\nX: 1\n\r\n", "trailer_invalid"},
      {"9110-5.5", "0\r\nX: 1\r2\r\n\r\n", "chunk_line_end_invalid"},
      {"9112-7.1.2", "0\r\nX: 1\r\n", "more: "},
      {"9112-7.1.2", "0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "trailer_invalid"},
  };
  for (const auto& row : rows) check(row);
}

TEST(ChunkedDecoder, TrailerLimits) {
  const Limits limits{.max_head_bytes = 20, .max_fields = 2};
  const std::vector<ChunkedCase> rows = {
      {"ours", "0\r\nX: 345678901234\r\n\r\n", "done: |X: 345678901234\r\n"},
      {"ours", "0\r\nX: 34567890123456\r\n\r\n", "trailer_too_large"},
      {"ours", "0\r\nX: 345678901234567890", "trailer_too_large"},
      {"ours", "0\r\nA: 1\r\nB: 2\r\n\r\n", "done: |A: 1\r\nB: 2\r\n"},
      {"ours", "0\r\nA:1\r\nB:2\r\nC:3\r\n\r\n", "trailer_too_large"},
  };
  for (const auto& row : rows) check(row, limits);
}

TEST(ChunkedDecoder, ExtensionsAreBounded) {
  const auto whole = [](const std::string& input) { return decode(input, {}, Limits{}).substr(0, 25); };
  const std::string end = "\r\nhello\r\n0\r\n\r\n";
  EXPECT_EQ(whole("5;" + std::string(4095, 'a') + end), "done: hello| in 4111");
  EXPECT_EQ(whole("5;" + std::string(4096, 'a') + end), "chunk_extension_too_large");
  EXPECT_EQ(whole("5;" + std::string(1'000'000, 'a')), "chunk_extension_too_large");

  // 100 bytes of extension to one of data add up; to 100 of data they do not.
  std::string thin;
  std::string thick;
  for (int i = 0; i < 1000; ++i) {
    thin += "1;" + std::string(100, 'a') + "\r\nx\r\n";
    thick += "64;" + std::string(100, 'a') + "\r\n" + std::string(100, 'x') + "\r\n";
  }
  EXPECT_EQ(whole(thin), "chunk_extension_too_large");
  EXPECT_EQ(decode(thick + "0\r\n\r\n", {}, Limits{}).substr(0, 5), "done:");
}

TEST(ChunkedDecoder, DataIsReturnedInPlaceAndWhole) {
  ChunkedDecoder decoder{Limits{}};
  const std::string body(65536, 'x');
  const std::string input = "10000\r\n" + body + "\r\n0\r\n\r\n";
  const auto first = decoder.step(input.data(), input.data() + input.size());
  EXPECT_EQ(first.event, Event::Data);
  EXPECT_EQ(first.data.data(), input.data() + 7);
  EXPECT_EQ(first.data.size(), body.size());
  EXPECT_EQ(first.used, 7 + body.size());
  const auto second = decoder.step(input.data() + first.used, input.data() + input.size());
  EXPECT_EQ(second.event, Event::End);
  EXPECT_EQ(first.used + second.used, input.size());
  EXPECT_EQ(decoder.step(input.data(), input.data() + input.size()).event, Event::End);
  EXPECT_EQ(decoder.step(input.data(), input.data() + input.size()).used, 0U);
}

TEST(ChunkedDecoder, ResetStartsAnotherBody) {
  ChunkedDecoder decoder{Limits{}};
  for (const char* broken : {"x", "5;a", "5\r\nhel", "0\r\nX: y\r\nZ"}) {
    (void)feed_chunked(decoder, broken, {});
    decoder.reset();
    EXPECT_TRUE(decoder.failure().empty());
    const DecodedBody body = feed_chunked(decoder, "2;b\r\nhi\r\n0\r\nA: b\r\n\r\n", {});
    EXPECT_EQ(body.event, Event::End);
    EXPECT_EQ(body.data, "hi");
    EXPECT_EQ(body.trailers, "A: b\r\n");
    decoder.reset();
    EXPECT_TRUE(decoder.trailers().empty());
  }
}

}  // namespace
}  // namespace restgate::http1::test
