// ConfigText: the YAML configuration of a test. Test process.
//
// Starts from what every test wants: ephemeral ports, one worker, JSON logs.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace restgate::itest {

class ConfigText {
 public:
  using Settings = std::vector<std::pair<std::string, std::string>>;

  ConfigText();
  /// A key of the top level; replaces what was set before.
  ConfigText& set(const std::string& key, const std::string& value);
  /// Begins a service; the routes that follow are its own.
  ConfigText& service(const std::string& name, const std::string& url, const Settings& settings = {});
  ConfigText& route(const std::string& name, const std::string& methods, const std::string& pattern,
                    const Settings& settings = {});
  [[nodiscard]] std::string yaml() const;

 private:
  std::map<std::string, std::string> settings_;
  std::string services_;
};

/// One service "backend" at `url` with one route "all" that takes GET, POST and PUT of every path.
ConfigText catch_all(const std::string& url);

}  // namespace restgate::itest
