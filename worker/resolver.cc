#include "worker/resolver.h"

#include <event2/event.h>
#include <sys/stat.h>

#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "common/platform/sockets.h"
#include "worker/dns_channel.h"
#include "worker/hosts_file.h"

namespace restgate::worker {
namespace {

/// Hosts files carry no TTL: so soon is a change seen.
constexpr uint32_t kHostsTtlS = 5;

/// Tells whether a file has changed, at most every `period`.
class FileWatch {
 public:
  FileWatch(std::string path, std::chrono::milliseconds period) : path_(std::move(path)), period_(period) {}

  /// True at the first call, and whenever another file or content is there since the last one.
  bool changed(int64_t now_ms) {
    if (now_ms < next_look_ms_) return false;
    const bool first = next_look_ms_ == 0;
    next_look_ms_ = now_ms + period_.count();
    struct stat st {};
    const Stamp seen = stat(path_.c_str(), &st) == 0
                           ? Stamp{st.st_dev, st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec}
                           : Stamp{};
    return !(std::exchange(stamp_, seen) == seen) || first;
  }

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = -1;
    time_t seconds = 0;
    long nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  std::string path_;
  std::chrono::milliseconds period_;
  int64_t next_look_ms_ = 0;
  Stamp stamp_;
};

/// Without repetitions, and with the two families in turns.
std::vector<Address> arrange(const std::vector<Address>& addresses) {
  std::vector<Address> families[2];
  for (const Address& address : addresses) {
    auto& family = families[address.is_ipv6() ? 0 : 1];
    if (std::find(family.begin(), family.end(), address) == family.end()) family.push_back(address);
  }
  std::vector<Address> arranged;
  for (size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i)
    for (const auto& family : families)
      if (i < family.size()) arranged.push_back(family[i]);
  return arranged;
}

/// A machine without IPv6 would lose its first attempts to a name that has such addresses.
void drop_unreachable(std::vector<Address>& addresses) {
  std::vector<Address> reachable;
  std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(reachable), platform::has_route);
  if (!reachable.empty()) addresses = std::move(reachable);
}

/// One resolve(): holds the outcome until the loop calls it out.
class PendingLookup final : public Resolver::Lookup, public DnsChannel::Asker {
 public:
  PendingLookup(EventLoop& loop, Resolver::Callback done) : done_(std::move(done)) {
    event_.reset(event_new(
        loop.base(), -1, 0, [](evutil_socket_t, short, void* self) { static_cast<PendingLookup*>(self)->call_out(); },
        this));
    if (!event_) throw std::bad_alloc();
  }
  PendingLookup(const PendingLookup&) = delete;
  PendingLookup& operator=(const PendingLookup&) = delete;

  /// The outcome is here; the callback follows in the loop, without a system call.
  void on_answer(Resolution resolution) override {
    outcome_ = std::move(resolution);
    outcome_.addresses = arrange(outcome_.addresses);
    drop_unreachable(outcome_.addresses);
    event_active(event_.get(), EV_TIMEOUT, 0);
  }

 private:
  void call_out() {
    // The callback may destroy this.
    const Resolver::Callback done = std::move(done_);
    const Resolution outcome = std::move(outcome_);
    done(outcome);
  }

  Resolver::Callback done_;
  Resolution outcome_;
  EventPtr event_;
};

}  // namespace

class Resolver::Impl {
 public:
  Impl(EventLoop& loop, ResolverSettings settings)
      : loop_(loop),
        settings_(std::move(settings)),
        hosts_watch_(settings_.hosts, settings_.file_check),
        resolv_conf_watch_(settings_.resolv_conf, settings_.file_check) {
    ares_library_init(ARES_LIB_INIT_ALL);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    retired_.clear();
    channel_.reset();
    ares_library_cleanup();
  }

  std::unique_ptr<Lookup> resolve(const std::string& host, Callback done) {
    auto lookup = std::make_unique<PendingLookup>(loop_, std::move(done));
    if (const auto literal = Address::parse(host, 0))
      lookup->on_answer({{*literal}, Resolution::kNoExpiry, ""});
    else if (auto found = hosts().find(without_final_dot(host)); !found.empty())
      lookup->on_answer({std::move(found), kHostsTtlS, ""});
    else
      channel().resolve(host, *lookup);
    return lookup;
  }

 private:
  static std::string_view without_final_dot(std::string_view host) {
    if (host.ends_with('.')) host.remove_suffix(1);
    return host;
  }

  const HostsFile& hosts() {
    if (hosts_watch_.changed(loop_.now_ms())) hosts_ = HostsFile::read(settings_.hosts);
    return hosts_;
  }

  DnsChannel& channel() {
    std::erase_if(retired_, [](const auto& retired) { return retired->quiet(); });
    if (resolv_conf_watch_.changed(loop_.now_ms()) || !channel_) {
      if (channel_) retired_.push_back(std::move(channel_));  // its queries end in their own time
      channel_ = std::make_unique<DnsChannel>(loop_, settings_);
    }
    return *channel_;
  }

  EventLoop& loop_;
  ResolverSettings settings_;
  FileWatch hosts_watch_;
  FileWatch resolv_conf_watch_;
  HostsFile hosts_;
  std::unique_ptr<DnsChannel> channel_;
  std::vector<std::unique_ptr<DnsChannel>> retired_;
};

Resolver::Resolver(EventLoop& loop, ResolverSettings settings)
    : impl_(std::make_unique<Impl>(loop, std::move(settings))) {}
Resolver::~Resolver() = default;

std::unique_ptr<Resolver::Lookup> Resolver::resolve(const std::string& host, Callback done) {
  return impl_->resolve(host, std::move(done));
}

}  // namespace restgate::worker
