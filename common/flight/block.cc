#include "common/flight/block.h"

#include <fcntl.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

namespace restgate::flight {
namespace {

using layout::Segment;
using layout::Slot;
using layout::Text;

constexpr int kSizeSeals = F_SEAL_SHRINK | F_SEAL_GROW;
/// More than any worker can have: nonsense.
constexpr uint32_t kMaxUnrecorded = 1U << 24;
constexpr int64_t kMaxMicros = int64_t{1} << 62;

/// A slot's contents as they were at one moment: looked at only after they were copied.
struct Copy {
  uint32_t phase = 0;
  uint32_t route = 0;
  uint32_t service = 0;
  uint8_t body = 0;
  std::array<uint8_t, layout::kTextCount> sizes{};
  uint64_t content_length = 0;
  int64_t started_us = 0;
  int64_t touched_us = 0;
  std::array<char, layout::kTextBytes> text{};
};

Copy copy_of(const Slot& slot) {
  Copy copy;
  copy.phase = slot.phase.load(std::memory_order_acquire);
  copy.route = slot.route;
  copy.service = slot.service;
  copy.body = slot.body;
  copy.sizes = slot.sizes;
  copy.content_length = slot.content_length;
  copy.started_us = slot.started_us;
  copy.touched_us = slot.touched_us.load(std::memory_order_relaxed);
  copy.text = slot.text;
  return copy;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown;
  shown.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      shown += c;
    } else {
      shown += "\\x";
      shown += kHex[byte / 16];
      shown += kHex[byte % 16];
    }
  }
  return shown;
}

bool sensible(const Copy& copy) {
  for (size_t i = 0; i < layout::kTextCount; ++i)
    if (copy.sizes[i] > layout::kTextLimits[i]) return false;
  const auto is_time = [](int64_t us) { return us >= 0 && us <= kMaxMicros; };
  return copy.body < static_cast<uint8_t>(Body::kCount) && is_time(copy.started_us) && is_time(copy.touched_us);
}

/// Nothing when it makes no sense.
std::optional<Flight> flight_of(const Copy& copy) {
  if (copy.phase == static_cast<uint32_t>(Phase::Free) || copy.phase >= static_cast<uint32_t>(Phase::kCount))
    return std::nullopt;
  Flight flight;
  flight.phase = static_cast<Phase>(copy.phase);
  if (flight.phase == Phase::Recording) return flight;  // of its contents nothing is certain
  if (!sensible(copy)) return std::nullopt;
  flight.started_us = copy.started_us;
  flight.touched_us = copy.touched_us;
  const char* at = copy.text.data();
  const auto next = [&](Text which) {
    const size_t size = copy.sizes[static_cast<size_t>(which)];
    at += size;
    return printable({at - size, size});
  };
  flight.client = next(Text::Client);
  if (flight.phase == Phase::ReadingHead) return flight;
  flight.method = next(Text::Method);
  flight.target = next(Text::Target);
  flight.host = next(Text::Host);
  flight.user_agent = next(Text::UserAgent);
  flight.route = copy.route;
  flight.service = copy.service;
  flight.body = static_cast<Body>(copy.body);
  flight.content_length = copy.content_length;
  return flight;
}

/// What counts as a request in flight, as it does in a whole snapshot.
bool is_request(const Copy& copy) {
  if (copy.phase == static_cast<uint32_t>(Phase::Recording)) return true;
  return copy.phase > static_cast<uint32_t>(Phase::ReadingHead) && copy.phase < static_cast<uint32_t>(Phase::kCount) &&
         sensible(copy);
}

bool likelier(const Flight& a, const Flight& b) {
  if (a.suspect != b.suspect) return a.suspect;
  return a.touched_us > b.touched_us;
}

}  // namespace

char* Writer::put_names(std::string_view query, char* out, char* limit) noexcept {
  const auto add = [&](std::string_view text) {
    const size_t room = static_cast<size_t>(limit - out);
    const size_t size = std::min(text.size(), room);
    std::copy_n(text.data(), size, out);
    out += size;
    if (size == text.size()) return true;
    mark_cut(out);
    return false;
  };
  if (!add("?")) return out;
  for (bool first = true;; first = false) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view item = query.substr(0, end);
    const size_t equals = item.find('=');
    if (!first && !add("&")) break;
    if (equals != std::string_view::npos && !add(item.substr(0, equals + 1))) break;
    if (end == query.size()) break;
    query.remove_prefix(end + 1);
  }
  return out;
}

Result<Block> Block::create() {
  Block block;
  Result<UniqueFd> fd = platform::create_memfd("restgate-flights", sizeof(Segment));
  if (!fd) return std::move(fd).error();
  block.fd_ = std::move(fd).value();
  Result<platform::Mapping> mapping =
      platform::Mapping::map(block.fd(), sizeof(Segment), platform::Mapping::Access::ReadWrite);
  if (!mapping) return std::move(mapping).error();
  block.mapping_ = std::move(mapping).value();
  block.writable_ = true;
  new (block.mapping_.bytes().data()) layout::Header;  // the slots are zero, as they have to be
  return block;
}

Result<Block> Block::attach(UniqueFd fd) {
  const Result<size_t> size = platform::file_size(fd.get());
  if (!size) return size.error();
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSizeSeals) != kSizeSeals || *size != sizeof(Segment))
    return Error{"not a flight recorder: no file in memory of its sealed size"};
  Block block;
  block.fd_ = std::move(fd);
  Result<platform::Mapping> mapping =
      platform::Mapping::map(block.fd(), sizeof(Segment), platform::Mapping::Access::ReadOnly);
  if (!mapping) return std::move(mapping).error();
  block.mapping_ = std::move(mapping).value();
  const auto& header = *reinterpret_cast<const layout::Header*>(block.mapping_.bytes().data());
  if (header.magic != layout::kMagic) return Error{"not a flight recorder: wrong magic number"};
  if (header.version != layout::kVersion || header.slots != layout::kSlots)
    return Error{"a flight recorder of another version"};
  return block;
}

Writer Block::writer() const {
  Writer writer;
  if (writable_ && !mapping_.bytes().empty()) writer.segment_ = reinterpret_cast<Segment*>(mapping_.bytes().data());
  return writer;
}

Snapshot Block::snapshot() const {
  Snapshot snapshot;
  if (mapping_.bytes().empty()) return snapshot;
  const auto& segment = *reinterpret_cast<const Segment*>(mapping_.bytes().data());
  const uint32_t at = segment.header.at.load(std::memory_order_relaxed);
  const auto take = [&](uint32_t number) {
    const Copy copy = copy_of(segment.slots[number]);
    if (copy.phase == static_cast<uint32_t>(Phase::Free)) return false;
    std::optional<Flight> flight = flight_of(copy);
    if (!flight || (flight->phase == Phase::ReadingHead) != (number == layout::kInHead)) {
      ++snapshot.damaged;
      return false;
    }
    flight->suspect = number == at;
    snapshot.flights.push_back(std::move(*flight));
    return true;
  };
  if (at == layout::kInHead) take(layout::kInHead);
  for (uint32_t number = layout::kFirstSlot; number < layout::kAllSlots; ++number)
    if (take(number)) ++snapshot.in_flight;
  const uint32_t unrecorded = segment.header.unrecorded.load(std::memory_order_relaxed);
  if (unrecorded <= kMaxUnrecorded)
    snapshot.unrecorded = unrecorded;
  else
    ++snapshot.damaged;
  snapshot.in_flight += snapshot.unrecorded;
  std::stable_sort(snapshot.flights.begin(), snapshot.flights.end(), likelier);
  return snapshot;
}

Snapshot Block::oldest(size_t most) const {
  Snapshot snapshot;
  if (mapping_.bytes().empty()) return snapshot;
  const auto& segment = *reinterpret_cast<const Segment*>(mapping_.bytes().data());
  std::vector<std::pair<int64_t, uint32_t>> begun;
  for (uint32_t number = layout::kFirstSlot; number < layout::kAllSlots; ++number) {
    if (segment.slots[number].phase.load(std::memory_order_relaxed) == static_cast<uint32_t>(Phase::Free)) continue;
    const Copy copy = copy_of(segment.slots[number]);
    if (!is_request(copy)) continue;
    ++snapshot.in_flight;
    if (copy.phase != static_cast<uint32_t>(Phase::Recording)) begun.emplace_back(copy.started_us, number);
  }
  const uint32_t unrecorded = segment.header.unrecorded.load(std::memory_order_relaxed);
  if (unrecorded <= kMaxUnrecorded) snapshot.unrecorded = unrecorded;
  snapshot.in_flight += snapshot.unrecorded;
  const size_t kept = std::min(most, begun.size());
  std::partial_sort(begun.begin(), begun.begin() + static_cast<std::ptrdiff_t>(kept), begun.end());
  begun.resize(kept);
  for (const auto& [started_us, number] : begun) {
    // It may have ended meanwhile, or be another one by now.
    std::optional<Flight> flight = flight_of(copy_of(segment.slots[number]));
    if (flight && flight->phase > Phase::ReadingHead) snapshot.flights.push_back(std::move(*flight));
  }
  return snapshot;
}

}  // namespace restgate::flight
