// DnsChannel: c-ares on an EventLoop; one reading of resolv.conf. Worker; internal to the Resolver.
#pragma once

#include <ares.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "common/event_loop.h"
#include "worker/resolver.h"

namespace restgate::worker {

class DnsChannel {
 private:
  struct Query;

 public:
  /// Who asks. When it goes first, the query runs on to its end for nobody.
  class Asker {
   public:
    /// Called once, maybe from within resolve(), or when the channel is destroyed. Must neither destroy the channel nor
    /// call it.
    virtual void on_answer(Resolution resolution) = 0;

   protected:
    Asker() = default;
    ~Asker();

   private:
    friend class DnsChannel;
    Query* query_ = nullptr;
  };

  DnsChannel(EventLoop& loop, const ResolverSettings& settings);
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;
  ~DnsChannel();

  /// Asks for the IPv6 and IPv4 addresses of a name.
  void resolve(const std::string& host, Asker& asker);
  /// No query is under way.
  [[nodiscard]] bool quiet() const { return queries_ == 0; }

 private:
  struct Query {
    DnsChannel& channel;
    Asker* asker;  // null: it is gone
  };
  struct AresDeleter {
    void operator()(ares_channel channel) const { ares_destroy(channel); }
  };

  static void on_answer(void* query, int status, int timeouts, ares_addrinfo* result);
  static void on_socket_change(void* self, ares_socket_t fd, int readable, int writable);
  static void on_socket_event(int fd, short what, void* self);
  void process(ares_socket_t readable, ares_socket_t writable);
  void arm_timer();

  EventLoop& loop_;
  size_t queries_ = 0;
  std::string error_;  // why there is no channel
  std::unordered_map<ares_socket_t, EventPtr> events_;
  TimerEvent timer_;
  std::unique_ptr<ares_channeldata, AresDeleter> channel_;  // destroyed first: it tells its end to the others
};

}  // namespace restgate::worker
