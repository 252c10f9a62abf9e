// The part of the Supervisor that faces the service manager.
#include <string>
#include <utility>

#include "master/supervisor.h"

namespace restgate::master {

void Supervisor::adopt(ListenerSet listeners) {
  listener_sets_.push_back(std::make_unique<ListenerSet>(std::move(listeners)));
}

ServiceState Supervisor::service_state() const {
  ServiceState state;
  state.serving = announced_;
  state.reloading = plan_->rolling() || plan_->desired().pending_since.has_value();
  state.reloads = reloads_begun_;
  state.stopping = plan_->desired().shutdown.has_value();
  const std::string generation = "generation " + std::to_string(serving().id);
  if (state.stopping)
    state.status = "stopping: finishing what is in flight";
  else if (state.reloading)
    state.status = "reloading: rolling the workers";
  else if (!upgrade_refusal_.empty())
    // The number tells this refusal from the one before it, which may have had the same reason.
    state.status = "upgrade refused: " + upgrade_refusal_ + "; " + generation +
                   " serves on; upgrades failed: " + std::to_string(upgrades_failed_);
  else if (!last_reload_successful_)
    state.status = "reload failed: " + last_failure_ + "; " + generation + " serves on";
  else if (!state.serving)
    state.status = "starting the workers";
  else
    state.status = "serving on port " + std::to_string(serving().listeners.port()) + ": " + generation + ", " +
                   std::to_string(serving().workers) + (serving().workers == 1 ? " worker" : " workers");
  return state;
}

}  // namespace restgate::master
