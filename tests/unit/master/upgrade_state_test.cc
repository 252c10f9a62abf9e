#include "master/upgrade_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/platform/memfd.h"

namespace restgate::master {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

stats::Accumulator some_totals() {
  stats::Snapshot snapshot;
  snapshot.counters[static_cast<size_t>(stats::Counter::ConnectionsAccepted)] = 12;
  stats::RouteStats& route = snapshot.routes.emplace_back();
  route.name = "a";
  route.requests.push_back({"GET", 200, 7});
  stats::Accumulator totals;
  totals.add(snapshot);
  return totals;
}

UpgradeState some_state() {
  UpgradeState state;
  state.master = 4711;
  state.program = "1.2.3 (abc)";
  state.listeners = {{7000, {{5, "restgate-7000-0"}, {6, ""}}}, {0, {{7, "restgate-40000-0"}}}};
  state.admin = {9000, 8};
  state.admin_socket = {"/run/s", {1, UINT64_MAX}, 20};
  state.scoreboard = 9;
  state.mailboxes = {{14, 15}, {16, 17}};
  UpgradeState::Worker& worker = state.workers.emplace_back();
  worker.view.pid = 4712;
  worker.view.generation = 3;
  worker.view.index = 1;
  worker.view.count = 2;
  worker.view.slots = 4;
  worker.view.state = WorkerState::Killed;
  worker.view.started = TimePoint(std::chrono::nanoseconds(123'456'789));
  worker.view.heartbeat = TimePoint(std::chrono::nanoseconds(223'456'789));
  worker.view.drain_mode = DrainMode::End;
  worker.view.drain_limit = std::chrono::milliseconds(77);
  worker.view.killed_at = TimePoint(std::chrono::nanoseconds(5));
  worker.view.signal = 6;
  worker.kill_cause = action::KillCause::NeverReady;
  worker.row = 17;
  worker.control = 10;
  worker.statistics = 11;
  worker.flights = 18;
  worker.access_log = "/var/log/access.log";
  state.workers.push_back(worker);
  state.workers[1].kill_cause.reset();
  state.workers[1].control = 12;
  state.workers[1].statistics = 13;
  state.workers[1].flights = 19;
  state.generation = {3, 2, 1, "gate.yaml", std::string("port: 0\n# \xff\0 any bytes", 23)};
  state.last_generation = 4;
  state.counters = {1, 2, 3, 4, 5, {{"drained", 6}, {"hung", 7}}};
  state.last_reload_successful = false;
  state.last_failure = "the \"reason\"";
  state.last_reload = std::chrono::system_clock::time_point(std::chrono::microseconds(1'700'000'000'123'456));
  state.reload_wanted = true;
  HistoryPoint& point = state.past.points.emplace_back();
  point.time = state.last_reload;
  point.request_rate = 12.5;
  point.class_rates = {0, 1, 2, 3, 4, 5};
  point.in_flight = 3;
  state.past.points.push_back(point);
  state.past.points.back().latency = Quantiles{0.1, 0.2, 0.3};
  state.past.events.push_back({42, state.last_reload, EventKind::ReloadFailed, 3, "because"});
  state.totals = some_totals();
  return state;
}

UpgradeState parsed(std::string_view bytes) {
  auto state = UpgradeState::parse(bytes);
  EXPECT_TRUE(state.ok()) << (state.ok() ? "" : state.error().message);
  return state.ok() ? std::move(state).value() : UpgradeState();
}

/// The bytes with something changed in the JSON.
std::string tampered(const std::function<void(nlohmann::json&)>& change) {
  const std::string bytes = some_state().serialize();
  const size_t head_end = bytes.find('\n', bytes.find('\n') + 1) + 1;
  size_t sizes[3];
  std::istringstream head(bytes.substr(bytes.find('\n') + 1));
  head >> sizes[0] >> sizes[1] >> sizes[2];
  nlohmann::json json = nlohmann::json::parse(bytes.substr(head_end, sizes[0]));
  change(json);
  const std::string text = json.dump();
  return "restgate state\n" + std::to_string(text.size()) + " " + std::to_string(sizes[1]) + " " +
         std::to_string(sizes[2]) + "\n" + text + bytes.substr(head_end + sizes[0]);
}

std::string refusal(std::string_view bytes) {
  const auto state = UpgradeState::parse(bytes);
  return state.ok() ? "" : state.error().message;
}

TEST(UpgradeState, ThePastIsKept) {
  const UpgradePast past = parsed(some_state().serialize()).past;
  ASSERT_EQ(past.points.size(), 2U);
  EXPECT_EQ(past.points[0].time, some_state().last_reload);
  EXPECT_EQ(past.points[0].request_rate, 12.5);
  EXPECT_EQ(past.points[0].class_rates, some_state().past.points[0].class_rates);
  EXPECT_EQ(past.points[0].in_flight, 3);
  EXPECT_EQ(past.points[0].latency, std::nullopt);
  EXPECT_EQ(past.points[1].latency, (Quantiles{0.1, 0.2, 0.3}));
  ASSERT_EQ(past.events.size(), 1U);
  EXPECT_EQ(past.events[0].number, 42U);
  EXPECT_EQ(past.events[0].kind, EventKind::ReloadFailed);
  EXPECT_EQ(past.events[0].text, "because");
}

TEST(UpgradeState, APastThatCannotBeReadIsNoReasonAgainstAnUpgrade) {
  for (const char* past :
       {"null", "[]", R"({"points": 1, "events": []})", R"({"points": [{"t": "x"}], "events": []})"}) {
    const auto bytes = tampered([&](nlohmann::json& json) { json["past"] = nlohmann::json::parse(past); });
    EXPECT_TRUE(parsed(bytes).past.points.empty()) << past;
  }
  const auto unknown = tampered([](nlohmann::json& json) { json["past"]["events"][0]["kind"] = "eclipse"; });
  EXPECT_TRUE(parsed(unknown).past.events.empty());
  const auto without = tampered([](nlohmann::json& json) { json.erase("past"); });
  EXPECT_TRUE(parsed(without).past.points.empty());
}

TEST(UpgradeState, ComesBackAsItWas) {
  const UpgradeState before = some_state();
  const UpgradeState after = parsed(before.serialize());
  EXPECT_EQ(after.master, before.master);
  EXPECT_EQ(after.program, before.program);
  ASSERT_EQ(after.listeners.size(), 2U);
  EXPECT_EQ(after.listeners[0].wanted_port, 7000);
  ASSERT_EQ(after.listeners[0].slots.size(), 2U);
  EXPECT_EQ(after.listeners[0].slots[0].fd, 5);
  EXPECT_EQ(after.listeners[0].slots[0].name, "restgate-7000-0");
  EXPECT_EQ(after.listeners[0].slots[1].name, "");
  EXPECT_EQ(after.listeners[1].wanted_port, 0);
  EXPECT_EQ(after.admin.wanted_port, 9000);
  ASSERT_EQ(after.workers.size(), 2U);
  EXPECT_EQ(after.workers[0].access_log, "/var/log/access.log");
  EXPECT_EQ(after.admin.fd, 8);
  ASSERT_TRUE(after.admin_socket);
  EXPECT_EQ(after.admin_socket->path, "/run/s");
  EXPECT_EQ(after.admin_socket->file, before.admin_socket->file);
  EXPECT_EQ(after.admin_socket->fd, 20);
  EXPECT_EQ(after.scoreboard, 9);
  ASSERT_EQ(after.mailboxes.size(), 2U);
  EXPECT_EQ(after.mailboxes[1].in, 16);
  EXPECT_EQ(after.mailboxes[1].out, 17);
  EXPECT_EQ(after.generation.id, 3U);
  EXPECT_EQ(after.generation.workers, 2U);
  EXPECT_EQ(after.generation.listeners, 1U);
  EXPECT_EQ(after.generation.file, before.generation.file);
  EXPECT_EQ(after.generation.config, before.generation.config);
  EXPECT_EQ(after.last_generation, 4U);
  EXPECT_EQ(after.counters.restarts, 1U);
  EXPECT_EQ(after.counters.reloads_succeeded, 2U);
  EXPECT_EQ(after.counters.reloads_failed, 3U);
  EXPECT_EQ(after.counters.upgrades_succeeded, 4U);
  EXPECT_EQ(after.counters.upgrades_failed, 5U);
  EXPECT_EQ(after.counters.exits, before.counters.exits);
  EXPECT_FALSE(after.last_reload_successful);
  EXPECT_EQ(after.last_failure, before.last_failure);
  EXPECT_EQ(after.last_reload, before.last_reload);
  EXPECT_TRUE(after.reload_wanted);
  EXPECT_EQ(after.totals.serialize(), before.totals.serialize());
  EXPECT_EQ(after.serialize(), before.serialize());
}

TEST(UpgradeState, WorkersComeBackAsTheyWere) {
  const UpgradeState before = some_state();
  const UpgradeState after = parsed(before.serialize());
  ASSERT_EQ(after.workers.size(), 2U);
  const UpgradeState::Worker& worker = after.workers[0];
  const WorkerView& view = worker.view;
  const WorkerView& was = before.workers[0].view;
  EXPECT_EQ(view.pid, was.pid);
  EXPECT_EQ(view.generation, was.generation);
  EXPECT_EQ(view.index, was.index);
  EXPECT_EQ(view.count, was.count);
  EXPECT_EQ(view.slots, was.slots);
  EXPECT_EQ(view.state, was.state);
  EXPECT_EQ(view.started, was.started);
  EXPECT_EQ(view.heartbeat, was.heartbeat);
  EXPECT_EQ(view.drain_deadline, TimePoint::max()) << "never is never";
  EXPECT_EQ(view.drain_mode, was.drain_mode);
  EXPECT_EQ(view.drain_limit, was.drain_limit);
  EXPECT_EQ(view.killed_at, was.killed_at);
  EXPECT_EQ(view.signal, was.signal);
  EXPECT_EQ(worker.kill_cause, action::KillCause::NeverReady);
  EXPECT_EQ(after.workers[1].kill_cause, std::nullopt);
  EXPECT_EQ(worker.row, 17U);
  EXPECT_EQ(worker.control, 10);
  EXPECT_EQ(worker.statistics, 11);
  EXPECT_EQ(worker.flights, 18);
}

TEST(UpgradeState, NamesEveryDescriptor) {
  UpgradeState state = some_state();
  EXPECT_THAT(state.descriptors(), UnorderedElementsAre(5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20));
  state.workers[1].flights = -1;
  EXPECT_THAT(state.descriptors(), UnorderedElementsAre(5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20));
}

TEST(UpgradeState, RefusesAnotherVersionAndSaysWhich) {
  for (const char* what : {"state", "messages", "statistics", "scoreboard"}) {
    const std::string other = tampered([what](auto& json) { json["agreements"][what] = 99; });
    EXPECT_THAT(refusal(other), HasSubstr(std::string("version of the ") + what)) << what;
    EXPECT_THAT(refusal(other), HasSubstr("99"));
    EXPECT_THAT(refusal(tampered([what](auto& json) { json["agreements"].erase(what); })), HasSubstr("not known"));
  }
}

TEST(UpgradeState, TakesWhatALaterProgramAdds) {
  const std::string more = tampered([](auto& json) {
    json["news"] = {1, 2, 3};
    json["agreements"]["something"] = 1;
    json["workers"][0]["mood"] = "good";
  });
  EXPECT_EQ(parsed(more).workers.size(), 2U);
}

TEST(UpgradeState, RefusesDamage) {
  const std::string whole = some_state().serialize();
  EXPECT_THAT(refusal(""), HasSubstr("no state"));
  EXPECT_THAT(refusal("something else"), HasSubstr("no state"));
  for (size_t size = 15; size < whole.size(); size += 1 + size / 50)
    EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
  EXPECT_NE(refusal(whole + "x"), "");
  EXPECT_NE(refusal("restgate state\n99999999999999999999 1 1\n"), "");
  const std::vector<std::function<void(nlohmann::json&)>> damages = {
      [](auto& json) { json.erase("workers"); },
      [](auto& json) { json["workers"][0]["row"] = 512; },
      [](auto& json) { json["workers"][0]["pid"] = 0; },
      [](auto& json) { json["workers"][0]["state"] = 4; },
      [](auto& json) { json["workers"][0]["index"] = 2; },
      [](auto& json) { json["workers"][0]["control"] = "ten"; },
      [](auto& json) { json["mailboxes"][0] = {1}; },
      [](auto& json) { json["listeners"][0]["slots"] = nlohmann::json::array(); },
      [](auto& json) { json["generation"]["listeners"] = 2; },
      [](auto& json) { json["generation"]["workers"] = 0; },
      [](auto& json) { json = nullptr; },
  };
  for (size_t i = 0; i < damages.size(); ++i) EXPECT_NE(refusal(tampered(damages[i])), "") << i;
}

TEST(UpgradeState, TravelsInAFileThatNobodyCanChange) {
  const auto fd = write_upgrade_state(some_state());
  ASSERT_TRUE(fd.ok()) << fd.error().message;
  EXPECT_EQ(pwrite(fd->get(), "x", 1, 0), -1);
  const auto state = read_upgrade_state(fd->get());
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(state->serialize(), some_state().serialize());

  auto open_file = platform::create_memfd("open", 100);
  ASSERT_TRUE(open_file.ok());
  EXPECT_FALSE(read_upgrade_state(open_file->get()).ok()) << "not sealed";
  EXPECT_FALSE(read_upgrade_state(-1).ok());
  EXPECT_FALSE(read_upgrade_state(STDERR_FILENO).ok());
}

}  // namespace
}  // namespace restgate::master
