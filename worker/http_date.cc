#include "worker/http_date.h"

#include <ctime>

namespace restgate::worker {

void HttpDate::format(int64_t now_ms) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  // The worker never calls setlocale(): the names are English.
  (void)strftime(text_.data(), text_.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  good_until_ms_ = now_ms + 1000 - now.tv_nsec / 1'000'000;
}

}  // namespace restgate::worker
