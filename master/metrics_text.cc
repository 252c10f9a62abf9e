#include "master/metrics_text.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "common/platform/program.h"

namespace restgate::master {

MetricsText::MetricsText(EventLoop& loop, std::function<Render()> gather, std::function<Clock::time_point()> now)
    : loop_(loop),
      gather_(std::move(gather)),
      now_(std::move(now)),
      ready_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      again_(loop, [this] { finish(); }) {
  if (!ready_ || !event_.start_reading(loop_, ready_.get(), *this)) std::abort();  // no descriptors at the start
}

MetricsText::~MetricsText() {
  if (thread_.joinable()) thread_.join();
}

uint64_t MetricsText::ask(Done done) {
  waiting_.push_back({++last_ticket_, std::move(done)});
  if (!busy_) begin();
  return last_ticket_;
}

void MetricsText::abandon(uint64_t ticket) {
  for (std::vector<Asker>* askers : {&waiting_, &served_})
    std::erase_if(*askers, [ticket](const Asker& asker) { return asker.ticket == ticket; });
}

void MetricsText::begin() {
  busy_ = true;
  served_ = std::exchange(waiting_, {});
  if (text_ != nullptr && took_ > kCheap && now_() - finished_ < took_ * kRest)
    return again_.arm(std::chrono::microseconds(0));
  const Render next = gather_();
  // The process's signals are the loop's, while a fault in the thread is to leave its stack in the log.
  const platform::SignalsHeld held;
  try {
    thread_ = std::thread([this, next] { render(next); });
  } catch (const std::system_error&) {
    render(next);  // no thread is to be had: rather late than never
  }
}

void MetricsText::render(const Render& next) {
  const Clock::time_point begun = now_();
  rendered_ = std::make_shared<const std::string>(next());
  rendered_in_ = now_() - begun;
  eventfd_write(ready_.get(), 1);
}

void MetricsText::on_io(IoReady /*ready*/) {
  eventfd_t count = 0;
  if (eventfd_read(ready_.get(), &count) != 0) return;
  if (thread_.joinable()) thread_.join();
  text_ = std::move(rendered_);
  took_ = rendered_in_;
  finished_ = now_();
  finish();
}

void MetricsText::finish() {
  tell(served_);
  busy_ = false;
  if (!waiting_.empty()) begin();
}

/// One by one: who is told may go away, and take others along.
void MetricsText::tell(std::vector<Asker>& askers) {
  const Text text = text_;
  while (!askers.empty()) {
    const Asker next = std::move(askers.back());
    askers.pop_back();
    next.done(text);
  }
}

}  // namespace restgate::master
