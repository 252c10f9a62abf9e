#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/log.h"
#include "worker/resolver.h"

namespace restgate::worker {
namespace {

using std::chrono::seconds;

constexpr uint32_t kMinTtlS = 1;
constexpr uint32_t kMaxTtlS = 3'600;
constexpr uint32_t kMaxRetryS = 30;
constexpr auto kMaxWaitForRefresh = seconds(1);

seconds retry_delay(uint32_t failures) {
  return seconds(std::min(uint32_t{1} << std::min(failures - 1, 5U), kMaxRetryS));
}

}  // namespace

EndpointSet::Waiter::Waiter(EndpointSet& set, std::function<void()> on_answer)
    : set_(&set), on_answer_(std::move(on_answer)), place_(set.waiters_.insert(set.waiters_.end(), this)) {}

EndpointSet::Waiter::~Waiter() {
  if (set_ != nullptr) set_->waiters_.erase(place_);
}

EndpointSet::EndpointSet(Resolver& resolver, EventLoop& loop, std::string host, uint16_t port)
    : resolver_(resolver),
      host_(std::move(host)),
      port_(port),
      turn_(static_cast<size_t>(getpid())),  // the workers do not all begin with the same address
      refresh_timer_(loop, [this] { on_refresh_timer(); }),
      wake_timer_(loop, [this] { wake_waiters(); }) {
  if (const auto literal = Address::parse(host_, port_)) {
    addresses_.push_back(*literal);
    state_ = State::Ok;
    answered_ = true;
    return;
  }
  look_up();
}

EndpointSet::~EndpointSet() {
  for (Waiter* waiter : waiters_) waiter->set_ = nullptr;
}

bool EndpointSet::resolved() {
  used_ = true;
  if (resting_) {
    resting_ = false;
    answered_ = false;
    if (!addresses_.empty()) wake_timer_.arm(kMaxWaitForRefresh);
    look_up();
  }
  return answered_;
}

std::unique_ptr<EndpointSet::Waiter> EndpointSet::wait(std::function<void()> on_answer) {
  if (resolved()) wake_timer_.arm(std::chrono::microseconds(0));
  return std::unique_ptr<Waiter>(new Waiter(*this, std::move(on_answer)));
}

size_t EndpointSet::take_turn() {
  used_ = true;
  return turn_++;
}

const Address* EndpointSet::at(size_t turn) const {
  return addresses_.empty() ? nullptr : &addresses_[turn % addresses_.size()];
}

bool EndpointSet::has(const Address& address) const {
  return std::find(addresses_.begin(), addresses_.end(), address) != addresses_.end();
}

void EndpointSet::look_up() {
  used_ = false;
  lookup_ = resolver_.resolve(host_, [this](const Resolution& resolution) { on_resolution(resolution); });
}

void EndpointSet::on_resolution(const Resolution& resolution) {
  lookup_.reset();
  if (resolution.ok())
    note_success(resolution);
  else
    note_failure(resolution);
  wake_waiters();
}

void EndpointSet::note_success(const Resolution& resolution) {
  if (state_ == State::Failed)
    log::info("a backend's name resolves again", {{"host", host_}, {"addresses", resolution.addresses.size()}});
  std::vector<Address> addresses = resolution.addresses;
  for (Address& address : addresses) address.set_port(port_);
  const bool changed = addresses != std::exchange(addresses_, addresses);
  state_ = State::Ok;
  error_.clear();
  failures_ = 0;
  if (changed) ++version_;
  if (changed && on_change_) on_change_();
  refresh_timer_.arm(seconds(std::clamp(resolution.ttl_s, kMinTtlS, kMaxTtlS)));
}

void EndpointSet::note_failure(const Resolution& resolution) {
  if (state_ != State::Failed || error_ != resolution.error)
    log::warn("cannot resolve a backend's name",
              {{"host", host_}, {"error", resolution.error}, {"stale_addresses", addresses_.size()}});
  state_ = State::Failed;
  error_ = resolution.error;
  ++failures_;
  refresh_timer_.arm(retry_delay(failures_));
  if (on_failure_) on_failure_();
}

void EndpointSet::on_refresh_timer() {
  if (used_)
    look_up();
  else
    resting_ = true;
}

void EndpointSet::wake_waiters() {
  answered_ = true;
  wake_timer_.cancel();
  // Those that come while these are called have their own turn.
  for (size_t left = waiters_.size(); left > 0 && !waiters_.empty(); --left) {
    Waiter* waiter = waiters_.front();
    waiters_.pop_front();
    waiter->set_ = nullptr;
    const auto on_answer = std::move(waiter->on_answer_);
    on_answer();  // may destroy the waiter
  }
}

}  // namespace restgate::worker
