#include "master/options.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/text.h"

namespace restgate::master {
namespace {

constexpr std::string_view kUsage =
    R"(RESTGate, a prefork HTTP gateway: one YAML file of services and routes, reloaded without losing a request.

Usage:
  restgate -config PATH        run the gateway
  restgate -t -config PATH     check the configuration and exit: 0 good, 1 bad (every error is shown)
  restgate reload              have the running gateway load its configuration anew, and wait for the verdict
  restgate demo [-help]        run the gateway in front of a built-in demo backend
  restgate -version            print version, commit and build time
  restgate -help               print this text

The configuration's path may also come from the environment: RESTGATE_CONFIG_PATH.

reload: 0 when the configuration is in service; 1 when it was refused (every error is shown) or could not be taken
into service, and the one before it goes on; 2 when no gateway could be asked.
  -config PATH    have the gateway use this file from now on
  -socket PATH    where the gateway listens, instead of the key admin_socket of the configuration

Signals to the master process:
  HUP          load the configuration anew; a bad one changes nothing
  TERM, INT    finish what is in flight (after pre_drain_delay), then exit; a second one skips ahead
  USR2         upgrade in place: become the program that is installed now; one that cannot take over changes nothing

Exit codes: 0 success, 1 failure, 2 wrong usage.
)";

constexpr std::string_view kNoConfig =
    "no configuration is given: use -config PATH, or set RESTGATE_CONFIG_PATH in the environment, or try it without "
    "one: "
    "restgate demo";

constexpr std::string_view kNoGateway =
    "which gateway? Use -socket PATH, or -config PATH, or set RESTGATE_CONFIG_PATH in the environment";

enum class Flag : uint8_t { Config, Socket, Test, Version, Help };

struct FlagName {
  std::string_view name;
  Flag flag;
};

constexpr std::array<FlagName, 7> kFlags = {{
    {"config", Flag::Config},
    {"socket", Flag::Socket},
    {"t", Flag::Test},
    {"version", Flag::Version},
    {"help", Flag::Help},
    {"h", Flag::Help},
    {"v", Flag::Version},
}};

/// " (did you mean -config?)" or "".
std::string suggestion(std::string_view name) {
  std::vector<std::string_view> long_names;  // everything short is near a one-letter flag
  for (const FlagName& known : kFlags)
    if (known.name.size() > 1) long_names.push_back(known.name);
  const auto near = config::nearest(name, long_names);
  return near ? " (did you mean -" + std::string(*near) + "?)" : "";
}

const FlagName* find_flag(std::string_view name) {
  const auto* found = std::find_if(kFlags.begin(), kFlags.end(), [&](const FlagName& f) { return f.name == name; });
  return found != kFlags.end() ? found : nullptr;
}

std::string unexpected_argument(std::string_view arg) {
  std::string message = "unexpected argument '" + std::string(arg) + "'";
  if (arg.ends_with(".yaml") || arg.ends_with(".yml"))
    return message + ": a configuration is given with -config " + std::string(arg);
  for (const std::string_view command : {"demo", "reload"})
    if (config::edit_distance(arg, command) <= command.size() / 3)
      return message + " (did you mean '" + std::string(command) + "'? It comes first on the line)";
  return message + "; see restgate -help";
}

class Parser {
 public:
  explicit Parser(std::span<const char* const> args) : args_(args) {}

  /// The first error, if there is one.
  std::optional<UsageError> parse() {
    for (; next_ < args_.size(); ++next_) {
      const std::string_view arg = args_[next_];
      if (arg == "demo" && next_ == 0) {
        seen_demo_ = true;
        return std::nullopt;
      }
      if (arg == "reload" && next_ == 0) {
        reload_ = true;
        continue;
      }
      auto error = arg.size() > 1 && arg.front() == '-' ? parse_flag(arg) : UsageError{unexpected_argument(arg)};
      if (error) return error;
    }
    if (reload_ && test_) return UsageError{"-t checks a configuration and exits: not together with reload"};
    if (socket_ && !reload_) return UsageError{"-socket belongs to restgate reload"};
    return std::nullopt;
  }

  [[nodiscard]] Options::Mode mode() const {
    if (seen_demo_) return Options::Mode::Demo;
    if (help_) return Options::Mode::Help;
    if (version_) return Options::Mode::Version;
    if (reload_) return Options::Mode::Reload;
    return test_ ? Options::Mode::CheckConfig : Options::Mode::Run;
  }
  [[nodiscard]] const std::optional<std::string>& socket() const { return socket_; }
  [[nodiscard]] const std::optional<std::string>& config_path() const { return config_path_; }

 private:
  std::optional<UsageError> parse_flag(std::string_view arg) {
    std::string_view name = arg.substr(arg.starts_with("--") ? 2 : 1);
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const FlagName* known = find_flag(name);
    if (known == nullptr) {
      return UsageError{"unknown flag " + std::string(arg.substr(0, arg.find('='))) + suggestion(name) +
                        "; see restgate -help"};
    }
    if (known->flag == Flag::Config)
      return take_path(value, "-config needs the path of a file: -config PATH", config_path_);
    if (known->flag == Flag::Socket)
      return take_path(value, "-socket needs the path of a socket: -socket PATH", socket_);
    if (value) return UsageError{"-" + std::string(name) + " takes no value"};
    set(known->flag);
    return std::nullopt;
  }

  void set(Flag flag) {
    switch (flag) {
      case Flag::Test:
        test_ = true;
        break;
      case Flag::Version:
        version_ = true;
        break;
      case Flag::Help:
        help_ = true;
        break;
      case Flag::Config:
      case Flag::Socket:
        break;
    }
  }

  std::optional<UsageError> take_path(std::optional<std::string_view> value, const char* if_missing,
                                      std::optional<std::string>& to) {
    if (!value && next_ + 1 < args_.size() && args_[next_ + 1][0] != '-') value = args_[++next_];
    if (!value || value->empty()) return UsageError{if_missing};
    to = std::string(*value);
    return std::nullopt;
  }

  std::span<const char* const> args_;
  size_t next_ = 0;
  bool test_ = false;
  bool version_ = false;
  bool help_ = false;
  bool seen_demo_ = false;
  bool reload_ = false;
  std::optional<std::string> config_path_;
  std::optional<std::string> socket_;
};

std::string_view variable(const Environment& env, const char* name) {
  const char* value = env(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string_view usage() {
  return kUsage;
}

Result<Options, UsageError> parse_options(std::span<const char* const> args, const Environment& env) {
  Parser parser(args);
  if (auto error = parser.parse()) return std::move(*error);
  Options options;
  options.mode = parser.mode();
  if (options.mode == Options::Mode::Demo) {
    options.demo_from = 1;
    return options;
  }
  if (options.mode == Options::Mode::Version || options.mode == Options::Mode::Help) return options;
  options.socket = parser.socket().value_or("");
  options.config_by_flag = parser.config_path().has_value();
  if (options.config_by_flag) {
    options.config_path = *parser.config_path();
    return options;
  }
  if (!options.socket.empty()) return options;
  options.config_path = variable(env, "RESTGATE_CONFIG_PATH");
  if (!options.config_path.empty()) return options;
  options.config_path = variable(env, "RESTATE_CONFIG_PATH");
  if (options.config_path.empty())
    return UsageError{std::string(options.mode == Options::Mode::Reload ? kNoGateway : kNoConfig)};
  options.warnings.emplace_back(
      "the environment variable RESTATE_CONFIG_PATH is a legacy spelling that still works: set RESTGATE_CONFIG_PATH");
  return options;
}

}  // namespace restgate::master
