#include "master/management.h"

#include <string>
#include <utility>

#include "common/log.h"
#include "common/platform/sockets.h"
#include "master/admin_version.h"

namespace restgate::master {
namespace {

/// Fewer than for traffic: who asks here asks seldom.
constexpr int kBacklog = 128;

Result<UniqueFd> listen_on(uint16_t port) {
  auto listener = platform::listen_tcp("", port, {.backlog = kBacklog});
  if (listener) return listener;
  return Error{"admin_port: " + listener.error().message, listener.error().sys_errno};
}

}  // namespace

Management::Management(EventLoop& loop, const Supervisor& supervisor)
    : loop_(loop),
      supervisor_(supervisor),
      collector_(
          {.totals = [this] { return supervisor_.statistics(); }, .facts = [this] { return supervisor_.facts(); }}),
      metrics_(collector_) {}

Status Management::open(uint16_t port, UniqueFd listener) {
  if (!listener) {
    auto opened = listen_on(port);
    if (!opened) return std::move(opened).error();
    listener = std::move(opened).value();
  }
  serve(std::move(listener), port);
  return Ok{};
}

void Management::serve(UniqueFd listener, uint16_t wanted_port) {
  wanted_port_ = wanted_port;
  port_ = platform::local_port(listener.get());
  server_ = std::make_unique<AdminServer>(loop_, std::move(listener), handlers());
}

void Management::save(UpgradeState& state) const {
  state.admin = {.wanted_port = wanted_port_, .fd = server_->listener()};
}

AdminHandlers Management::handlers() {
  AdminHandlers handlers;
  handlers.readiness = [this] { return readiness(); };
  handlers.metrics = [this] { return metrics_.get(); };
  handlers.version = version_json;
  return handlers;
}

Readiness Management::readiness() const {
  std::string reason = supervisor_.not_ready_reason();
  return {reason.empty(), std::move(reason)};
}

Status Management::prepare(const config::Config& config) {
  prepared_.reset();
  const uint16_t port = config.admin_port;
  if (port == wanted_port_ || (port != 0 && port == port_)) return Ok{};
  auto listener = listen_on(port);
  if (!listener) return std::move(listener).error();
  prepared_ = Prepared{std::move(listener).value(), port};
  return Ok{};
}

void Management::commit() {
  if (!prepared_) return;
  serve(std::move(prepared_->listener), prepared_->wanted_port);
  prepared_.reset();
  log::info("admin port moved", {{"admin_port", port_}});
}

void Management::roll_back() {
  prepared_.reset();
}

}  // namespace restgate::master
