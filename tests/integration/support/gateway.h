// Gateway: the real binary under test, started on ephemeral ports with a configuration of the test's. Test process.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "integration/support/config_text.h"
#include "integration/support/metrics.h"
#include "integration/support/process.h"
#include "integration/support/stream.h"

namespace restgate::itest {

using Json = nlohmann::json;

/// The path of the binary: as built, or RESTGATE_BINARY of the environment.
std::string gateway_binary();

/// Runs the binary to its end.
struct Finished {
  int exit_code = 0;
  std::string out;
  std::string err;
};
Finished run_gateway(const ProcessOptions& options);

class Gateway {
 public:
  /// Starts and waits until it serves.
  /// `log_pipe_size`: see ProcessOptions::pipe_size.
  explicit Gateway(const ConfigText& config, int log_pipe_size = 0);
  /// The same, started as `options` say; -config comes first among the arguments.
  Gateway(const ConfigText& config, ProcessOptions options, const std::string& program = gateway_binary());
  /// Kills it if it still runs; tells what it logged when the test has failed.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint16_t admin_port() const { return admin_port_; }
  [[nodiscard]] Stream connect(int receive_buffer = 0) const { return Stream::connect(port_, receive_buffer); }
  /// One request on a connection of its own.
  [[nodiscard]] Message get(const std::string& target) const;
  [[nodiscard]] Message admin(const std::string& target, const std::string& method = "GET") const;

  // Logs: each line of standard error must be a JSON object.
  /// From now on other lines are passed over: a crash leaves its stack.
  void expect_stacks() { stacks_expected_ = true; }
  using Predicate = std::function<bool(const Json&)>;
  [[nodiscard]] std::vector<Json> logs() const;
  /// The first record from `from` on that meets the predicate; `from` moves behind it.
  Json await_log(const Predicate& predicate, const std::string& what, size_t* from = nullptr) const;
  /// The next access record: every call returns a later one.
  Json await_access();
  /// The same for a given path.
  [[nodiscard]] Json await_access_of(const std::string& path) const;

  [[nodiscard]] Metrics metrics() const;
  /// Scrapes until the predicate holds.
  Metrics await_metrics(const std::function<bool(const Metrics&)>& predicate, const std::string& what) const;
  /// restgate_requests_total{route,method,code} becomes exactly `count`.
  void expect_requests(const std::string& route, const std::string& method, int code, double count) const;
  /// restgate_errors_total{route,reason} becomes exactly `count`.
  void expect_errors(const std::string& route, const std::string& reason, double count) const;

  // Operation.
  void signal(int signo) const { process_.signal(signo); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] std::vector<pid_t> workers() const { return process_.children(); }
  [[nodiscard]] std::string config_path() const { return config_path_; }
  void rewrite_config(const std::string& yaml) const;
  /// Rewrites the file, sends SIGHUP, waits for the verdict. Failure when it is not the expected one.
  void reload(const ConfigText& config);
  /// The same with a file that must be refused; returns the records that were logged up to the verdict.
  std::vector<Json> refused_reload(const std::string& yaml);
  /// The log record of the next reload that ends, well or not; each of them is told once.
  Json next_verdict();
  int wait_exit() { return process_.wait_exit(); }
  [[nodiscard]] bool ended() const { return process_.ended(); }
  /// SIGTERM, then an exit with code 0 and nothing but JSON logged.
  void stop();

 private:
  TempDir directory_;
  std::string config_path_;
  Process process_;
  uint16_t port_ = 0;
  uint16_t admin_port_ = 0;
  [[nodiscard]] bool passed_over(const std::string& line) const;

  bool stacks_expected_ = false;
  size_t access_seen_ = 0;
  size_t verdicts_seen_ = 0;
};

bool is_access(const Json& record);

}  // namespace restgate::itest
