#include "integration/support/deadline.h"

#include <cstdlib>
#include <thread>

namespace restgate::itest {

namespace {

int sanitizer_factor() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 4;
#else
  return 1;
#endif
}

}  // namespace

int patience_factor() {
  static const int factor = [] {
    const char* text = std::getenv("RESTGATE_TEST_PATIENCE");
    const int asked = text == nullptr ? 1 : std::atoi(text);
    return sanitizer_factor() * std::clamp(asked, 1, 100);
  }();
  return factor;
}

void pause_between_looks() {
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace restgate::itest
