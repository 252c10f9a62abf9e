#include "master/demo/demo_options.h"

#include <charconv>
#include <optional>

namespace restgate::demo {
namespace {

constexpr std::string_view kUsage =
    R"(restgate demo: the gateway in front of a built-in service, to try things with.

Usage:
  restgate demo [-port N] [-admin-port N]
  restgate demo -print-config

  -port N        the gateway's port (7000; 0: any free one)
  -admin-port N  the port of health, metrics and the page (9000; 0: any free one)
  -print-config  print the demo's configuration and exit
  -help          print this text
)";

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

std::string_view demo_usage() {
  return kUsage;
}

Result<DemoOptions, DemoUsageError> parse_demo_options(std::span<const char* const> args) {
  DemoOptions options;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view arg = args[i];
    const size_t dashes = arg.starts_with("--") ? 2 : arg.starts_with("-") ? 1 : 0;
    const size_t equals = arg.find('=');
    const std::string_view name = dashes == 0 ? "" : arg.substr(dashes, equals - dashes);
    if (name == "help" || name == "h") {
      options.mode = DemoOptions::Mode::Help;
      return options;
    }
    if (name == "print-config") {
      options.mode = DemoOptions::Mode::PrintConfig;
      continue;
    }
    if (name != "port" && name != "admin-port")
      return DemoUsageError{"unknown argument '" + std::string(arg) + "'; see restgate demo -help"};
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = arg.substr(equals + 1);
    } else if (i + 1 < args.size()) {
      value = args[++i];
    }
    const std::optional<uint16_t> port = parse_port(value);
    if (!port)
      return DemoUsageError{"-" + std::string(name) + " takes a port number from 0 to 65535, not '" +
                            std::string(value) + "'"};
    (name == "port" ? options.port : options.admin_port) = *port;
  }
  if (options.port != 0 && options.port == options.admin_port)
    return DemoUsageError{"-port and -admin-port must differ"};
  return options;
}

}  // namespace restgate::demo
