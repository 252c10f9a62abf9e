// Management: the admin port and the admin socket, as they follow the configuration: opened at the start, moved with a
// roll. Master.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/unique_fd.h"
#include "master/admin_server.h"
#include "master/admin_socket.h"
#include "master/admin_token.h"
#include "master/metrics_collector.h"
#include "master/metrics_text.h"
#include "master/status/live_frames.h"
#include "master/status/sampler.h"
#include "master/status/status_text.h"
#include "master/supervisor.h"
#include "master/upgrade_state.h"

namespace restgate::master {

/// What listens already: given by a service manager, or left by another program.
struct FoundSockets {
  UniqueFd port_listener{};
  std::unique_ptr<AdminSocket> socket{};
};

class Management final : public Companion {
 public:
  /// Both outlive it.
  Management(EventLoop& loop, Supervisor& supervisor);

  /// Opens those of the first configuration, as far as they are not found. An Error is a sentence for the person who
  /// chose them.
  Status open(const config::Config& config, FoundSockets found = {});

  /// For a program that takes the master's place: what it finds.
  void save(UpgradeState& state) const;
  /// In such a program: what the one before it knew of the past.
  void restore(const UpgradePast& past) { sampler_.restore(past.points); }
  /// Whether a client would miss something if the master became another program now.
  [[nodiscard]] bool busy() const;
  /// New connections wait for what comes next: for this program again, or for the one that takes its place.
  void hold(bool held);

  /// Of the admin port, as bound.
  [[nodiscard]] uint16_t port() const { return port_; }

  Status prepare(const config::Config& config) override;
  void commit() override;
  void roll_back() override;

 private:
  Status prepare_port(const std::string& address, uint16_t port);
  Status prepare_socket(const std::string& path);
  void commit_port();
  /// At an address that the port's socket has too.
  [[nodiscard]] Status listen_beside(int listener) const;
  void commit_socket();
  /// Lets it give the answers that are due.
  void retire(std::unique_ptr<AdminServer> server);
  [[nodiscard]] AdminHandlers handlers();
  /// Those of the port's clients, who may have to show a token.
  [[nodiscard]] AdminHandlers handlers_with_token();
  /// Those of who may give orders: the socket's clients.
  [[nodiscard]] AdminHandlers handlers_with_reload();
  [[nodiscard]] Readiness readiness() const;
  /// A sample has been taken: whoever watches is told.
  void publish();
  /// What /metrics shows now, and how.
  [[nodiscard]] MetricsText::Render gather_metrics() const;

  EventLoop& loop_;
  Supervisor& supervisor_;
  MetricsText metrics_;
  StatusSampler sampler_;
  StatusText status_;
  LiveFrames frames_;

  std::optional<AdminTokenDigest> token_;           // nothing: everybody may
  std::optional<AdminTokenDigest> prepared_token_;  // with the next commit()
  std::string address_;                             // "": every one
  uint16_t wanted_port_ = 0;
  uint16_t port_ = 0;
  std::unique_ptr<AdminServer> port_server_;
  struct PreparedPort {
    UniqueFd listener;
    std::string address;
    uint16_t wanted_port;
    bool listens;  // false: with commit(), beside the one before it
  };
  std::optional<PreparedPort> prepared_port_;

  std::unique_ptr<AdminSocket> socket_;         // null: the configuration names none
  std::unique_ptr<AdminServer> socket_server_;  // likewise
  struct PreparedSocket {
    std::unique_ptr<AdminSocket> socket;  // null: none from now on
  };
  std::optional<PreparedSocket> prepared_socket_;

  std::vector<std::unique_ptr<AdminServer>> retired_;
};

}  // namespace restgate::master
