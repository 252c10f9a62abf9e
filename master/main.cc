// restgate: the executable. Takes the command line apart and starts what it asks for.
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <utility>

#include "common/platform/process.h"
#include "common/platform/program.h"
#include "common/version.h"
#include "master/demo/demo.h"
#include "master/gateway.h"
#include "master/options.h"
#include "master/reload_command.h"
#include "master/upgrade_check.h"

namespace {

using restgate::master::Options;

void print(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
}

int print_version() {
  print(stdout, "restgate " + std::string(restgate::version()) + " (commit " + std::string(restgate::commit()) +
                    ", built " + std::string(restgate::build_time()) + ")\n");
  return 0;
}

int run(const Options& options, restgate::platform::Program program, restgate::platform::ProcessTitle& title) {
  restgate::master::GatewayOptions gateway;
  gateway.config_path = options.config_path;
  gateway.title = &title;
  gateway.program = std::move(program);
  gateway.warnings = options.warnings;
  return restgate::master::run_gateway(gateway);
}

int check(const Options& options) {
  for (const std::string& warning : options.warnings) print(stderr, "warning: " + warning + "\n");
  const int code = restgate::master::check_config(options.config_path);
  const char* state = std::getenv(restgate::master::kUpgradeVariable);
  if (code != 0 || state == nullptr) return code;
  return restgate::master::answer_upgrade_check(static_cast<int>(std::strtol(state, nullptr, 10)));
}

int reload(const Options& options) {
  for (const std::string& warning : options.warnings) print(stderr, "warning: " + warning + "\n");
  restgate::master::ReloadCommand command;
  if (options.config_by_flag) command.use_file = options.config_path;
  command.config_path = options.config_path;
  command.socket = options.socket;
  return restgate::master::run_reload(command);
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<const char* const> args(argv + (argc > 0 ? 1 : 0), static_cast<size_t>(argc > 0 ? argc - 1 : 0));
  const auto options = restgate::master::parse_options(args, [](const char* name) { return std::getenv(name); });
  if (!options) {
    print(stderr, "restgate: " + options.error().message + "\n");
    return 2;
  }
  switch (options.value().mode) {
    case Options::Mode::Run: {
      restgate::platform::Program program{restgate::platform::program_path(), {argv, argv + argc}, {}};
      restgate::platform::ProcessTitle title(argc, argv);  // writes over argv
      return run(options.value(), std::move(program), title);
    }
    case Options::Mode::CheckConfig:
      return check(options.value());
    case Options::Mode::Version:
      return print_version();
    case Options::Mode::Help:
      print(stdout, restgate::master::usage());
      return 0;
    case Options::Mode::Reload:
      return reload(options.value());
    case Options::Mode::Demo:
      return restgate::demo::run_demo(argc - 2, argv + 2);
  }
  return 2;
}
