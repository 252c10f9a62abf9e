#include "integration/torture/course.h"

namespace restgate::itest::torture {

Stream Course::connect() const {
  const uint16_t port = port_;
  try {
    return Stream::connect_to(address_, port);
  } catch (const StreamFailure& failure) {
    const uint16_t next = next_port_;
    if (failure.cause() != StreamFailure::Cause::Refused || next == 0 || next == port) throw;
    return Stream::connect_to(address_, next);
  }
}

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
