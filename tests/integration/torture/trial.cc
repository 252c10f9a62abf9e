#include "integration/torture/trial.h"

#include <signal.h>

#include <algorithm>
#include <cstdlib>

namespace restgate::itest::torture {

using std::chrono::milliseconds;

std::chrono::seconds torture_time() {
  const char* text = std::getenv("RESTGATE_TORTURE_SECONDS");
  return std::chrono::seconds(text == nullptr ? 2 : std::clamp(std::atoi(text), 1, 3600));
}

Trial::Trial(const TrialOptions& options)
    : options_(options), gateway_(std::make_unique<Gateway>(config(), ProcessOptions{}, options.program)) {}

ConfigText Trial::config() const {
  ConfigText config;
  config.set("port", std::to_string(options_.port)).set("workers", std::to_string(options_.workers));
  config.set("access_log", "false");
  for (const auto& [key, value] : options_.settings) config.set(key, value);
  config.service("stage", origin_.url());
  for (const Scene scene : {Scene::Get, Scene::Post, Scene::Slow, Scene::Tunnel}) {
    const std::string name(name_of(scene));
    config.route(name, scene == Scene::Post ? "POST" : "GET", "/" + name + "/{rest...}");
  }
  return config;
}

void Trial::begin() {
  TrafficOptions options{.port = gateway_->port(), .stream_length = options_.stream_length};
  if (options_.link != nullptr) {
    options.address = options_.link->address();
    options.settle_in = [this] { options_.link->enter_outer(); };
  }
  traffic_ = std::make_unique<Traffic>(options);
  watch_ = std::make_unique<Watch>(gateway_->admin_port());
  traffic_->await_more();
  before_ = footprint(gateway_->pid());
}

void Trial::accept_memory() {
  before_.memory = anonymous_memory(gateway_->pid());
}

void Trial::reload(const ConfigText& config) {
  gateway_->rewrite_config(config.yaml());
  gateway_->signal(SIGHUP);
}

pid_t Trial::any_worker() {
  std::vector<pid_t> workers;
  if (!eventually([&] { return !(workers = gateway_->workers()).empty(); })) throw Failure("no worker lives");
  return workers[random_() % workers.size()];
}

void Trial::kill_worker() {
  const pid_t victim = any_worker();
  const Clock::time_point began = Clock::now();
  ::kill(victim, SIGKILL);
  const bool gone = eventually([&] {
    const std::vector<pid_t> alive = gateway_->workers();
    return std::find(alive.begin(), alive.end(), victim) == alive.end();
  });
  if (!gone) throw Failure("a killed worker lives");
  // The news of it takes a moment to the clients.
  const milliseconds distance(options_.link == nullptr ? 0 : 50);
  kills_.push_back({began, Clock::now() + distance});
}

void Trial::stop_worker(milliseconds time) {
  const pid_t victim = any_worker();
  const Clock::time_point began = Clock::now();
  ::kill(victim, SIGSTOP);
  const Deadline over(time);
  traffic_->pause(kRescue);
  // Enough of them that some come to the sockets of the worker that stands still.
  traffic_->ask(Kind::Short, 32, over);
  traffic_->pause(milliseconds(over.left_ms()));
  ::kill(victim, SIGCONT);
  stops_.push_back({began, Clock::now()});
}

Evidence Trial::gather() {
  Evidence evidence;
  evidence.scores = traffic_->stop();
  watch_->stop();
  evidence.clients = traffic_->clients();
  evidence.operations = operations_;
  evidence.kills = kills_;
  evidence.stops = stops_;
  evidence.posts = origin_.posts();
  evidence.complaints = complaints_;
  // A tunnel or a request that a killed worker had leaves its half at the origin: the client's side is judged.
  if (kills_.empty())
    for (const std::string& complaint : origin_.complaints()) evidence.complaints.push_back("origin: " + complaint);
  for (const std::string& complaint : watch_->complaints()) evidence.complaints.push_back("watch: " + complaint);
  return evidence;
}

// The gateway after the traffic. Connections end, and requests are counted, a moment after the clients have seen it;
// what never becomes as it should be is for the judge.
void Trial::rest(Evidence& evidence) {
  const double good = static_cast<double>(total(evidence.scores).good);
  evidence.workers = options_.workers;
  evidence.before = before_;
  evidence.at_rest = true;
  (void)eventually([&] {
    evidence.processes = processes_of_group(gateway_->pid());
    return evidence.processes.size() == options_.workers + 1 &&
           std::none_of(evidence.processes.begin(), evidence.processes.end(),
                        [](const ProcessState& process) { return process.state == 'Z'; });
  });
  (void)eventually([&] {
    evidence.metrics = gateway_->metrics();
    return std::all_of(kGaugesOfTraffic.begin(), kGaugesOfTraffic.end(),
                       [&](const char* gauge) { return evidence.metrics.sum(gauge) == 0; }) &&
           evidence.metrics.sum("restgate_requests_total") >= good;
  });
  (void)eventually([&] {
    evidence.after = footprint(gateway_->pid());
    return evidence.after.descriptors <= before_.descriptors;
  });
}

Evidence Trial::conclude() {
  Evidence evidence = gather();
  rest(evidence);
  gateway_->stop();
  return evidence;
}

Evidence Trial::conclude_by_sigterm() {
  watch_->stop();
  ++operations_;
  gateway_->signal(SIGTERM);
  if (!eventually([&] { return gateway_->admin("/readyz").status() == 503; }))
    complain("readiness stays after SIGTERM");
  traffic_->await_close();
  if (const int code = gateway_->wait_exit(); code != 0) complain("exit code " + std::to_string(code));
  Evidence evidence = gather();
  evidence.ended = true;
  return evidence;
}

}  // namespace restgate::itest::torture
