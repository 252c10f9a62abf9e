#include "integration/support/config_text.h"

namespace restgate::itest {

namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

std::string lines(const ConfigText::Settings& settings, const std::string& indent) {
  std::string text;
  for (const auto& [key, value] : settings) text += indent + key + ": " + value + "\n";
  return text;
}

}  // namespace

ConfigText::ConfigText()
    : settings_{{"port", "0"},          {"admin_port", "0"}, {"log_level", "info"},
                {"log_format", "json"}, {"workers", "1"},    {"shutdown_timeout", "10s"}} {}

ConfigText& ConfigText::set(const std::string& key, const std::string& value) {
  settings_[key] = value;
  return *this;
}

ConfigText& ConfigText::service(const std::string& name, const std::string& url, const Settings& settings) {
  services_ += "  - name: " + quoted(name) + "\n    service_url: " + quoted(url) + "\n" + lines(settings, "    ") +
               "    routes:\n";
  return *this;
}

ConfigText& ConfigText::route(const std::string& name, const std::string& methods, const std::string& pattern,
                              const Settings& settings) {
  services_ += "      - name: " + quoted(name) + "\n        methods: " + quoted(methods) +
               "\n        pattern: " + quoted(pattern) + "\n" + lines(settings, "        ");
  return *this;
}

std::string ConfigText::yaml() const {
  std::string text;
  for (const auto& [key, value] : settings_) text += key + ": " + value + "\n";
  return text + "observed_services:\n" + services_;
}

ConfigText catch_all(const std::string& url) {
  ConfigText config;
  config.service("backend", url).route("all", "GET,POST,PUT", "/{path...}");
  return config;
}

}  // namespace restgate::itest
