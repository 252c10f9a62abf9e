// ChunkedDecoder against its reference, whole and in pieces. The decoder refuses at the offending byte, the reference
// at the end of the line: a refusal of what the reference would still go on with must hold however the body goes on.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "worker/http1/feed.h"
#include "worker/http1/reference_chunked.h"

namespace {

using restgate::http1::ChunkedDecoder;
using restgate::http1::Limits;
using restgate::http1::reference::ChunkedBody;
using restgate::http1::reference::decode_chunked;
using restgate::http1::test::DecodedBody;
using restgate::http1::test::feed_chunked;
using Event = ChunkedDecoder::Event;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "differs: %s\n", what);
  std::abort();
}

void check_against_reference(const std::string& input, const DecodedBody& got, const Limits& limits) {
  const ChunkedBody expected = decode_chunked(input, limits);
  switch (expected.verdict) {
    case ChunkedBody::Verdict::Reject:
      require(got.event == Event::Failed, "not refused");
      return;
    case ChunkedBody::Verdict::Complete:
      require(got.event == Event::End, "not complete");
      require(got.trailers == expected.trailers, "trailers");
      require(got.consumed == expected.consumed, "bytes consumed");
      require(got.data == expected.data, "data");
      return;
    case ChunkedBody::Verdict::More:
      break;
  }
  if (got.event == Event::NeedMore) {
    require(got.data == expected.data, "data so far");
    return;
  }
  require(got.event == Event::Failed, "complete too early");
  for (const char* rest : {"\r\n\r\n", "\n\r\n", "\r\n0\r\n\r\n", "\n0\r\n\r\n", "0\r\n\r\n", "a\r\n0\r\n\r\n",
                           "\"\r\n0\r\n\r\n", ":\r\n\r\n", ";a\r\n0\r\n\r\n", ";a\r\n\r\n", "\"\r\n\r\n"})
    require(decode_chunked(input + rest, limits).verdict != ChunkedBody::Verdict::Complete, "refused too early");
}

void check(const std::string& input, const Limits& limits) {
  ChunkedDecoder decoder(limits);
  const DecodedBody whole = feed_chunked(decoder, input, {});
  check_against_reference(input, whole, limits);
  std::vector<std::vector<size_t>> ways = {restgate::http1::test::every_byte(input.size())};
  const size_t step = 1 + input.size() / 8;  // the fuzzer moves the cuts by the length
  for (size_t cut = 0; cut < input.size(); cut += step) ways.push_back({cut});
  for (const auto& cuts : ways) {
    decoder.reset();
    const DecodedBody split = feed_chunked(decoder, input, cuts);
    require(split.event == whole.event && split.data == whole.data && split.trailers == whole.trailers, "split");
    if (whole.event == Event::End) require(split.consumed == whole.consumed, "split: bytes consumed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check(input, Limits{});
  check(input, Limits{.max_head_bytes = 40, .max_fields = 2});
  return 0;
}
