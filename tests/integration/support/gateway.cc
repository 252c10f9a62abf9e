#include "integration/support/gateway.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

namespace restgate::itest {

namespace {

constexpr std::string_view kServing = "serving";
constexpr std::string_view kReloaded = "reload finished";
constexpr std::string_view kReloadFailed = "reload failed";  // and what follows from it

std::string message_of(const Json& record) {
  return record.value("msg", std::string());
}

bool is_verdict(const Json& record) {
  const std::string message = message_of(record);
  return message == kReloaded || message.starts_with(kReloadFailed);
}

Json parse_record(const std::string& line) {
  std::set<std::string> keys;
  bool repeated = false;
  const auto note_key = [&](int /*depth*/, Json::parse_event_t event, Json& key) {
    if (event == Json::parse_event_t::key) repeated |= !keys.insert(key.get<std::string>()).second;
    return true;
  };
  Json record = Json::parse(line, note_key, /*allow_exceptions=*/false);
  if (repeated) throw Failure("a key twice in one record: " + line);
  if (!record.is_object()) throw Failure("not a JSON record on standard error: " + printable(line));
  return record;
}

ProcessOptions with_config(ProcessOptions options, const std::string& path) {
  options.arguments.insert(options.arguments.begin(), {"-config", path});
  return options;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

bool is_access(const Json& record) {
  return record.contains("status") && record.contains("path") && record.contains("client");
}

std::string gateway_binary() {
  const char* chosen = std::getenv("RESTGATE_BINARY");
  return chosen == nullptr ? RESTGATE_BINARY : chosen;
}

Finished run_gateway(const ProcessOptions& options) {
  Process process(gateway_binary(), options);
  Finished run;
  run.exit_code = process.wait_exit();
  run.out = joined(process.out_lines());
  run.err = joined(process.err_lines());
  return run;
}

Gateway::Gateway(const ConfigText& config, int log_pipe_size)
    : Gateway(config, ProcessOptions{.arguments = {}, .environment = {}, .pipe_size = log_pipe_size}) {}

Gateway::Gateway(const ConfigText& config, ProcessOptions options, const std::string& program)
    : config_path_(directory_.write("restgate.yaml", config.yaml())),
      process_(program, with_config(std::move(options), config_path_)) {
  const Json record = await_log([](const Json& r) { return message_of(r) == kServing; }, "record \"serving\"");
  port_ = record.at("port").get<uint16_t>();
  admin_port_ = record.at("admin_port").get<uint16_t>();
}

Gateway::~Gateway() {
  const bool failing = ::testing::Test::HasFailure() || std::uncaught_exceptions() > 0;
  if (failing) std::cerr << "---- the gateway said:\n" << process_.err_text() << "----\n";
}

Message Gateway::get(const std::string& target) const {
  Stream client = connect();
  return client.exchange("GET " + target + " HTTP/1.1\r\nHost: client.test\r\nConnection: close\r\n\r\n");
}

Message Gateway::admin(const std::string& target, const std::string& method) const {
  Stream client = Stream::connect(admin_port_);
  return client.exchange(method + " " + target + " HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
}

std::vector<Json> Gateway::logs() const {
  std::vector<Json> records;
  for (const std::string& line : process_.err_lines())
    if (!passed_over(line)) records.push_back(parse_record(line));
  return records;
}

bool Gateway::passed_over(const std::string& line) const {
  return stacks_expected_ && !line.starts_with('{');
}

Json Gateway::await_log(const Predicate& predicate, const std::string& what, size_t* from) const {
  Json found;
  size_t next = from == nullptr ? 0 : *from;
  process_.await_err(
      [&](const std::vector<std::string>& lines) {
        while (next < lines.size()) {
          const std::string& line = lines[next++];
          if (passed_over(line)) continue;
          found = parse_record(line);
          if (predicate(found)) return true;
        }
        return false;
      },
      what);
  if (from != nullptr) *from = next;
  return found;
}

Json Gateway::await_access() {
  return await_log(is_access, "access record", &access_seen_);
}

Json Gateway::await_access_of(const std::string& path) const {
  return await_log([&](const Json& record) { return is_access(record) && record.at("path") == path; },
                   "access record of " + path);
}

Metrics Gateway::metrics() const {
  const Message answer = admin("/metrics");
  if (answer.status() != 200) throw Failure("/metrics answered " + printable(answer.raw_head));
  return Metrics(answer.body);
}

Metrics Gateway::await_metrics(const std::function<bool(const Metrics&)>& predicate, const std::string& what) const {
  Metrics last;
  const bool held = eventually([&] {
    last = metrics();
    return predicate(last);
  });
  if (!held) throw Failure("metrics never showed " + what + "; they say:\n" + last.show("restgate_"));
  return last;
}

void Gateway::expect_requests(const std::string& route, const std::string& method, int code, double count) const {
  const Metrics settled =
      await_metrics([&](const Metrics& m) { return m.requests(route, method, code) >= count; },
                    std::to_string(count) + " × " + route + " " + method + " " + std::to_string(code));
  EXPECT_EQ(settled.requests(route, method, code), count) << settled.show("restgate_requests_total");
}

void Gateway::expect_errors(const std::string& route, const std::string& reason, double count) const {
  const Metrics::Labels labels{{"route", route}, {"reason", reason}};
  const Metrics settled = await_metrics(
      [&](const Metrics& m) { return m.sum("restgate_errors_total", labels) >= count; }, route + " " + reason);
  EXPECT_EQ(settled.sum("restgate_errors_total", labels), count) << settled.show("restgate_errors_total");
}

void Gateway::rewrite_config(const std::string& yaml) const {
  const size_t slash = config_path_.rfind('/');
  directory_.write(config_path_.substr(slash + 1), yaml);
}

void Gateway::reload(const ConfigText& config) {
  rewrite_config(config.yaml());
  signal(SIGHUP);
  const Json verdict = next_verdict();
  if (message_of(verdict) != kReloaded) throw Failure("the reload was refused: " + verdict.dump());
}

Json Gateway::next_verdict() {
  return await_log(is_verdict, "verdict on the reload", &verdicts_seen_);
}

std::vector<Json> Gateway::refused_reload(const std::string& yaml) {
  rewrite_config(yaml);
  const size_t before = process_.err_lines().size();
  signal(SIGHUP);
  const Json verdict = next_verdict();
  if (message_of(verdict) == kReloaded) throw Failure("the reload was not refused: " + verdict.dump());
  std::vector<Json> records = logs();
  records.erase(records.begin(), records.begin() + static_cast<ptrdiff_t>(before));
  return records;
}

void Gateway::stop() {
  signal(SIGTERM);
  const int code = wait_exit();
  EXPECT_EQ(code, 0);
  EXPECT_NO_THROW((void)logs());
}

}  // namespace restgate::itest
