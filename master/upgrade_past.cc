#include "master/upgrade_past.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace restgate::master {
namespace {

using Json = nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using SystemClock = std::chrono::system_clock;

int64_t to_number(SystemClock::time_point time) {
  return duration_cast<microseconds>(time.time_since_epoch()).count();
}
SystemClock::time_point to_time(const Json& json) {
  return SystemClock::time_point(duration_cast<SystemClock::duration>(microseconds(json.get<int64_t>())));
}

std::optional<EventKind> kind_of(const std::string& name) {
  for (size_t i = 0; i < kEventKinds; ++i)
    if (const auto kind = static_cast<EventKind>(i); to_string(kind) == name) return kind;
  return std::nullopt;
}

Json to_json(const HistoryPoint& point) {
  Json json = {{"t", to_number(point.time)}, {"r", point.request_rate}, {"c", point.class_rates},
               {"e", point.error_rate},      {"i", point.in_rate},      {"o", point.out_rate},
               {"f", point.in_flight},       {"n", point.connections},  {"u", point.tunnels}};
  if (point.latency) json["l"] = {point.latency->p50, point.latency->p95, point.latency->p99};
  return json;
}

HistoryPoint point_of(const Json& json) {
  HistoryPoint point;
  point.time = to_time(json.at("t"));
  point.request_rate = json.at("r").get<double>();
  point.class_rates = json.at("c").get<std::array<double, 6>>();
  point.error_rate = json.at("e").get<double>();
  point.in_rate = json.at("i").get<double>();
  point.out_rate = json.at("o").get<double>();
  point.in_flight = json.at("f").get<int64_t>();
  point.connections = json.at("n").get<int64_t>();
  point.tunnels = json.at("u").get<int64_t>();
  if (json.contains("l")) {
    const auto latency = json.at("l").get<std::array<double, 3>>();
    point.latency = Quantiles{latency[0], latency[1], latency[2]};
  }
  return point;
}

}  // namespace

Json to_json(const UpgradePast& past) {
  Json json = {{"points", Json::array()}, {"events", Json::array()}};
  for (const HistoryPoint& point : past.points) json["points"].push_back(to_json(point));
  for (const Event& event : past.events)
    json["events"].push_back({{"number", event.number},
                              {"time", to_number(event.time)},
                              {"kind", to_string(event.kind)},
                              {"generation", event.generation},
                              {"text", event.text}});
  return json;
}

UpgradePast past_of(const Json& json) {
  UpgradePast past;
  try {
    for (const Json& point : json.at("points")) past.points.push_back(point_of(point));
    for (const Json& event : json.at("events"))
      if (const auto kind = kind_of(event.at("kind").get<std::string>()))
        past.events.push_back({event.at("number").get<uint64_t>(), to_time(event.at("time")), *kind,
                               event.at("generation").get<uint64_t>(), event.at("text").get<std::string>()});
  } catch (const Json::exception&) {
    return {};
  }
  return past;
}

}  // namespace restgate::master
