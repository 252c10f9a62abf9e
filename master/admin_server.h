// AdminServer: /healthz, /readyz, /metrics, /version, /status, the page and its events over HTTP; where it is offered,
// POST /reload. Master; libevhtp is hidden behind it.
//
// It shares the event loop with the supervision, so nothing in it waits, and everything that a client can make it hold
// is bounded: connections, bytes of a request, time for a request, for a response and in between, large responses in
// flight. What the answers say comes from handlers that the master gives.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "master/admin_connection.h"

struct evhtp;
struct evconnlistener;

namespace restgate::master {

struct Readiness {
  bool ready = false;
  std::string reason;  ///< why not, in a sentence; shown to the client
};

/// A page and what it may do: a Content-Security-Policy, which lives as long as the program.
struct PageView {
  std::shared_ptr<const std::string> html;
  const char* content_policy;
};

/// Called on the event loop's thread, one for each request; must not block. readiness, metrics (or metrics_later with
/// abandon_metrics) and version are required.
struct AdminHandlers {
  std::function<Readiness()> readiness;
  std::function<std::shared_ptr<const std::string>()> metrics;  ///< text exposition format 0.0.4
  /// In place of `metrics`, when it takes a while: `done` is called later, once, or the ticket abandoned.
  std::function<uint64_t(std::function<void(std::shared_ptr<const std::string>)> done)> metrics_later{};
  std::function<void(uint64_t ticket)> abandon_metrics{};
  std::function<std::string()> version;                          ///< a JSON object
  std::function<std::shared_ptr<const std::string>()> status{};  ///< likewise. Empty: not offered here

  /// The page; empty: not offered here, as the following ones.
  std::function<PageView()> page{};
  /// What a client of /events gets first, complete in itself; what follows comes by AdminServer::publish().
  std::function<std::shared_ptr<const std::string>()> greeting{};

  /// Whether a request with this Authorization field may have what is not for everybody. Empty: everybody may.
  std::function<bool(std::string_view authorization)> authorized{};

  /// Asks for a reload from `file` ("": the one in use); `answer` is called later, once. Empty: not offered here.
  std::function<uint64_t(std::string file, std::function<void(AdminResponse)> answer)> reload{};
  /// The client has gone: `answer` of this ticket must not be called any more.
  std::function<void(uint64_t ticket)> abandon_reload{};
};

class AdminServer final : private AdminConnectionOwner {
 public:
  /// Serves what comes to `listener`, a socket that listens and does not block, until destroyed. The loop outlives it.
  AdminServer(EventLoop& loop, UniqueFd listener, AdminHandlers handlers, const AdminLimits& limits = {});
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;
  ~AdminServer();

  /// Accepts no more, and closes each connection once it has the answer that it waits for.
  void retire();
  [[nodiscard]] size_t connections() const { return connections_.size(); }
  /// Whether a client would miss something if all connections ended now.
  [[nodiscard]] bool busy() const;
  /// While held, new connections wait in the listening socket's queue, for this server or for whoever serves it next.
  void hold(bool held);
  /// Goes to all clients of /events; who has missed something gets the greeting in its place.
  void publish(const std::shared_ptr<const std::string>& events);
  [[nodiscard]] size_t streams() const;
  /// Ends them all: who watches has to ask again, and may then not be allowed to.
  void end_streams();
  /// The socket that it serves; stays its own.
  [[nodiscard]] int listener() const;

 private:
  struct HtpDeleter {
    void operator()(evhtp* htp) const;
  };

  std::optional<AdminResponse> answer(AdminConnection& connection, const AdminRequest& request) override;
  void forget(AdminConnection& connection) override;

  [[nodiscard]] bool known(std::string_view path) const;
  [[nodiscard]] AdminResponse get(const AdminRequest& request);
  [[nodiscard]] AdminResponse page() const;
  [[nodiscard]] AdminResponse events(const AdminRequest& request);
  /// What may be large: only so many at a time.
  [[nodiscard]] AdminResponse large(const char* content_type,
                                    const std::function<std::shared_ptr<const std::string>()>& text);
  void scrape(AdminConnection& connection);
  [[nodiscard]] std::optional<AdminResponse> reload(AdminConnection& connection, const AdminRequest& request);
  [[nodiscard]] bool accept(evhtp_connection* connection);
  [[nodiscard]] bool make_room();
  void sweep();
  void pause_accepting();
  void resume_accepting();

  EventLoop& loop_;
  AdminHandlers handlers_;
  AdminLimits limits_;
  std::unordered_map<AdminConnection*, std::unique_ptr<AdminConnection>> connections_;
  std::unordered_map<AdminConnection*, uint64_t> reloads_;   ///< tickets of those that wait for a verdict
  std::unordered_map<AdminConnection*, uint64_t> scrapes_;   ///< likewise for metrics
  std::vector<std::unique_ptr<AdminConnection>> graveyard_;  ///< closed, perhaps still on the call stack
  TimerEvent sweep_timer_;
  TimerEvent accept_timer_;
  bool held_ = false;
  uint64_t accepted_ = 0;
  std::unique_ptr<evhtp, HtpDeleter> htp_;
};

}  // namespace restgate::master
