#include "master/management.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "master/admin_version.h"
#include "master/reload_protocol.h"
#include "master/status/page.h"

namespace restgate::master {
namespace {

/// Fewer than for traffic: who asks here asks seldom.
constexpr int kBacklog = 128;

}  // namespace

Management::Management(EventLoop& loop, Supervisor& supervisor)
    : loop_(loop),
      supervisor_(supervisor),
      metrics_(loop, [this] { return gather_metrics(); }),
      sampler_(loop, supervisor, [this] { publish(); }),
      status_(supervisor, sampler_),
      frames_(supervisor, sampler_) {}

MetricsText::Render Management::gather_metrics() const {
  Scrape scrape{supervisor_.statistics_sources(), supervisor_.facts(), {}};
  scrape.processes = read_process_totals(scrape.facts.workers);
  return [scrape = std::move(scrape)] { return metrics_text(scrape); };
}

Status Management::open(const config::Config& config, FoundSockets found) {
  Status prepared = Ok{};
  prepared_token_ = config.admin_token;
  if (found.port_listener)
    prepared_port_ = PreparedPort{std::move(found.port_listener), config.admin_address, config.admin_port, true};
  else
    prepared = prepare_port(config.admin_address, config.admin_port);
  if (found.socket)
    prepared_socket_ = PreparedSocket{std::move(found.socket)};
  else if (prepared)
    prepared = prepare_socket(config.admin_socket);
  if (prepared) commit();
  return prepared;
}

void Management::save(UpgradeState& state) const {
  state.past.points = sampler_.ledger().history().points();
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
  handlers.status = [this] { return status_.get(); };
  handlers.page = [] { return PageView{page().html, page().content_policy.c_str()}; };
  handlers.greeting = [this] { return frames_.greeting(); };
  return handlers;
}

AdminHandlers Management::handlers_with_token() {
  AdminHandlers all = handlers();
  all.authorized = [this](std::string_view authorization) { return !token_ || authorizes(authorization, *token_); };
  return all;
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

void Management::publish() {
  const auto watched = [](const auto* server) { return *server && (*server)->streams() > 0; };
  const std::array<std::unique_ptr<AdminServer>*, 2> servers = {&port_server_, &socket_server_};
  if (std::none_of(servers.begin(), servers.end(), watched)) return frames_.skip();
  const LiveFrames::Frame update = frames_.update();
  for (const auto* server : servers)
    if (*server) (*server)->publish(update);
}

Readiness Management::readiness() const {
  std::string reason = supervisor_.not_ready_reason();
  return {reason.empty(), std::move(reason)};
}

Status Management::prepare(const config::Config& config) {
  roll_back();
  std::erase_if(retired_, [](const auto& server) { return server->connections() == 0; });
  prepared_token_ = config.admin_token;
  Status prepared = prepare_port(config.admin_address, config.admin_port);
  if (prepared) prepared = prepare_socket(config.admin_socket);
  if (!prepared) roll_back();
  return prepared;
}

Status Management::prepare_port(const std::string& address, uint16_t port) {
  const bool same_port = port_server_ && (port == wanted_port_ || (port != 0 && port == port_));
  if (same_port && address == address_) return Ok{};
  // The port at another address: "every address" and one of them would be in each other's way.
  if (same_port) platform::share_port(port_server_->listener(), true);
  // And who listens at the one takes the clients of the other: not before it is served.
  auto listener = platform::listen_tcp(address, same_port ? port_ : port,
                                       {.reuse_port = same_port, .backlog = kBacklog, .bind_only = same_port});
  if (same_port) platform::share_port(port_server_->listener(), false);
  if (!listener) return Error{"admin_port: " + listener.error().message, listener.error().sys_errno};
  if (same_port) platform::share_port(listener->get(), false);
  prepared_port_ = PreparedPort{std::move(listener).value(), address, port, !same_port};
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
  // Who watches has shown the old one: a stream outlives the request that was looked at.
  if (token_ != prepared_token_ && port_server_) port_server_->end_streams();
  token_ = prepared_token_;
  commit_port();
  commit_socket();
}

Status Management::listen_beside(int listener) const {
  for (const int fd : {port_server_->listener(), listener}) platform::share_port(fd, true);
  Status listens = platform::start_listening(listener, kBacklog);
  for (const int fd : {port_server_->listener(), listener}) platform::share_port(fd, false);
  return listens;
}

void Management::commit_port() {
  if (!prepared_port_) return;
  if (!prepared_port_->listens) {
    // Only if somebody has come to listen at an address that was bound: nobody should.
    if (const Status listens = listen_beside(prepared_port_->listener.get()); !listens) {
      log::error("admin port: the address before it is served on", {{"reason", listens.error().message}});
      return prepared_port_.reset();
    }
  }
  if (port_server_) retire(std::move(port_server_));
  wanted_port_ = prepared_port_->wanted_port;
  address_ = prepared_port_->address;
  port_ = platform::local_port(prepared_port_->listener.get());
  port_server_ = std::make_unique<AdminServer>(loop_, std::move(prepared_port_->listener), handlers_with_token());
  prepared_port_.reset();
  log::info("admin port open", {{"admin_port", port_}, {"admin_address", address_.empty() ? "*" : address_}});
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
  prepared_token_ = token_;
}

}  // namespace restgate::master
