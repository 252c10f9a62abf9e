#include "master/upgrade_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "common/ipc.h"
#include "common/platform/memfd.h"
#include "common/scoreboard.h"
#include "common/stats/layout.h"

namespace restgate::master {
namespace {

using Json = nlohmann::json;

// The bytes: magic, the length of each section and a line feed, then the sections.
constexpr std::string_view kMagic = "restgate state\n";
constexpr size_t kSections = 3;  // JSON, totals, configuration
constexpr size_t kMaxBytes = size_t{1} << 30;

int64_t to_number(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
TimePoint to_time(int64_t ns) {
  return TimePoint(std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(ns)));
}

/// What both programs have to agree on, apart from the state itself.
Json agreements() {
  return {{"state", UpgradeState::kVersion},
          {"messages", ipc::kVersion},
          {"statistics", stats::layout::kVersion},
          {"scoreboard", {Scoreboard::kVersion, sizeof(Scoreboard)}}};
}

std::string disagreement(const Json& theirs) {
  const Json ours = agreements();
  for (const auto& [what, version] : ours.items())
    if (!theirs.contains(what) || theirs.at(what) != version)
      return "its version of the " + what + " is " + version.dump() + ", that of the program that runs is " +
             (theirs.contains(what) ? theirs.at(what).dump() : "not known");
  return "";
}

/// A number of an enumeration with `count` values.
template <typename Enum>
Enum to_enum(const Json& json, int count) {
  const int value = json.get<int>();
  if (value < 0 || value >= count) throw std::out_of_range("no such value");
  return static_cast<Enum>(value);
}

Json to_json(const UpgradeState::Worker& worker) {
  const WorkerView& view = worker.view;
  Json json = {{"pid", view.pid},
               {"generation", view.generation},
               {"index", view.index},
               {"count", view.count},
               {"slots", view.slots},
               {"state", static_cast<int>(view.state)},
               {"started", to_number(view.started)},
               {"heartbeat", to_number(view.heartbeat)},
               {"drain_deadline", to_number(view.drain_deadline)},
               {"drain_mode", static_cast<int>(view.drain_mode)},
               {"drain_limit_ms", view.drain_limit.count()},
               {"killed_at", to_number(view.killed_at)},
               {"signal", view.signal},
               {"row", worker.row},
               {"control", worker.control},
               {"statistics", worker.statistics},
               {"flights", worker.flights},
               {"access_log", worker.access_log}};
  if (worker.kill_cause) json["kill_cause"] = static_cast<int>(*worker.kill_cause);
  return json;
}

UpgradeState::Worker worker_of(const Json& json) {
  UpgradeState::Worker worker;
  WorkerView& view = worker.view;
  view.pid = json.at("pid").get<pid_t>();
  view.generation = json.at("generation").get<uint64_t>();
  view.index = json.at("index").get<uint32_t>();
  view.count = json.at("count").get<uint32_t>();
  view.slots = json.at("slots").get<uint32_t>();
  view.state = to_enum<WorkerState>(json.at("state"), 4);
  view.started = to_time(json.at("started").get<int64_t>());
  view.heartbeat = to_time(json.at("heartbeat").get<int64_t>());
  view.drain_deadline = to_time(json.at("drain_deadline").get<int64_t>());
  view.drain_mode = to_enum<DrainMode>(json.at("drain_mode"), 2);
  view.drain_limit = std::chrono::milliseconds(json.value("drain_limit_ms", view.drain_limit.count()));
  view.killed_at = to_time(json.at("killed_at").get<int64_t>());
  view.signal = json.at("signal").get<int>();
  if (json.contains("kill_cause")) worker.kill_cause = to_enum<action::KillCause>(json.at("kill_cause"), 4);
  worker.row = json.at("row").get<uint32_t>();
  worker.control = json.at("control").get<int>();
  worker.statistics = json.at("statistics").get<int>();
  worker.flights = json.at("flights").get<int>();
  worker.access_log = json.value("access_log", std::string());
  if (view.pid <= 0 || view.count == 0 || view.index >= view.count || worker.row >= kScoreboardRows)
    throw std::out_of_range("impossible numbers of a worker");
  return worker;
}

Json to_json(const UpgradeState::Listeners& listeners) {
  Json slots = Json::array();
  for (const UpgradeState::Slot& slot : listeners.slots) slots.push_back({{"fd", slot.fd}, {"name", slot.name}});
  return {{"wanted_port", listeners.wanted_port}, {"slots", std::move(slots)}};
}

UpgradeState::Listeners listeners_of(const Json& json) {
  UpgradeState::Listeners listeners;
  listeners.wanted_port = json.at("wanted_port").get<uint16_t>();
  for (const Json& slot : json.at("slots"))
    listeners.slots.push_back({slot.at("fd").get<int>(), slot.at("name").get<std::string>()});
  if (listeners.slots.empty()) throw std::out_of_range("a port without sockets");
  return listeners;
}

Json to_json(const UpgradeState::Counters& counters) {
  return {{"restarts", counters.restarts},
          {"reloads_succeeded", counters.reloads_succeeded},
          {"reloads_failed", counters.reloads_failed},
          {"upgrades_succeeded", counters.upgrades_succeeded},
          {"upgrades_failed", counters.upgrades_failed},
          {"exits", counters.exits}};
}

UpgradeState::Counters counters_of(const Json& json) {
  UpgradeState::Counters counters;
  counters.restarts = json.at("restarts").get<uint64_t>();
  counters.reloads_succeeded = json.at("reloads_succeeded").get<uint64_t>();
  counters.reloads_failed = json.at("reloads_failed").get<uint64_t>();
  counters.upgrades_succeeded = json.at("upgrades_succeeded").get<uint64_t>();
  counters.upgrades_failed = json.at("upgrades_failed").get<uint64_t>();
  counters.exits = json.at("exits").get<std::map<std::string, uint64_t>>();
  return counters;
}

Json to_json(const UpgradeState& state) {
  Json json = {{"agreements", agreements()},
               {"master", state.master},
               {"program", state.program},
               {"admin", {{"wanted_port", state.admin.wanted_port}, {"fd", state.admin.fd}}},
               {"scoreboard", state.scoreboard},
               {"generation",
                {{"id", state.generation.id},
                 {"workers", state.generation.workers},
                 {"listeners", state.generation.listeners},
                 {"file", state.generation.file}}},
               {"last_generation", state.last_generation},
               {"counters", to_json(state.counters)},
               {"last_reload_successful", state.last_reload_successful},
               {"last_failure", state.last_failure},
               {"last_reload_us",
                std::chrono::duration_cast<std::chrono::microseconds>(state.last_reload.time_since_epoch()).count()},
               {"reload_wanted", state.reload_wanted},
               {"past", to_json(state.past)},
               {"listeners", Json::array()},
               {"mailboxes", Json::array()},
               {"workers", Json::array()}};
  if (state.admin_socket)
    json["admin_socket"] = {{"path", state.admin_socket->path},
                            {"device", state.admin_socket->file.device},
                            {"inode", state.admin_socket->file.inode},
                            {"fd", state.admin_socket->fd}};
  for (const UpgradeState::Mailbox& box : state.mailboxes) json["mailboxes"].push_back({box.in, box.out});
  for (const UpgradeState::Listeners& listeners : state.listeners) json["listeners"].push_back(to_json(listeners));
  for (const UpgradeState::Worker& worker : state.workers) json["workers"].push_back(to_json(worker));
  return json;
}

/// Throws what nlohmann::json throws, or std::out_of_range.
UpgradeState state_of(const Json& json) {
  UpgradeState state;
  state.master = json.at("master").get<pid_t>();
  state.program = json.at("program").get<std::string>();
  state.admin.wanted_port = json.at("admin").at("wanted_port").get<uint16_t>();
  state.admin.fd = json.at("admin").at("fd").get<int>();
  if (json.contains("admin_socket")) {
    const Json& socket = json.at("admin_socket");
    state.admin_socket = UpgradeState::AdminSocket{socket.at("path").get<std::string>(),
                                                   {socket.at("device").get<dev_t>(), socket.at("inode").get<ino_t>()},
                                                   socket.at("fd").get<int>()};
  }
  state.scoreboard = json.at("scoreboard").get<int>();
  state.generation.id = json.at("generation").at("id").get<uint64_t>();
  state.generation.workers = json.at("generation").at("workers").get<uint32_t>();
  state.generation.listeners = json.at("generation").at("listeners").get<uint32_t>();
  state.generation.file = json.at("generation").at("file").get<std::string>();
  state.last_generation = json.at("last_generation").get<uint64_t>();
  state.counters = counters_of(json.at("counters"));
  state.last_reload_successful = json.at("last_reload_successful").get<bool>();
  state.last_failure = json.at("last_failure").get<std::string>();
  state.last_reload =
      std::chrono::system_clock::time_point(std::chrono::microseconds(json.at("last_reload_us").get<int64_t>()));
  state.reload_wanted = json.at("reload_wanted").get<bool>();
  if (json.contains("past")) state.past = past_of(json.at("past"));
  for (const Json& listeners : json.at("listeners")) state.listeners.push_back(listeners_of(listeners));
  for (const Json& box : json.at("mailboxes")) state.mailboxes.push_back({box.at(0).get<int>(), box.at(1).get<int>()});
  for (const Json& worker : json.at("workers")) state.workers.push_back(worker_of(worker));
  if (state.generation.workers == 0 || state.generation.listeners >= state.listeners.size())
    throw std::out_of_range("impossible numbers of the generation");
  return state;
}

/// Takes a number and the line feed or space behind it off the front.
std::optional<size_t> take_number(std::string_view& bytes) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
  if (error != std::errc() || end == bytes.data() + bytes.size() || value > kMaxBytes) return std::nullopt;
  bytes.remove_prefix(static_cast<size_t>(end - bytes.data()) + 1);
  return value;
}

std::optional<std::array<std::string_view, kSections>> sections_of(std::string_view bytes) {
  bytes.remove_prefix(kMagic.size());
  std::array<size_t, kSections> sizes{};
  for (size_t& size : sizes) {
    const std::optional<size_t> number = take_number(bytes);
    if (!number) return std::nullopt;
    size = *number;
  }
  std::array<std::string_view, kSections> sections;
  for (size_t i = 0; i < kSections; ++i) {
    if (sizes[i] > bytes.size()) return std::nullopt;
    sections[i] = bytes.substr(0, sizes[i]);
    bytes.remove_prefix(sizes[i]);
  }
  return bytes.empty() ? std::optional(sections) : std::nullopt;
}

}  // namespace

std::vector<int> UpgradeState::descriptors() const {
  std::vector<int> all = {admin.fd, scoreboard};
  if (admin_socket) all.push_back(admin_socket->fd);
  for (const Listeners& set : listeners)
    for (const Slot& slot : set.slots) all.push_back(slot.fd);
  for (const Mailbox& box : mailboxes) all.insert(all.end(), {box.in, box.out});
  for (const Worker& worker : workers) all.insert(all.end(), {worker.control, worker.statistics, worker.flights});
  std::erase_if(all, [](int fd) { return fd < 0; });  // a worker of a program before the last may lack one
  return all;
}

std::string UpgradeState::serialize() const {
  // Texts may hold what is not UTF-8: replaced rather than thrown at.
  const std::string json = to_json(*this).dump(-1, ' ', false, Json::error_handler_t::replace);
  const std::string counted = totals.serialize();
  std::string bytes(kMagic);
  bytes += std::to_string(json.size()) + ' ' + std::to_string(counted.size()) + ' ' +
           std::to_string(generation.config.size()) + '\n';
  return bytes + json + counted + generation.config;
}

Result<UpgradeState> UpgradeState::parse(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Error{"this is no state of a running restgate"};
  const auto sections = sections_of(bytes);
  if (!sections) return Error{"the state of the running program is damaged"};
  const Json json = Json::parse((*sections)[0], nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("agreements")) return Error{"the state of the running program is damaged"};
  if (std::string why = disagreement(json.at("agreements")); !why.empty())
    return Error{"this program cannot take over from the one that runs: " + why + "; restart instead"};
  Result<stats::Accumulator> totals = stats::Accumulator::deserialize((*sections)[1]);
  if (!totals) return std::move(totals).error();
  try {
    UpgradeState state = state_of(json);
    state.totals = std::move(totals).value();
    state.generation.config = (*sections)[2];
    return state;
  } catch (const std::exception& problem) {
    return Error{std::string("the state of the running program is damaged: ") + problem.what()};
  }
}

Result<UniqueFd> write_upgrade_state(const UpgradeState& state) {
  return platform::create_sealed_memfd("restgate-state", state.serialize());
}

Result<UpgradeState> read_upgrade_state(int fd) {
  auto bytes = platform::read_sealed_memfd(fd);
  if (!bytes) return std::move(bytes).error();
  return UpgradeState::parse(*bytes);
}

}  // namespace restgate::master
