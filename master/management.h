// Management: the admin port, as it follows the configuration: opened at the start, moved with a roll. Master.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "master/admin_server.h"
#include "master/metrics_collector.h"
#include "master/metrics_text.h"
#include "master/supervisor.h"
#include "master/upgrade_state.h"

namespace restgate::master {

class Management final : public Companion {
 public:
  /// Both outlive it.
  Management(EventLoop& loop, const Supervisor& supervisor);

  /// Opens the first admin port, unless `listener` is one that listens on it already. An Error is a sentence for the
  /// person who chose it.
  Status open(uint16_t port, UniqueFd listener = {});

  /// For a program that takes the master's place: open() with the port and the socket that are in it.
  void save(UpgradeState& state) const;
  /// Whether a client would miss something if the master became another program now.
  [[nodiscard]] bool busy() const { return server_ && server_->busy(); }
  /// New connections wait for what comes next: for this program again, or for the one that takes its place.
  void hold(bool held) {
    if (server_) server_->hold(held);
  }

  /// As bound.
  [[nodiscard]] uint16_t port() const { return port_; }

  Status prepare(const config::Config& config) override;
  void commit() override;
  void roll_back() override;

 private:
  void serve(UniqueFd listener, uint16_t wanted_port);
  [[nodiscard]] AdminHandlers handlers();
  [[nodiscard]] Readiness readiness() const;

  EventLoop& loop_;
  const Supervisor& supervisor_;
  MetricsCollector collector_;
  MetricsText metrics_;
  uint16_t wanted_port_ = 0;
  uint16_t port_ = 0;
  std::unique_ptr<AdminServer> server_;
  struct Prepared {
    UniqueFd listener;
    uint16_t wanted_port;
  };
  std::optional<Prepared> prepared_;
};

}  // namespace restgate::master
