#include "master/service_notifier.h"

#include <ctime>
#include <utility>

#include "common/log.h"
#include "common/platform/inherited_listener.h"
#include "master/given_sockets.h"

namespace restgate::master {
namespace {

constexpr std::string_view kAlive = "WATCHDOG=1";
constexpr std::chrono::milliseconds kRetry{50};
/// A manager that takes nothing for so long is told no more; its patience has ended long before.
constexpr size_t kMostWaiting = 1'024;

/// CLOCK_MONOTONIC, as the manager compares it with the moment at which it asked for the reload.
std::string reloading_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000);
}

bool is_ready(const ServiceState& state) {
  return state.serving && !state.reloading && !state.stopping;
}

}  // namespace

ServiceNotifier::ServiceNotifier(EventLoop& loop, const platform::ServiceEnvironment& environment)
    : watchdog_(loop, [this] { say(std::string(kAlive)); }), retry_(loop, [this] { flush(); }) {
  for (const platform::GivenDescriptor& given : environment.descriptors)
    if (is_stored_name(given.name)) stored_.insert(given.name);
  if (environment.notify_socket.empty()) return;
  auto opened = platform::NotifySocket::open(environment.notify_socket);
  if (!opened) {
    log::warn("the service manager is not told of this gateway's state", {{"error", opened.error().message}});
    return;
  }
  socket_ = std::move(opened).value();
  if (environment.watchdog.count() == 0) return;
  say(std::string(kAlive));  // also in a program that goes on where another one left off
  watchdog_.arm_every(environment.watchdog / 2);
  watched_ = true;
}

void ServiceNotifier::tell(const ServiceState& now, std::span<const std::unique_ptr<ListenerSet>> listeners) {
  if (!active()) return;
  if (!now.stopping) tell_of_sockets(listeners);
  const bool reload_begun = now.reloads != told_.reloads && told_.serving;
  if (reload_begun) say(reloading_now());
  std::string message;
  if (now.stopping && !told_.stopping)
    message = "STOPPING=1";
  else if (is_ready(now) && (reload_begun || !is_ready(told_)))
    message = "READY=1";
  if (now.status != told_.status) message += (message.empty() ? "STATUS=" : "\nSTATUS=") + now.status;
  if (!message.empty()) say(std::move(message));
  told_ = now;
}

void ServiceNotifier::announce_upgrade() {
  if (watched_) say(std::string(kAlive));  // becoming it takes a moment
  told_.status = "upgrading the program";
  told_.reloading = true;
  say(reloading_now() + "\nSTATUS=" + told_.status);
}

void ServiceNotifier::tell_of_sockets(std::span<const std::unique_ptr<ListenerSet>> listeners) {
  std::set<std::string> gone = std::exchange(stored_, {});
  for (const auto& set : listeners) {
    for (const ListenerSet::Slot& slot : set->all()) {
      if (slot.name.empty()) continue;
      if (gone.erase(slot.name) == 0) say("FDSTORE=1\nFDNAME=" + slot.name, slot.fd.get());
      stored_.insert(slot.name);
    }
  }
  for (const std::string& name : gone) say("FDSTOREREMOVE=1\nFDNAME=" + name);
}

void ServiceNotifier::say(std::string message, int passed) {
  if (!active() || waiting_.size() >= kMostWaiting) return;
  Waiting next{std::move(message), {}};
  if (waiting_.empty() && socket_->send(next.message, passed) != platform::NotifySocket::Sent::Later) return;
  if (passed >= 0) {
    if (auto copy = platform::duplicate(passed)) next.passed = std::move(copy).value();
  }
  waiting_.push_back(std::move(next));
  retry_.arm(kRetry);
}

/// In the order in which it was said.
void ServiceNotifier::flush() {
  while (!waiting_.empty()) {
    if (socket_->send(waiting_.front().message, waiting_.front().passed.get()) == platform::NotifySocket::Sent::Later) {
      retry_.arm(kRetry);
      return;
    }
    waiting_.pop_front();
  }
}

}  // namespace restgate::master
