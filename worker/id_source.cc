#include "worker/id_source.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

namespace restgate::worker {
namespace {

constexpr int64_t kLookEveryMs = 1'000;

/// Two digits for each byte.
constexpr std::array<char, 512> kHexPairs = [] {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (size_t i = 0; i < 256; ++i) {
    pairs[2 * i] = kDigits[i / 16];
    pairs[2 * i + 1] = kDigits[i % 16];
  }
  return pairs;
}();

/// The lowest `digits` (an even number) hexadecimal digits of the value; returns what comes after them.
char* write_hex(char* to, uint64_t value, unsigned digits) noexcept {
  for (unsigned shift = digits * 4; shift > 0; to += 2) {
    shift -= 8;
    std::memcpy(to, kHexPairs.data() + 2 * ((value >> shift) & 0xFFU), 2);
  }
  return to;
}

}  // namespace

IdSource::IdSource() {
  // The pool is ready long before this runs, and so few bytes come whole.
  if (getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) std::abort();
  if ((state_[0] | state_[1] | state_[2] | state_[3]) == 0) state_[0] = 1;  // the one state that stays as it is
}

int64_t IdSource::unix_ms(int64_t now_ms) noexcept {
  if (now_ms >= look_at_ms_) {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    offset_ms_ = static_cast<int64_t>(wall.tv_sec) * 1000 + wall.tv_nsec / 1'000'000 - now_ms;
    look_at_ms_ = now_ms + kLookEveryMs;
  }
  return now_ms + offset_ms_;
}

void IdSource::write_uuid(char* to, int64_t now_ms) noexcept {
  constexpr uint64_t kVersion = 7;
  constexpr uint64_t kVariant = 2;
  const auto time = static_cast<uint64_t>(unix_ms(now_ms));
  const uint64_t a = random();
  const uint64_t b = random();
  to = write_hex(to, time >> 16U, 8);
  *to++ = '-';
  to = write_hex(to, time & 0xFFFFU, 4);
  *to++ = '-';
  to = write_hex(to, (kVersion << 12U) | (a & 0xFFFU), 4);
  *to++ = '-';
  to = write_hex(to, (kVariant << 14U) | ((a >> 12U) & 0x3FFFU), 4);
  *to++ = '-';
  write_hex(to, b, 12);
}

void IdSource::write_span_id(char* to) noexcept {
  uint64_t id = random();
  while (id == 0) id = random();
  write_hex(to, id, 16);
}

}  // namespace restgate::worker
