#include "master/gateway.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/platform/process.h"
#include "common/version.h"
#include "config/diagnostic.h"
#include "master/loaded_config.h"
#include "master/management.h"
#include "master/spawner.h"
#include "master/supervisor.h"
#include "worker/heritage.h"

namespace restgate::master {
namespace {

void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  std::fprintf(stderr, "%s\n", config::to_string(diagnostics).c_str());
}

/// The master process of a running gateway: the parts, and the wires between them.
class Gateway {
 public:
  Gateway(const GatewayOptions& options, const config::Config& first)
      : options_(options),
        spawner_([](worker::Heritage heritage) { return worker::run_worker(std::move(heritage)); },
                 [this] { signals_.clear(); }, options.title),
        supervisor_(loop_, spawner_, setup()),
        management_(loop_, supervisor_) {
    log::start("restgate", first.log_level, first.log_format);
    for (const std::string& warning : options_.warnings) log::warn(warning);
  }

  int run(LoadedConfig first) {
    if (Status started = start(std::move(first)); !started) {
      log::error("cannot start", {{"reason", started.error().message}});
      return 1;
    }
    loop_.set_turn_hook([this] { supervisor_.step(); });
    loop_.run();
    return supervisor_.exit_code();
  }

 private:
  Supervisor::Setup setup() {
    Supervisor::Setup setup;
    setup.load = [](const std::string& file) { return load_config(file, LoadFor::Serve); };
    setup.companion = &management_;
    setup.on_serving = [this](const Generation& generation) { on_serving(generation); };
    return setup;
  }

  Status start(LoadedConfig first) {
    if (options_.title != nullptr) options_.title->set("restgate: master");
    platform::ignore_sigpipe();
    const size_t descriptors = platform::raise_nofile_limit();
    log::info("starting", {{"version", version()}, {"commit", commit()}, {"max_descriptors", descriptors}});
    watch_signals();
    if (Status opened = management_.open(first.config); !opened) return opened;
    return supervisor_.start(std::move(first));
  }

  void watch_signals() {
    // Before there is a meaning to them, they shall not kill.
    for (const int signo : {SIGUSR1, SIGUSR2}) std::signal(signo, SIG_IGN);
    const auto on = [this](int signo, std::function<void()> note) {
      signals_.push_back(std::make_unique<SignalEvent>(loop_, signo, std::move(note)));
    };
    on(SIGTERM, [this] { supervisor_.note_shutdown(); });
    on(SIGINT, [this] { supervisor_.note_shutdown(); });
    on(SIGHUP, [this] { supervisor_.note_reload(); });
    on(SIGCHLD, [] {});  // ends the turn, after which the dead are reaped
  }

  void on_serving(const Generation& generation) {
    config::Config bound = generation.config;
    bound.port = generation.listeners.port();
    bound.admin_port = management_.port();
    log::info("serving", {{"port", bound.port},
                          {"admin_port", bound.admin_port},
                          {"workers", generation.workers},
                          {"services", bound.services.size()},
                          {"routes", bound.routes.size()}});
    if (options_.on_serving) options_.on_serving(bound);
  }

  const GatewayOptions& options_;
  EventLoop loop_;
  std::vector<std::unique_ptr<SignalEvent>> signals_;
  Spawner spawner_;
  Supervisor supervisor_;
  Management management_;
};

}  // namespace

int run_gateway(const GatewayOptions& options) {
  LoadedResult loaded = load_config(options.config_path, LoadFor::Serve);
  if (!loaded) {
    print_diagnostics(loaded.error());
    return 1;
  }
  Gateway gateway(options, loaded->config);
  return gateway.run(std::move(loaded).value());
}

int check_config(const std::string& path) {
  const LoadedResult loaded = load_config(path, LoadFor::Check);
  if (!loaded) {
    print_diagnostics(loaded.error());
    return 1;
  }
  for (const Caution& caution : cautions(loaded->config, loaded->tls))
    std::fprintf(stderr, "warning: service '%s': %s\n", caution.service.c_str(), caution.message.c_str());
  const size_t services = loaded->config.services.size();
  const size_t routes = loaded->config.routes.size();
  std::printf("configuration ok: %zu service%s, %zu route%s\n", services, services == 1 ? "" : "s", routes,
              routes == 1 ? "" : "s");
  return 0;
}

}  // namespace restgate::master
