#include "integration/support/load.h"

#include <utility>

#include "integration/support/stream.h"

namespace restgate::itest {

Load::Load(LoadOptions options) : options_(std::move(options)) {
  for (size_t i = 0; i < options_.clients; ++i) threads_.emplace_back([this] { run(); });
}

Load::~Load() {
  stop();
}

void Load::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Load::ask(Stream& stream) {
  if (!stream.open()) stream = Stream::connect(options_.port);
  const Message answer = stream.exchange(options_.request);
  if (answer.status() != 200 || answer.body != options_.expected_body)
    throw Failure("answered " + printable(answer.raw_head + answer.body));
  ++answered_;
  if (options_.fresh_connections || answer.lists("Connection", "close")) stream.close();
}

void Load::run() {
  Stream stream;
  while (!stopping_) {
    try {
      ask(stream);
    } catch (const Failure& failure) {
      stream.close();
      ++lost_;
      if (options_.forgive_lost) continue;
      const std::lock_guard lock(mutex_);
      failures_ += std::string(failure.what()) + "\n";
      return;
    }
  }
}

void Load::await_more(size_t requests) const {
  const size_t target = answered_ + requests;
  const bool reached = eventually([&] { return answered_ >= target || (!options_.forgive_lost && lost_ > 0); });
  if (!reached) throw Failure("the load does not get on: " + std::to_string(answered_) + " answers");
}

std::string Load::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace restgate::itest
