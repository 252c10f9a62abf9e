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
  restgate demo [-help]        run the gateway in front of a built-in demo backend
  restgate -version            print version, commit and build time
  restgate -help               print this text

The configuration's path may also come from the environment: RESTGATE_CONFIG_PATH.

Signals to the master process:
  HUP          load the configuration anew; a bad one changes nothing
  TERM, INT    finish what is in flight, then exit; a second one: at once
  USR2         upgrade in place: become the program that is installed now; one that cannot take over changes nothing

Exit codes: 0 success, 1 failure, 2 wrong usage.
)";

constexpr std::string_view kNoConfig =
    "no configuration is given: use -config PATH, or set RESTGATE_CONFIG_PATH in the environment, or try it without "
    "one: "
    "restgate demo";

enum class Flag : uint8_t { Config, Test, Version, Help };

struct FlagName {
  std::string_view name;
  Flag flag;
};

constexpr std::array<FlagName, 6> kFlags = {{
    {"config", Flag::Config},
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
  if (config::edit_distance(arg, "demo") <= 1) return message + " (did you mean 'demo'? It comes first on the line)";
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
      auto error = arg.size() > 1 && arg.front() == '-' ? parse_flag(arg) : UsageError{unexpected_argument(arg)};
      if (error) return error;
    }
    return std::nullopt;
  }

  [[nodiscard]] Options::Mode mode() const {
    if (seen_demo_) return Options::Mode::Demo;
    if (help_) return Options::Mode::Help;
    if (version_) return Options::Mode::Version;
    return test_ ? Options::Mode::CheckConfig : Options::Mode::Run;
  }
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
    if (known->flag == Flag::Config) return take_config(value);
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
        break;
    }
  }

  std::optional<UsageError> take_config(std::optional<std::string_view> value) {
    if (!value && next_ + 1 < args_.size() && args_[next_ + 1][0] != '-') value = args_[++next_];
    if (!value || value->empty()) return UsageError{"-config needs the path of a file: -config PATH"};
    config_path_ = std::string(*value);
    return std::nullopt;
  }

  std::span<const char* const> args_;
  size_t next_ = 0;
  bool test_ = false;
  bool version_ = false;
  bool help_ = false;
  bool seen_demo_ = false;
  std::optional<std::string> config_path_;
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
  if (options.mode != Options::Mode::Run && options.mode != Options::Mode::CheckConfig) return options;
  if (parser.config_path()) {
    options.config_path = *parser.config_path();
    return options;
  }
  options.config_path = variable(env, "RESTGATE_CONFIG_PATH");
  if (!options.config_path.empty()) return options;
  options.config_path = variable(env, "RESTATE_CONFIG_PATH");
  if (options.config_path.empty()) return UsageError{std::string(kNoConfig)};
  options.warnings.emplace_back(
      "the environment variable RESTATE_CONFIG_PATH is a legacy spelling that still works: set RESTGATE_CONFIG_PATH");
  return options;
}

}  // namespace restgate::master
