// Feeds bytes to a parser in pieces, as a connection would, so that a read beyond what has come is seen: the bytes
// that have not come yet are NULs, which no parser takes, and the memory ends with the last one.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "worker/http1/chunked.h"
#include "worker/http1/summary.h"

namespace restgate::http1::test {

/// `cuts`: ascending lengths at which the parser is called before it is called with everything.
template <typename Parser>
std::string feed_head(Parser& parser, std::string_view input, const std::vector<size_t>& cuts) {
  const auto memory = std::make_unique<char[]>(input.size());
  std::fill_n(memory.get(), input.size(), '\0');
  size_t present = 0;
  ParseStatus status = ParseStatus::NeedMore;
  const auto call = [&](size_t length) {
    std::copy(input.begin() + static_cast<std::ptrdiff_t>(present), input.begin() + static_cast<std::ptrdiff_t>(length),
              memory.get() + present);
    present = length;
    status = parser.parse(memory.get(), memory.get() + length);
  };
  for (const size_t cut : cuts) {
    call(cut);
    if (status != ParseStatus::NeedMore) return outcome(parser, status);
  }
  call(input.size());
  return outcome(parser, status);
}

inline std::vector<size_t> every_byte(size_t size) {
  std::vector<size_t> cuts;
  for (size_t i = 0; i < size; ++i) cuts.push_back(i);
  return cuts;
}

struct DecodedBody {
  ChunkedDecoder::Event event = ChunkedDecoder::Event::NeedMore;
  std::string data;
  std::string trailers;
  size_t consumed = 0;
};

/// Decodes `input`, of which the decoder sees what lies between two cuts, in memory of its own.
inline DecodedBody feed_chunked(ChunkedDecoder& decoder, std::string_view input, std::vector<size_t> cuts) {
  using Event = ChunkedDecoder::Event;
  DecodedBody body;
  cuts.push_back(input.size());
  size_t from = 0;
  for (const size_t cut : cuts) {
    const std::vector<char> piece(input.begin() + static_cast<std::ptrdiff_t>(from),
                                  input.begin() + static_cast<std::ptrdiff_t>(cut));
    from = cut;
    const char* at = piece.data();
    const char* const end = at + piece.size();
    do {
      const ChunkedDecoder::Step step = decoder.step(at, end);
      at += step.used;
      body.event = step.event;
      body.consumed += step.used;
      body.data.append(step.data);
    } while (body.event == Event::Data);
    if (body.event != Event::NeedMore) break;
  }
  if (body.event == Event::End) body.trailers = decoder.trailers();
  return body;
}

}  // namespace restgate::http1::test
