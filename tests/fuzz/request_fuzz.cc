// RequestParser against its reference, whole and in pieces.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "worker/http1/feed.h"
#include "worker/http1/reference_request.h"

namespace {

using restgate::http1::Limits;
using restgate::http1::RequestParser;

[[noreturn]] void differ(const char* what, const std::string& expected, const std::string& got) {
  std::fprintf(stderr, "%s\n  expected %s\n  got      %s\n", what, expected.c_str(), got.c_str());
  std::abort();
}

void check(const std::string& input, const Limits& limits) {
  RequestParser parser(limits);
  const std::string whole = restgate::http1::test::feed_head(parser, input, {});
  const std::string expected = restgate::http1::reference::parse_request(input, limits);
  if (expected != whole.substr(0, expected == "failed" ? 6 : std::string::npos)) differ("reference", expected, whole);
  const size_t step = 1 + input.size() / 8;  // the fuzzer moves the cuts by the length
  for (size_t cut = 0; cut < input.size(); cut += step) {
    parser.reset();
    const std::string split = restgate::http1::test::feed_head(parser, input, {cut});
    if (split != whole) differ("split", whole, split);
  }
  parser.reset();
  const std::string bytes =
      restgate::http1::test::feed_head(parser, input, restgate::http1::test::every_byte(input.size()));
  if (bytes != whole) differ("bytes", whole, bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  check(input, Limits{});
  check(input, Limits{.max_head_bytes = 200, .max_fields = 4, .max_target_bytes = 24});
  return 0;
}
