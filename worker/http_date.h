// HttpDate: the present time as a Date field tells it (RFC 9110 §5.6.7, §6.6.1), formatted once a second. Worker; owned
// by the Context.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace restgate::worker {

class HttpDate {
 public:
  /// IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT". `now_ms` is the loop's clock: it tells when to look at the wall's
  /// again. Valid until the next call.
  [[nodiscard]] std::string_view text(int64_t now_ms) {
    if (now_ms >= good_until_ms_) format(now_ms);
    return {text_.data(), kSize};
  }

 private:
  static constexpr size_t kSize = 29;
  void format(int64_t now_ms);

  int64_t good_until_ms_ = 0;
  std::array<char, kSize + 1> text_{};  // with the NUL of strftime()
};

}  // namespace restgate::worker
