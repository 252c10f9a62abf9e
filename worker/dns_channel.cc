#include "worker/dns_channel.h"

#include <event2/event.h>

#include <algorithm>
#include <utility>

namespace restgate::worker {
namespace {

Resolution failure(int status) {
  Resolution resolution;
  switch (status) {
    case ARES_ENOTFOUND:
      resolution.error = "the name does not exist";
      break;
    case ARES_ENODATA:
      resolution.error = "the name has no addresses";
      break;
    case ARES_EBADNAME:
      resolution.error = "not a valid name";
      break;
    case ARES_ETIMEOUT:
      resolution.error = "no nameserver has answered in time";
      break;
    case ARES_ECONNREFUSED:
      resolution.error = "no nameserver could be reached";
      break;
    default:
      resolution.error = ares_strerror(status);
  }
  return resolution;
}

Resolution answer(const ares_addrinfo& info) {
  Resolution resolution;
  uint32_t ttl = Resolution::kNoExpiry - 1;
  const auto shorten = [&ttl](int seconds) { ttl = std::min(ttl, static_cast<uint32_t>(std::max(seconds, 0))); };
  for (const auto* alias = info.cnames; alias != nullptr; alias = alias->next) shorten(alias->ttl);
  for (const auto* node = info.nodes; node != nullptr; node = node->ai_next) {
    const auto address = Address::from(*node->ai_addr);
    if (!address) continue;
    shorten(node->ai_ttl);
    resolution.addresses.push_back(*address);
  }
  if (resolution.addresses.empty()) return failure(ARES_ENODATA);
  resolution.ttl_s = ttl;
  return resolution;
}

}  // namespace

DnsChannel::DnsChannel(EventLoop& loop, const ResolverSettings& settings)
    : loop_(loop), timer_(loop, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {
  std::string lookups = "b";  // DNS only: the hosts file is the Resolver's
  std::string resolv_conf = settings.resolv_conf;
  ares_options options{};
  options.timeout = static_cast<int>(settings.timeout.count());
  options.tries = settings.tries;
  options.lookups = lookups.data();
  options.resolvconf_path = resolv_conf.data();
  options.sock_state_cb = on_socket_change;
  options.sock_state_cb_data = this;
  ares_channel channel = nullptr;
  int status = ares_init_options(
      &channel, &options,
      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS) {
    channel_.reset(channel);
    if (!settings.nameservers.empty()) status = ares_set_servers_ports_csv(channel, settings.nameservers.c_str());
  }
  if (status == ARES_SUCCESS) return;
  error_ = "cannot use " + settings.resolv_conf + ": " + ares_strerror(status);
  channel_.reset();
}

DnsChannel::~DnsChannel() = default;

DnsChannel::Asker::~Asker() {
  if (query_ != nullptr) query_->asker = nullptr;
}

void DnsChannel::resolve(const std::string& host, Asker& asker) {
  if (!channel_) {
    Resolution resolution;
    resolution.error = error_;
    return asker.on_answer(std::move(resolution));
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ++queries_;
  asker.query_ = new Query{*this, &asker};  // until on_answer()
  ares_getaddrinfo(channel_.get(), host.c_str(), nullptr, &hints, on_answer, asker.query_);
  arm_timer();
}

void DnsChannel::on_answer(void* query, int status, int /*timeouts*/, ares_addrinfo* result) {
  const std::unique_ptr<Query> owned(static_cast<Query*>(query));
  --owned->channel.queries_;
  Resolution resolution = status == ARES_SUCCESS && result != nullptr ? answer(*result) : failure(status);
  if (result != nullptr) ares_freeaddrinfo(result);
  if (owned->asker == nullptr) return;
  owned->asker->query_ = nullptr;
  owned->asker->on_answer(std::move(resolution));
}

void DnsChannel::on_socket_change(void* self, ares_socket_t fd, int readable, int writable) {
  auto* channel = static_cast<DnsChannel*>(self);
  channel->events_.erase(fd);
  if (readable == 0 && writable == 0) return;
  const auto what = static_cast<short>((readable != 0 ? EV_READ : 0) | (writable != 0 ? EV_WRITE : 0) | EV_PERSIST);
  EventPtr created(event_new(channel->loop_.base(), fd, what, on_socket_event, channel));
  if (created && event_add(created.get(), nullptr) == 0) channel->events_.emplace(fd, std::move(created));
}

void DnsChannel::on_socket_event(int fd, short what, void* self) {
  static_cast<DnsChannel*>(self)->process((what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
                                          (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
}

void DnsChannel::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_.get(), readable, writable);
  arm_timer();
}

void DnsChannel::arm_timer() {
  timeval left{};
  if (ares_timeout(channel_.get(), nullptr, &left) == nullptr) return timer_.cancel();
  timer_.arm(std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec));
}

}  // namespace restgate::worker
