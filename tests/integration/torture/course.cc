#include "integration/torture/course.h"

namespace restgate::itest::torture {

bool Course::pause(std::chrono::milliseconds time) {
  if (time.count() == 0) return !stopped_;
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, time, [this] { return stopped_.load(); });
}

void Course::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
}

}  // namespace restgate::itest::torture
