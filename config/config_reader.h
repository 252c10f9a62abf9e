// ConfigReader: a YAML tree → Config, by the tables of keys; then the checks that look at several values. Master.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"
#include "config/keys.h"
#include "config/model.h"
#include "config/parser.h"
#include "config/yaml_tree.h"

namespace restgate::config {

/// Lives for one reading; borrows the tree and the list of diagnostics.
class ConfigReader {
 public:
  /// `checks`: null: nothing outside of the tree is looked at.
  ConfigReader(DiagnosticList& diagnostics, const LoadChecks* checks) : diagnostics_(diagnostics), checks_(checks) {}

  /// What could be read; complete only if nothing was reported.
  [[nodiscard]] Config read(const YamlNode& root, std::string file);

 private:
  /// A route as it stands in the file.
  struct Place {
    const YamlNode* node;
    uint32_t service;  ///< index in observed_services
    uint32_t route;    ///< index in its routes
  };

  template <typename T>
  void read_mapping(std::span<const Key<T>> keys, T& target, const YamlNode& node, const KeyPath& path);
  /// Returns the key of this level that was probably meant, "" if none.
  std::string_view report_unknown(const YamlEntry& entry, std::span<const std::string_view> names, const KeyPath& path);
  /// The mappings of a required list, or null (reported, unless the key is missing, which read_mapping reports).
  const YamlNode* list_of(const YamlNode& parent, std::string_view key, const KeyPath& path);
  void read_access_log(const YamlNode& root);
  void read_services(const YamlNode& root);
  void read_service(const YamlNode& node, uint32_t index, const KeyPath& path);
  void read_tls(Service& service, const YamlNode& node, const KeyPath& path);
  void read_routes(const YamlNode& service_node, uint32_t service, uint32_t service_item, const KeyPath& path);

  void check_ports(const YamlNode& root);
  void check_service_names(const YamlNode& root);
  void check_route_names();
  void check_conflicts();
  /// False: one was reported.
  bool check_tls_files(const TlsOptions& tls, const YamlNode& node, const KeyPath& path);
  void check_tls(const Service& service, const YamlNode& node, const KeyPath& path);
  void find_identity(const YamlNode& root);
  void read_admin_token(const YamlNode& root);
  void number_methods();

  /// "observed_services[0].routes[2]"
  [[nodiscard]] static std::string path_of(const Place& place);

  DiagnosticList& diagnostics_;
  const LoadChecks* checks_;
  Config config_;
  std::vector<Place> named_;   ///< every route of the file
  std::vector<Place> routes_;  ///< those in config_.routes, which have methods and a pattern
};

}  // namespace restgate::config
