// The hash of a literal edge: parent node and segment text. Any process that has a Router.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace restgate::worker::router {

/// The high bits choose the place in the table, the low ones are its tag.
inline uint64_t literal_hash(uint32_t parent, std::string_view segment) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio: spreads consecutive numbers
  return (std::hash<std::string_view>{}(segment) + parent) * kOdd;
}

}  // namespace restgate::worker::router
