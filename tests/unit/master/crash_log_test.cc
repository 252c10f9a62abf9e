#include "master/crash_log.h"

#include <gtest/gtest.h>

#include <csignal>
#include <utility>

namespace restgate::master {
namespace {

using std::chrono::milliseconds;

const stats::BlockSpec kNames{.routes = {"users", "orders"}, .services = {"crm", "shop"}, .methods = {"GET"}};

flight::Flight flight_on(uint32_t route, uint32_t service) {
  flight::Flight flight;
  flight.phase = flight::Phase::AwaitingAnswer;
  flight.route = route;
  flight.service = service;
  flight.started_us = 1'000'000;
  flight.target = "/users/1";
  return flight;
}

Losses losses(flight::Snapshot flights, int64_t now_us = 3'500'000) {
  flights.in_flight = static_cast<uint32_t>(flights.flights.size());
  return losses_of(flights, {}, kNames, now_us);
}

TEST(Losses, NumbersBecomeNames) {
  const std::vector<std::pair<flight::Flight, std::pair<std::string, std::string>>> rows = {
      {flight_on(1, 1), {"users", "crm"}},
      {flight_on(2, 2), {"orders", "shop"}},
      {flight_on(0, 0), {"unmatched", ""}},
      {flight_on(3, 0xFFFFFFFF), {"unmatched", ""}},
  };
  for (const auto& [flight, names] : rows) {
    const Losses lost = losses({.flights = {flight}});
    ASSERT_EQ(lost.requests.size(), 1U);
    EXPECT_EQ(lost.requests[0].route, names.first);
    EXPECT_EQ(lost.requests[0].service, names.second);
    EXPECT_EQ(lost.requests[0].target, "/users/1");
    EXPECT_EQ(lost.requests[0].phase, flight::Phase::AwaitingAnswer);
  }
}

TEST(Losses, TimesBecomeAges) {
  flight::Flight half;
  half.phase = flight::Phase::Recording;
  EXPECT_EQ(losses({.flights = {flight_on(1, 1)}}).requests[0].age, milliseconds(2'500));
  EXPECT_EQ(losses({.flights = {flight_on(1, 1)}}, 5).requests[0].age, milliseconds(0)) << "from the future";
  EXPECT_EQ(losses({.flights = {half}}).requests[0].age, milliseconds(0)) << "unknown";
}

TEST(Losses, SoManyAreListedAndAllAreCounted) {
  flight::Snapshot flights;
  for (uint32_t i = 0; i < 100; ++i) {
    flights.flights.push_back(flight_on(1, 1));
    flights.flights.back().target = "/" + std::to_string(i);
  }
  flights.flights[0].suspect = true;
  const Losses lost = losses(std::move(flights));
  EXPECT_EQ(lost.in_flight, 100U);
  ASSERT_EQ(lost.requests.size(), Losses::kListed);
  EXPECT_TRUE(lost.requests[0].suspect);
  EXPECT_EQ(lost.requests.back().target, "/31") << "in the order of the recorder";
}

TEST(Losses, ConnectionsAreCountedByTheStatistics) {
  stats::Snapshot counted;
  counted.gauges[static_cast<size_t>(stats::Gauge::ConnectionsActive)] = 3;
  counted.gauges[static_cast<size_t>(stats::Gauge::ConnectionsIdle)] = 4;
  counted.gauges[static_cast<size_t>(stats::Gauge::Tunnels)] = 2;
  Losses lost = losses_of({}, counted, kNames, 0);
  EXPECT_EQ(lost.connections, 7U);
  EXPECT_EQ(lost.tunnels, 2U);
  counted.gauges[static_cast<size_t>(stats::Gauge::ConnectionsIdle)] = INT64_MIN;
  counted.gauges[static_cast<size_t>(stats::Gauge::Tunnels)] = -1;
  lost = losses_of({}, counted, kNames, 0);
  EXPECT_EQ(lost.connections, 3U) << "a worker gone wild may have written anything";
  EXPECT_EQ(lost.tunnels, 0U);
}

Crash crash_of(pid_t pid, ExitReason reason) {
  Crash crash;
  crash.worker.pid = pid;
  crash.obituary.reason = reason;
  return crash;
}

TEST(CrashLog, KeepsTheLatest) {
  CrashLog log;
  const auto count = static_cast<pid_t>(CrashLog::kKept);
  for (pid_t pid = 1; pid <= count + 5; ++pid) log.add(crash_of(pid, ExitReason::Crashed));
  ASSERT_EQ(log.latest().size(), CrashLog::kKept);
  EXPECT_EQ(log.latest().front().worker.pid, count + 5);
  EXPECT_EQ(log.latest().back().worker.pid, 6);
}

TEST(CrashLog, KeepsWhatWasNotMeantToBe) {
  for (size_t i = 0; i < kExitReasonCount; ++i) {
    const auto reason = static_cast<ExitReason>(i);
    CrashLog log;
    log.add(crash_of(1, reason));
    const bool meant = reason == ExitReason::Drained || reason == ExitReason::Cut;
    EXPECT_EQ(log.latest().empty(), meant) << to_string(reason);
  }
}

}  // namespace
}  // namespace restgate::master
