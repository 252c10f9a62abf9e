#include "worker/lookout.h"

#include "worker/connection.h"

namespace restgate::worker {

void Lookout::add(Connection& connection) {
  if (watched_.empty()) timers_.set(*this, loop_.now_ms() + kPeriodMs);
  watched_.push_back(&connection);
  connection.lookout_place_ = static_cast<uint32_t>(watched_.size());
}

void Lookout::forget(Connection& connection) {
  Connection* const last = watched_.back();
  watched_[connection.lookout_place_ - 1] = last;
  last->lookout_place_ = connection.lookout_place_;
  watched_.pop_back();
  connection.lookout_place_ = 0;
}

void Lookout::on_deadline() {
  question_.clear();
  for (const Connection* connection : watched_) question_.push_back({connection->transport_.fd(), 0, 0});
  if (::poll(question_.data(), question_.size(), 0) < 0) {  // a signal; or the kernel is short of memory
    timers_.set(*this, loop_.now_ms() + kPeriodMs);
    return;
  }
  failed_.clear();
  for (size_t i = 0; i < watched_.size(); ++i) {
    watched_[i]->lookout_place_ = 0;
    if (question_[i].revents != 0) failed_.push_back(watched_[i]);
  }
  watched_.clear();
  // One may end others, which are in the graveyard then; and it may come back to the list.
  for (Connection* connection : failed_) connection->on_io({.readable = true, .writable = false, .peer_closed = true});
}

}  // namespace restgate::worker
