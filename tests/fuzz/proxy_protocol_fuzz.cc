// parse_proxy_header() against its reference, and in every piece: a header is waited for until it is whole, what was
// refused stays refused whatever comes, and what follows a header changes nothing.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "worker/proxy_protocol.h"
#include "worker/reference_proxy_header.h"

namespace {

using restgate::worker::kMaxProxyHeader;
using restgate::worker::parse_proxy_header;
using restgate::worker::ProxyHeader;
using restgate::worker::reference::whole_header;
using Verdict = ProxyHeader::Verdict;

void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "differs: %s\n", what);
  std::abort();
}

std::string client_of(const ProxyHeader& header) {
  return header.client ? header.client->to_string() : "";
}

void check_against_reference(const std::string& input, const ProxyHeader& got) {
  const auto expected = whole_header(input);
  require(expected.has_value() == (got.verdict == Verdict::Done), "accepted or not");
  if (!expected) return;
  require(got.length == expected->length, "length");
  require(client_of(got) == expected->client, "client");
}

/// `got` is the verdict on all of `input`.
void check_pieces(const std::string& input, const ProxyHeader& got) {
  const size_t step = 1 + input.size() / 64;  // the fuzzer moves the cuts by the length
  bool refused = false;
  for (size_t size = 0; size < input.size(); size += step) {
    const ProxyHeader part = parse_proxy_header(input.substr(0, size));
    require(!refused || part.verdict == Verdict::Malformed, "a refusal holds");
    refused = part.verdict == Verdict::Malformed;
    const bool whole = got.verdict == Verdict::Done && size >= got.length;
    require((part.verdict == Verdict::Done) == whole, "done when all of it is there");
    if (whole) require(part.length == got.length && client_of(part) == client_of(got), "what follows changes nothing");
    if (got.verdict == Verdict::Done) require(!refused, "refused too early");
  }
  if (refused) require(got.verdict == Verdict::Malformed, "a refusal holds to the end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const ProxyHeader got = parse_proxy_header(input);
  check_against_reference(input, got);
  check_pieces(input, got);
  if (got.verdict == Verdict::NeedMore) require(size < kMaxProxyHeader, "bounded");
  const ProxyHeader more = parse_proxy_header(input + "GET / HTTP/1.1\r\n\r\n");
  if (got.verdict == Verdict::Done) require(more.length == got.length && client_of(more) == client_of(got), "more");
  if (got.verdict == Verdict::Malformed) require(more.verdict == Verdict::Malformed, "a refusal holds with more");
  return 0;
}
