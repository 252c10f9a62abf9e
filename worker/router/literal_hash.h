// The hash of a step from a node of the Trie to its child; folded from the root on, that of a node's whole path. What
// may collide is the configuration's own text, never what a client sends: the table does not change after its making.
// Any process that has a Router.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace restgate::worker::router {

inline constexpr uint64_t kRootHash = 0x51D3C6A9B4E20F87;

namespace detail {

inline constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio: spreads consecutive numbers

inline uint64_t mixed(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * kOdd;
  return hash ^ (hash >> 32);
}

template <typename Word>
uint64_t load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace detail

/// By a literal. The high bits choose the place in the table, the low ones are its tag.
inline uint64_t literal_hash(uint64_t parent, std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  uint64_t hash = detail::mixed(std::rotl(parent, 23), left);
  for (; left > 8; at += 8, left -= 8) hash = detail::mixed(hash, detail::load<uint64_t>(at));
  uint64_t last = 0;  // the rest in two words that may overlap, so that all of it counts
  if (left >= 4)
    last = detail::load<uint32_t>(at) << 32 | detail::load<uint32_t>(at + left - 4);
  else if (left > 0)
    last = detail::load<uint8_t>(at) << 16 | detail::load<uint8_t>(at + left / 2) << 8 |
           detail::load<uint8_t>(at + left - 1);
  return detail::mixed(hash, last) * detail::kOdd;
}

/// By a wildcard: 0 for {x}, the regex's index + 1 for {x:regex}.
inline uint64_t wildcard_hash(uint64_t parent, uint64_t which) {
  return (std::rotl(parent, 23) ^ ~which) * detail::kOdd;
}

}  // namespace restgate::worker::router
