#include "master/management.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "master/admin_version.h"
#include "master/reload_protocol.h"

namespace restgate::master {
namespace {

/// Fewer than for traffic: who asks here asks seldom.
constexpr int kBacklog = 128;

}  // namespace

Management::Management(EventLoop& loop, Supervisor& supervisor)
    : loop_(loop), supervisor_(supervisor), metrics_(loop, [this] { return gather_metrics(); }) {}

MetricsText::Render Management::gather_metrics() const {
  Scrape scrape{supervisor_.statistics_sources(), supervisor_.facts(), {}};
  scrape.processes = read_process_totals(scrape.facts.workers);
  return [scrape = std::move(scrape)] { return metrics_text(scrape); };
}

Status Management::open(uint16_t port, const std::string& socket, FoundSockets found) {
  Status prepared = Ok{};
  if (found.port_listener)
    prepared_port_ = PreparedPort{std::move(found.port_listener), port};
  else
    prepared = prepare_port(port);
  if (found.socket)
    prepared_socket_ = PreparedSocket{std::move(found.socket)};
  else if (prepared)
    prepared = prepare_socket(socket);
  if (prepared) commit();
  return prepared;
}

void Management::save(UpgradeState& state) const {
  state.admin = {.wanted_port = wanted_port_, .fd = port_server_->listener()};
  if (!socket_) return;
  state.admin_socket =
      UpgradeState::AdminSocket{.path = socket_->path(), .file = socket_->file(), .fd = socket_server_->listener()};
}

bool Management::busy() const {
  const auto any = [](const auto& server) { return server && server->busy(); };
  return any(port_server_) || any(socket_server_) || std::any_of(retired_.begin(), retired_.end(), any);
}

void Management::hold(bool held) {
  for (const auto* server : {&port_server_, &socket_server_})
    if (*server) (*server)->hold(held);
}

AdminHandlers Management::handlers() {
  AdminHandlers handlers;
  handlers.readiness = [this] { return readiness(); };
  handlers.metrics_later = [this](MetricsText::Done done) { return metrics_.ask(std::move(done)); };
  handlers.abandon_metrics = [this](uint64_t ticket) { metrics_.abandon(ticket); };
  handlers.version = version_json;
  return handlers;
}

AdminHandlers Management::handlers_with_reload() {
  AdminHandlers all = handlers();
  all.reload = [this](std::string file, std::function<void(AdminResponse)> answer) {
    return supervisor_.request_reload(std::move(file), [answer = std::move(answer)](const Verdict& verdict) {
      answer(reload_protocol::response_to(verdict));
    });
  };
  all.abandon_reload = [this](uint64_t ticket) { supervisor_.abandon_reload(ticket); };
  return all;
}

Readiness Management::readiness() const {
  std::string reason = supervisor_.not_ready_reason();
  return {reason.empty(), std::move(reason)};
}

Status Management::prepare(const config::Config& config) {
  roll_back();
  std::erase_if(retired_, [](const auto& server) { return server->connections() == 0; });
  Status prepared = prepare_port(config.admin_port);
  if (prepared) prepared = prepare_socket(config.admin_socket);
  if (!prepared) roll_back();
  return prepared;
}

Status Management::prepare_port(uint16_t port) {
  if (port_server_ && (port == wanted_port_ || (port != 0 && port == port_))) return Ok{};
  auto listener = platform::listen_tcp("", port, {.backlog = kBacklog});
  if (!listener) return Error{"admin_port: " + listener.error().message, listener.error().sys_errno};
  prepared_port_ = PreparedPort{std::move(listener).value(), port};
  return Ok{};
}

Status Management::prepare_socket(const std::string& path) {
  if (path.empty() ? socket_ == nullptr : socket_ != nullptr && socket_->path() == path && socket_->in_place())
    return Ok{};
  prepared_socket_.emplace();
  if (path.empty()) return Ok{};
  auto opened = AdminSocket::open(path);
  if (!opened) return Error{"admin_socket: " + opened.error().message, opened.error().sys_errno};
  prepared_socket_->socket = std::make_unique<AdminSocket>(std::move(opened).value());
  return Ok{};
}

void Management::commit() {
  commit_port();
  commit_socket();
}

void Management::commit_port() {
  if (!prepared_port_) return;
  if (port_server_) retire(std::move(port_server_));
  wanted_port_ = prepared_port_->wanted_port;
  port_ = platform::local_port(prepared_port_->listener.get());
  port_server_ = std::make_unique<AdminServer>(loop_, std::move(prepared_port_->listener), handlers());
  prepared_port_.reset();
  log::info("admin port open", {{"admin_port", port_}});
}

void Management::commit_socket() {
  if (!prepared_socket_) return;
  if (socket_server_) retire(std::move(socket_server_));
  socket_ = std::move(prepared_socket_->socket);  // the file of the old one goes
  prepared_socket_.reset();
  if (!socket_) {
    log::info("admin socket closed");
    return;
  }
  socket_server_ = std::make_unique<AdminServer>(loop_, socket_->take_listener(), handlers_with_reload());
  log::info("admin socket open", {{"admin_socket", socket_->path()}});
}

void Management::retire(std::unique_ptr<AdminServer> server) {
  server->retire();
  retired_.push_back(std::move(server));
}

void Management::roll_back() {
  prepared_port_.reset();
  prepared_socket_.reset();
}

}  // namespace restgate::master
