#include "master/admin_server.h"

#include <evhtp.h>
#include <fcntl.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace restgate::master {
namespace {

constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* kJsonType = "application/json";
constexpr std::chrono::milliseconds kAcceptPause{100};

AdminResponse text(uint16_t status, std::string body) {
  AdminResponse response;
  response.status = status;
  response.body = std::make_shared<const std::string>(std::move(body) + "\n");
  return response;
}

timeval to_timeval(std::chrono::milliseconds duration) {
  return {.tv_sec = static_cast<time_t>(duration.count() / 1000),
          .tv_usec = static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

}  // namespace

void AdminServer::HtpDeleter::operator()(evhtp* htp) const {
  evhtp_unbind_socket(htp);
  evhtp_free(htp);
}

AdminServer::AdminServer(EventLoop& loop, UniqueFd listener, AdminHandlers handlers, const AdminLimits& limits)
    : loop_(loop),
      handlers_(std::move(handlers)),
      limits_(limits),
      sweep_timer_(loop, [this] { sweep(); }),
      accept_timer_(loop, [this] { resume_accepting(); }),
      htp_(evhtp_new(loop.base(), nullptr)) {
  if (!htp_) throw std::bad_alloc();
  const timeval stall = to_timeval(limits_.stall_timeout);
  evhtp_set_timeouts(htp_.get(), nullptr, &stall);  // reading has its own deadlines, see AdminConnection
  evhtp_set_gencb(htp_.get(), AdminConnection::on_request, nullptr);
  evhtp_set_post_accept_cb(
      htp_.get(),
      [](evhtp_connection* connection, void* self) {
        return static_cast<evhtp_res>(static_cast<AdminServer*>(self)->accept(connection) ? EVHTP_RES_OK
                                                                                          : EVHTP_RES_ERROR);
      },
      this);
  constexpr int kListensAlready = 0;
  if (evhtp_accept_socket(htp_.get(), listener.get(), kListensAlready) != 0)
    throw std::runtime_error("cannot watch the admin port's socket");
  static_cast<void>(listener.release());  // libevhtp's now
  // Without this, a lack of descriptors would make libevent write to stderr and try again for ever.
  evconnlistener_set_error_cb(htp_->server, [](evconnlistener*, void* htp) {
    static_cast<AdminServer*>(static_cast<evhtp*>(htp)->arg)->pause_accepting();
  });
  htp_->arg = this;
}

void AdminServer::retire() {
  accept_timer_.cancel();
  evhtp_unbind_socket(htp_.get());
  std::vector<AdminConnection*> all;
  for (const auto& [connection, owned] : connections_) all.push_back(connection);
  for (AdminConnection* connection : all) connection->finish();
}

AdminServer::~AdminServer() {
  while (!connections_.empty()) connections_.begin()->first->close();
}

bool AdminServer::busy() const {
  return std::any_of(connections_.begin(), connections_.end(), [](const auto& entry) { return entry.first->owed(); });
}

void AdminServer::hold(bool held) {
  held_ = held;
  if (held)
    evconnlistener_disable(htp_->server);
  else
    resume_accepting();
}

int AdminServer::listener() const {
  return evconnlistener_get_fd(htp_->server);
}

bool AdminServer::accept(evhtp_connection* connection) {
  graveyard_.clear();
  if (connections_.size() >= limits_.max_connections && !make_room()) return false;
  const int fd = connection->sock;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // libevhtp does not ask for it, and the master may start another program
  AdminConnectionOwner& owner = *this;
  auto made = std::make_unique<AdminConnection>(loop_, connection, limits_, owner, ++accepted_);
  AdminConnection* key = made.get();
  connections_.emplace(key, std::move(made));
  if (connections_.size() == 1) sweep_timer_.arm_every(std::min(limits_.request_timeout, limits_.idle_timeout) / 4);
  return true;
}

/// Closes the connection that has been there longest without asking for anything. False: all are being answered.
bool AdminServer::make_room() {
  AdminConnection* oldest = nullptr;
  for (const auto& [connection, owned] : connections_)
    if (connection->waiting() && (oldest == nullptr || connection->serial() < oldest->serial())) oldest = connection;
  if (oldest == nullptr) return false;
  oldest->close();
  return true;
}

void AdminServer::forget(AdminConnection& connection) {
  const auto entry = connections_.find(&connection);
  if (entry == connections_.end()) return;
  if (const auto waiting = reloads_.extract(&connection)) handlers_.abandon_reload(waiting.mapped());
  if (const auto waiting = scrapes_.extract(&connection)) handlers_.abandon_metrics(waiting.mapped());
  graveyard_.push_back(std::move(entry->second));
  connections_.erase(entry);
}

void AdminServer::sweep() {
  graveyard_.clear();
  std::vector<AdminConnection*> overdue;
  for (const auto& [connection, owned] : connections_)
    if (connection->overdue(loop_.now_ms())) overdue.push_back(connection);
  for (AdminConnection* connection : overdue) connection->close();
  if (connections_.empty()) sweep_timer_.cancel();
}

void AdminServer::resume_accepting() {
  if (!held_) evconnlistener_enable(htp_->server);
}

void AdminServer::pause_accepting() {
  evconnlistener_disable(htp_->server);
  accept_timer_.arm(kAcceptPause);
}

std::optional<AdminResponse> AdminServer::answer(AdminConnection& connection, const AdminRequest& request) {
  const std::string_view path = request.path;
  if (path == "/reload" && handlers_.reload) return reload(connection, request);
  // What is not there is not told to those who may not look.
  const bool open = path == "/healthz" || path == "/readyz" || path == "/";
  if (!open && handlers_.authorized && !handlers_.authorized(request.authorization)) {
    AdminResponse response = text(401, "a token is needed: Authorization: Bearer ...");
    response.authenticate = "Bearer realm=\"restgate\"";
    return response;
  }
  if (!known(path)) return text(404, "Not Found");
  if (request.method != "GET" && request.method != "HEAD") {
    AdminResponse response = text(405, "Method Not Allowed");
    response.allow = "GET, HEAD";
    return response;
  }
  if (path == "/metrics" && handlers_.metrics_later) {
    scrape(connection);
    return std::nullopt;
  }
  return get(request);
}

bool AdminServer::known(std::string_view path) const {
  return path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/version" ||
         (path == "/status" && handlers_.status) || (path == "/" && handlers_.page) ||
         (path == "/events" && handlers_.greeting);
}

AdminResponse AdminServer::get(const AdminRequest& request) {
  const std::string_view path = request.path;
  if (path == "/healthz") return text(200, "ok");
  if (path == "/readyz") {
    const Readiness readiness = handlers_.readiness();
    return readiness.ready ? text(200, "ok") : text(503, readiness.reason.empty() ? "not ready" : readiness.reason);
  }
  if (path == "/metrics") return large(kMetricsType, handlers_.metrics);
  if (path == "/status") return large(kJsonType, handlers_.status);
  if (path == "/events") return events(request);
  if (path == "/") return page();
  AdminResponse response = text(200, handlers_.version());
  response.content_type = kJsonType;
  return response;
}

AdminResponse AdminServer::page() const {
  const PageView view = handlers_.page();
  AdminResponse response;
  response.content_type = "text/html; charset=utf-8";
  response.body = view.html;
  response.content_policy = view.content_policy;
  return response;
}

AdminResponse AdminServer::events(const AdminRequest& request) {
  if (streams() >= limits_.max_streams) {
    AdminResponse response = text(503, "too many clients are watching");
    response.retry_after = "10";
    return response;
  }
  AdminResponse response;
  response.content_type = "text/event-stream";
  if (request.method == "HEAD") return response;
  response.body = handlers_.greeting();
  response.stream = true;
  return response;
}

size_t AdminServer::streams() const {
  return static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(),
                                           [](const auto& entry) { return entry.first->streaming(); }));
}

void AdminServer::end_streams() {
  std::vector<AdminConnection*> watching;
  for (const auto& [connection, owned] : connections_)
    if (connection->streaming()) watching.push_back(connection);
  for (AdminConnection* connection : watching) connection->close();
}

void AdminServer::publish(const std::shared_ptr<const std::string>& events) {
  std::shared_ptr<const std::string> greeting;  // made for the first who needs it
  for (const auto& [connection, owned] : connections_) {
    if (!connection->caught_up()) {
      connection->push(events);
      continue;
    }
    if (!greeting) greeting = handlers_.greeting();
    connection->catch_up(greeting);
  }
}

std::optional<AdminResponse> AdminServer::reload(AdminConnection& connection, const AdminRequest& request) {
  if (request.method != "POST") {
    AdminResponse response = text(405, "Method Not Allowed");
    response.allow = "POST";
    return response;
  }
  const std::string_view file = request.body;
  const bool absolute =
      file.starts_with('/') && file.size() < limits_.kept_body_bytes && file.find('\0') == std::string_view::npos;
  if (!file.empty() && !absolute) return text(400, "the body must be empty, or the absolute path of a file");
  const uint64_t ticket = handlers_.reload(std::string(file), [this, &connection](AdminResponse response) {
    reloads_.erase(&connection);
    connection.answer(std::move(response));
  });
  reloads_.emplace(&connection, ticket);
  return std::nullopt;
}

void AdminServer::scrape(AdminConnection& connection) {
  const uint64_t ticket = handlers_.metrics_later([this, &connection](std::shared_ptr<const std::string> text) {
    scrapes_.erase(&connection);
    connection.answer(large(kMetricsType, [&text] { return std::move(text); }));
  });
  scrapes_.emplace(&connection, ticket);
}

AdminResponse AdminServer::large(const char* content_type,
                                 const std::function<std::shared_ptr<const std::string>()>& text_of) {
  const auto large = std::count_if(connections_.begin(), connections_.end(), [this](const auto& entry) {
    return entry.first->response_bytes() >= limits_.large_response_bytes;
  });
  if (static_cast<size_t>(large) >= limits_.max_large_responses) {
    AdminResponse response = text(503, "too many clients are reading large answers");
    response.retry_after = "1";
    return response;
  }
  AdminResponse response;
  response.content_type = content_type;
  response.body = text_of();
  return response;
}

}  // namespace restgate::master
