#include "worker/body.h"

#include <array>
#include <charconv>
#include <cstring>

namespace restgate::worker {

using http1::BodyKind;

void BodyReader::start(BodyKind kind, uint64_t content_length) {
  kind_ = kind;
  remaining_ = content_length;
  bytes_ = 0;
  done_ = kind == BodyKind::None || (kind == BodyKind::Length && content_length == 0);
  if (kind == BodyKind::Chunked) chunked_.reset();
}

BodyReader::Step BodyReader::step(const char* begin, const char* end) {
  const auto available = static_cast<size_t>(end - begin);
  if (done_) return {Event::End, 0, {}};
  if (kind_ == BodyKind::Chunked) {
    Step step = chunked_.step(begin, end);
    bytes_ += step.data.size();
    done_ = step.event == Event::End;
    return step;
  }
  if (available == 0) return {Event::NeedMore, 0, {}};
  size_t take = available;
  if (kind_ == BodyKind::Length) {
    if (take > remaining_) take = static_cast<size_t>(remaining_);
    remaining_ -= take;
    done_ = remaining_ == 0;
  }
  bytes_ += take;
  return {Event::Data, take, {begin, take}};
}

bool BodyReader::end_of_file() {
  if (kind_ != BodyKind::UntilClose) return done_;
  done_ = true;
  return true;
}

namespace {

/// Space for "ffffffffffffffff\r\n".
using ChunkHead = std::array<char, 18>;

std::string_view chunk_head(ChunkHead& space, size_t size) {
  char* end = std::to_chars(space.data(), space.data() + 16, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  return {space.data(), static_cast<size_t>(end - space.data())};
}

/// Puts our framing around the only piece of a chunk, in the place of the sender's: one piece is cheaper to write than
/// three. `used` is the end of what has been read of `in`. False: there is no room.
bool frame_in_place(Buffer& in, const char* used, std::string_view& piece) {
  ChunkHead space;
  const std::string_view head = chunk_head(space, piece.size());
  constexpr std::string_view kEnd = "\r\n";
  const char* const end = piece.data() + piece.size();
  if (piece.data() < in.begin() + head.size() || used < end + kEnd.size()) return false;
  char* const framed = in.room() - (in.end() - piece.data()) - head.size();
  std::memcpy(framed, head.data(), head.size());
  std::memcpy(framed + head.size() + piece.size(), kEnd.data(), kEnd.size());
  piece = {framed, head.size() + piece.size() + kEnd.size()};
  return true;
}

// Pieces of one chunk that we make of several of the sender's; leaves room for the head, our framing and the end.
constexpr size_t kPiecesPerChunk = Outbox::kMaxPieces - 6;

}  // namespace

void add_last_chunk(Outbox& to, std::string_view trailers) {
  to.add_small("0\r\n");
  to.add(trailers);
  to.add_small("\r\n");
}

BodyProgress pump_body(BodyReader& reader, Buffer& from, Outbox& to, BodyFraming framing) {
  std::array<std::string_view, kPiecesPerChunk> pieces;
  size_t count = 0;
  size_t total = 0;
  bool ended = reader.done();
  const char* at = from.begin();
  while (!ended && count < pieces.size()) {
    const BodyReader::Step step = reader.step(at, from.end());
    at += step.used;
    if (step.event == BodyReader::Event::Failed) return BodyProgress::Malformed;
    if (!step.data.empty()) {
      pieces[count++] = step.data;
      total += step.data.size();
    }
    ended = reader.done();
    if (step.event == BodyReader::Event::NeedMore) break;
  }
  const bool needs_frame = framing.chunked && !(count == 1 && frame_in_place(from, at, pieces[0]));
  // The bytes stay where they are until the outbox has been flushed; nothing is read into the buffer before that.
  from.consume(static_cast<size_t>(at - from.begin()));
  if (total > 0) {
    ChunkHead space;
    if (needs_frame) to.add_small(chunk_head(space, total));
    for (size_t i = 0; i < count; ++i) to.add(pieces[i]);
    if (needs_frame) to.add_small("\r\n");
  }
  if (ended) {
    if (framing.chunked) add_last_chunk(to, framing.trailers ? reader.trailers() : std::string_view());
    return BodyProgress::Ended;
  }
  return total > 0 ? BodyProgress::Produced : BodyProgress::NeedInput;
}

}  // namespace restgate::worker
