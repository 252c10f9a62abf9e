#include "master/gateway.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/platform/process.h"
#include "common/platform/systemd.h"
#include "common/version.h"
#include "config/diagnostic.h"
#include "master/config_watcher.h"
#include "master/given_sockets.h"
#include "master/loaded_config.h"
#include "master/management.h"
#include "master/service_notifier.h"
#include "master/spawner.h"
#include "master/supervisor.h"
#include "master/upgrade.h"
#include "master/upgrade_state.h"
#include "worker/heritage.h"

namespace restgate::master {
namespace {

void print_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  std::fprintf(stderr, "%s\n", config::to_string(diagnostics).c_str());
}

/// The master process of a running gateway: the parts, and the wires between them.
class Gateway {
 public:
  /// Logging has started.
  Gateway(const GatewayOptions& options, platform::ServiceEnvironment environment)
      : options_(options),
        environment_(std::move(environment)),
        spawner_([](worker::Heritage heritage) { return worker::run_worker(std::move(heritage)); },
                 [this] { signals_.clear(); }, options.title),
        notifier_(loop_, environment_),
        supervisor_(loop_, spawner_, setup()),
        management_(loop_, supervisor_),
        upgrade_({loop_, supervisor_, management_, notifier_}, successor()),
        watcher_(loop_, [this] { supervisor_.note_reload(); }) {
    for (const std::string& warning : options_.warnings) log::warn(warning);
  }

  int run(LoadedConfig first) {
    const size_t descriptors = prepare();
    log::info("starting", {{"version", version()}, {"commit", commit()}, {"max_descriptors", descriptors}});
    return serve(start(std::move(first)));
  }

  /// Goes on with what another program has left. `running`: the configuration that serves; `next`: the file's.
  int resume(const UpgradeState& state, LoadedConfig running, LoadedResult next) {
    prepare();
    log::info(
        "upgrade: taking over",
        {{"version", version()}, {"commit", commit()}, {"from", state.program}, {"workers", state.workers.size()}});
    for (const UpgradeState::Listeners& listeners : state.listeners)
      for (const UpgradeState::Slot& slot : listeners.slots)
        if (!slot.name.empty()) notifier_.know_stored(slot.name);
    FoundSockets found{UniqueFd(state.admin.fd), nullptr};
    if (state.admin_socket) found.socket = AdminSocket::adopt(*state.admin_socket);
    // One that is not found is opened with the roll.
    config::Config as_it_was = running.config;
    as_it_was.admin_port = state.admin.wanted_port;
    as_it_was.admin_socket.clear();
    Status resumed = management_.open(as_it_was, std::move(found));
    management_.restore(state.past);
    if (resumed) resumed = supervisor_.resume(state, std::move(running), std::move(next));
    platform::SignalsHeld::release_inherited();
    return serve(resumed);
  }

 private:
  Supervisor::Setup setup() {
    Supervisor::Setup setup;
    setup.load = [this](const std::string& file) {
      watcher_.note_read(file);
      return load_config(file, LoadFor::Serve);
    };
    setup.companion = &management_;
    setup.on_serving = [this](const Generation& generation) { on_serving(generation); };
    setup.on_stranger = [this](const Stranger& stranger) { upgrade_.on_stranger(stranger); };
    setup.sockets_are_stored = notifier_.active();
    return setup;
  }

  /// Returns how many descriptors there may be.
  size_t prepare() {
    if (options_.title != nullptr) options_.title->set("restgate: master");
    platform::ignore_sigpipe();
    watch_signals();
    return platform::raise_nofile_limit();
  }

  int serve(const Status& started) {
    if (!started) {
      log::error("cannot start", {{"reason", started.error().message}});
      notifier_.say("STATUS=cannot start: " + started.error().message);
      return 1;
    }
    loop_.set_turn_hook([this] { on_turn(); });
    loop_.run();
    return supervisor_.exit_code();
  }

  void on_turn() {
    supervisor_.step();
    if (notifier_.active()) notifier_.tell(supervisor_.service_state(), supervisor_.listeners());
    upgrade_.step();
    // Not at each turn: there may be thousands of files.
    const auto latest = supervisor_.latest_mark();
    if (std::exchange(followed_, latest) != latest)
      watcher_.follow(
          watched_files(supervisor_.latest_config(), supervisor_.latest_hash(), supervisor_.latest_named_files()));
  }

  Status start(LoadedConfig first) {
    GivenSockets given(std::move(environment_.descriptors));
    if (auto listeners = given.take_set(first.config.port)) supervisor_.adopt(std::move(*listeners));
    UniqueFd admin = given.take_one(first.config.admin_port);
    given.close_rest();
    const config::Config& config = first.config;
    if (Status opened = management_.open(config, {std::move(admin), nullptr}); !opened) return opened;
    return supervisor_.start(std::move(first));
  }

  /// As this program was started, with what the service manager had told it.
  [[nodiscard]] std::optional<platform::Program> successor() const {
    std::optional<platform::Program> program = options_.program;
    if (program) program->variables = environment_.variables;
    return program;
  }

  void watch_signals() {
    const auto on = [this](int signo, std::function<void()> note) {
      signals_.push_back(std::make_unique<SignalEvent>(loop_, signo, std::move(note)));
    };
    on(SIGTERM, [this] { supervisor_.note_shutdown(); });
    on(SIGINT, [this] { supervisor_.note_shutdown(); });
    on(SIGHUP, [this] { supervisor_.note_reload(); });
    on(SIGUSR1, [this] { supervisor_.note_rotation(); });
    on(SIGUSR2, [this] { upgrade_.note(); });
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
  platform::ServiceEnvironment environment_;
  EventLoop loop_;
  std::vector<std::unique_ptr<SignalEvent>> signals_;
  Spawner spawner_;
  ServiceNotifier notifier_;
  Supervisor supervisor_;
  Management management_;
  Upgrade upgrade_;
  ConfigWatcher watcher_;
  Supervisor::Mark followed_{};
};

/// Becomes the master in place of another program, which has left its state to this one.
int take_over(const GatewayOptions& options, platform::ServiceEnvironment environment, int state_fd) {
  UniqueFd file(state_fd);
  auto state = read_upgrade_state(file.get());
  file.reset();
  if (state && state->master != getpid()) state = Error{"it is another process's"};
  if (!state) {
    std::fprintf(stderr, "restgate: cannot take over (%s): %s\n", kUpgradeVariable, state.error().message.c_str());
    return 1;
  }
  for (const int fd : state->descriptors()) fcntl(fd, F_SETFD, FD_CLOEXEC);
  const std::string& config_file = state->generation.file;
  LoadedResult next = load_config(config_file, LoadFor::Serve);
  LoadedResult running = parse_config(state->generation.config, config_file);
  // A key that this program does not know any more: the file, which was checked, is the nearest to it.
  if (!running) running = load_config(config_file, LoadFor::Serve);
  if (!running) {
    print_diagnostics(running.error());
    return 1;
  }
  log::start("restgate", running->config.log_level, running->config.log_format);
  Gateway gateway(options, std::move(environment));
  return gateway.resume(*state, std::move(running).value(), std::move(next));
}

}  // namespace

int run_gateway(const GatewayOptions& options) {
  platform::ServiceEnvironment environment = platform::take_service_environment();
  if (const char* state = std::getenv(kUpgradeVariable); state != nullptr && options.program) {
    const auto fd = static_cast<int>(std::strtol(state, nullptr, 10));
    unsetenv(kUpgradeVariable);
    return take_over(options, std::move(environment), fd);
  }
  LoadedResult loaded = load_config(options.config_path, LoadFor::Serve);
  if (!loaded) {
    print_diagnostics(loaded.error());
    return 1;
  }
  log::start("restgate", loaded->config.log_level, loaded->config.log_format);
  Gateway gateway(options, std::move(environment));
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
