#include "master/demo/demo.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/platform/memfd.h"
#include "common/platform/sockets.h"
#include "common/result.h"
#include "common/unique_fd.h"
#include "master/demo/demo_config.h"
#include "master/demo/demo_options.h"
#include "master/demo/origin.h"
#include "master/gateway.h"

namespace restgate::demo {
namespace {

constexpr int kExitUsage = 2;

int fail(const std::string& message, int exit_code = EXIT_FAILURE) {
  std::fprintf(stderr, "restgate demo: %s\n", message.c_str());
  return exit_code;
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

/// The gateway would notice too, but it does not know the flag that helps.
Status check_port(uint16_t port, std::string_view flag) {
  if (port == 0) return Ok{};
  const Status free = platform::check_port_free("", port);
  if (free) return Ok{};
  return Error{free.error().message + "; set it with " + std::string(flag) + " N", free.error().sys_errno};
}

/// The gateway reads its configuration, now and at a reload, from a path: this one needs no disk.
Result<UniqueFd> in_memory(const std::string& text) {
  Result<UniqueFd> file = platform::create_memfd("restgate-demo.yaml", text.size());
  if (!file) return file;
  if (::pwrite(file->get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return Error{"cannot write the demo's configuration to memory"};
  return file;
}

int serve(const DemoOptions& options) {
  for (const auto& [port, flag] : {std::pair{options.port, "-port"}, std::pair{options.admin_port, "-admin-port"}})
    if (const Status status = check_port(port, flag); !status) return fail(status.error().message);

  const Result<Origin> origin = Origin::start();
  if (!origin) return fail(origin.error().message);
  DemoPorts ports = {options.port, options.admin_port, origin->port()};
  const Result<UniqueFd> config = in_memory(demo_config(ports));
  if (!config) return fail(config.error().message);

  master::GatewayOptions gateway;
  gateway.config_path = "/proc/self/fd/" + std::to_string(config->get());
  gateway.on_serving = [&ports](const config::Config& bound) {
    ports.gateway = bound.port;
    ports.admin = bound.admin_port;
    print(demo_greeting(ports));
  };
  return master::run_gateway(gateway);
}

}  // namespace

int run_demo(int argc, char** argv) {
  const Result<DemoOptions, DemoUsageError> options =
      parse_demo_options(std::span<const char* const>(argv, static_cast<size_t>(argc)));
  if (!options) return fail(options.error().message, kExitUsage);
  switch (options->mode) {
    case DemoOptions::Mode::Help:
      print(demo_usage());
      return EXIT_SUCCESS;
    case DemoOptions::Mode::PrintConfig:
      print(demo_config({options->port, options->admin_port, 8080}));
      return EXIT_SUCCESS;
    case DemoOptions::Mode::Run:
      return serve(*options);
  }
  return EXIT_FAILURE;
}

}  // namespace restgate::demo
