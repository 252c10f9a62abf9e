#include "integration/torture/delayed_link.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "integration/support/deadline.h"

namespace restgate::itest::torture {

namespace {

constexpr const char* kInnerAddress = "10.99.0.1";
constexpr const char* kOuterAddress = "10.99.0.2";
constexpr const char* kMask = "255.255.255.0";
constexpr int kQueueLength = 10000;
constexpr size_t kLargestPacket = 65536;

void must(bool done, const char* what) {
  if (!done) throw Failure(std::string(what) + ": " + std::strerror(errno));
}

void set_address(int control, ifreq request, unsigned long operation, const char* text) {
  auto& address = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
  address.sin_family = AF_INET;
  must(::inet_pton(AF_INET, text, &address.sin_addr) == 1 && ::ioctl(control, operation, &request) == 0, "address");
}

void bring_up(int control, ifreq request) {
  must(::ioctl(control, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  must(::ioctl(control, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
}

ifreq named(const char* name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  return request;
}

// Moves the calling thread into a new namespace, with its loopback and a TUN device.
UniqueFd make_namespace(const char* address) {
  must(::unshare(CLONE_NEWNET) == 0, "unshare");
  const UniqueFd control(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  bring_up(control.get(), named("lo"));
  UniqueFd device(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request = named("tun0");
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  must(device && ::ioctl(device.get(), TUNSETIFF, &request) == 0, "/dev/net/tun");
  request.ifr_qlen = kQueueLength;
  must(::ioctl(control.get(), SIOCSIFTXQLEN, &request) == 0, "SIOCSIFTXQLEN");
  set_address(control.get(), named("tun0"), SIOCSIFADDR, address);
  set_address(control.get(), named("tun0"), SIOCSIFNETMASK, kMask);
  bring_up(control.get(), named("tun0"));
  return device;
}

UniqueFd namespace_of_this_thread() {
  return UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

}  // namespace

bool DelayedLink::possible() {
  return ::geteuid() == 0 && ::access("/dev/net/tun", R_OK | W_OK) == 0;
}

DelayedLink::DelayedLink(std::chrono::milliseconds one_way) : one_way_(one_way) {
  std::string trouble;
  std::thread([&] {
    try {
      outer_ = make_namespace(kOuterAddress);
      outer_namespace_ = namespace_of_this_thread();
    } catch (const Failure& failure) {
      trouble = failure.what();
    }
  }).join();
  if (!trouble.empty()) throw Failure(trouble);
  inner_ = make_namespace(kInnerAddress);
  carrier_ = std::thread([this] { carry(); });
}

DelayedLink::~DelayedLink() {
  stopping_ = true;
  carrier_.join();
}

std::string DelayedLink::address() const {
  return kInnerAddress;
}

void DelayedLink::enter_outer() const {
  must(::setns(outer_namespace_.get(), CLONE_NEWNET) == 0, "setns");
}

void DelayedLink::take(const UniqueFd& from, std::deque<Packet>& queue) const {
  std::array<char, kLargestPacket> space;
  while (true) {
    const ssize_t got = ::read(from.get(), space.data(), space.size());
    if (got <= 0) return;
    queue.push_back({Clock::now() + one_way_, std::string(space.data(), static_cast<size_t>(got))});
  }
}

void DelayedLink::deliver(const UniqueFd& to, std::deque<Packet>& queue) {
  while (!queue.empty() && queue.front().due <= Clock::now()) {
    [[maybe_unused]] const ssize_t written = ::write(to.get(), queue.front().bytes.data(), queue.front().bytes.size());
    queue.pop_front();
  }
}

void DelayedLink::carry() {
  std::deque<Packet> inwards;
  std::deque<Packet> outwards;
  std::array<pollfd, 2> entries{pollfd{inner_.get(), POLLIN, 0}, pollfd{outer_.get(), POLLIN, 0}};
  while (!stopping_) {
    Clock::time_point wake = Clock::now() + std::chrono::milliseconds(50);
    for (const auto* queue : {&inwards, &outwards})
      if (!queue->empty()) wake = std::min(wake, queue->front().due);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
    ::poll(entries.data(), entries.size(), static_cast<int>(std::max<int64_t>(0, wait.count())));
    take(inner_, outwards);
    take(outer_, inwards);
    deliver(inner_, inwards);
    deliver(outer_, outwards);
  }
}

}  // namespace restgate::itest::torture
