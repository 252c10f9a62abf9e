// IdSource: new identifiers of requests, traces and spans. Worker; owned by the Context.
//
// Random by a generator of the process's own (xoshiro256**), seeded by the kernel after fork: no two workers make the
// same, and no system call is needed for one. They tell requests apart; they are no secrets.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace restgate::worker {

class IdSource {
 public:
  static constexpr size_t kUuidSize = 36;

  /// Asks the kernel for the seed; aborts if it has none. To be made in the process that uses it.
  IdSource();
  /// For tests: always the same numbers. REQUIRES: not all zero.
  explicit IdSource(const std::array<uint64_t, 4>& seed) : state_(seed) {}

  [[nodiscard]] uint64_t random() noexcept {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Writes a UUID of version 7 (RFC 9562 §5.7), kUuidSize characters. `now_ms`: the loop's clock.
  void write_uuid(char* to, int64_t now_ms) noexcept;
  /// Writes 16 hexadecimal digits, which are not all 0 (W3C Trace Context: a span's id; two of them, a trace's).
  void write_span_id(char* to) noexcept;

 private:
  /// Unix time; looks at the wall's clock once a second.
  [[nodiscard]] int64_t unix_ms(int64_t now_ms) noexcept;

  std::array<uint64_t, 4> state_{};
  int64_t offset_ms_ = 0;   ///< of the wall's clock to the loop's
  int64_t look_at_ms_ = 0;  ///< when to look at it again
};

}  // namespace restgate::worker
