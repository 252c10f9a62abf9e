#include "config/config_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "config/text.h"
#include "config/value.h"

namespace restgate::config {
namespace {

constexpr size_t kMostKeysListed = 10;

template <typename T>
std::vector<std::string_view> names_of(std::span<const Key<T>> keys) {
  std::vector<std::string_view> names;
  for (const Key<T>& key : keys) names.push_back(key.info.name);
  return names;
}

/// The level that has the key, when it is not the one where it stands.
std::string_view home_of(std::string_view name) {
  for (const KeyLevel& level : key_levels())
    for (const KeyInfo& key : level.keys)
      if (key.name == name) return level.title;
  return "";
}

std::string joined(std::span<const std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) all.append(all.empty() ? "" : ", ").append(word);
  return all;
}

}  // namespace

Config ConfigReader::read(const YamlNode& root, std::string file) {
  config_.file = std::move(file);
  const KeyPath top;
  if (root.kind != YamlNode::Kind::Mapping) {
    if (root.kind != YamlNode::Kind::Refused)
      diagnostics_.add(root.mark, "",
                       root.is_null() ? "the document is empty"
                                      : "expected keys such as 'port: 7000' and 'observed_services:' at the top level");
    return std::move(config_);
  }
  read_mapping(config_keys(), config_, root, top);
  check_ports(root);
  read_access_log(root);
  find_identity(root);
  read_admin_token(root);
  read_services(root);
  check_service_names(root);
  check_route_names();
  check_conflicts();
  number_methods();
  return std::move(config_);
}

template <typename T>
void ConfigReader::read_mapping(std::span<const Key<T>> keys, T& target, const YamlNode& node, const KeyPath& path) {
  std::vector<std::string_view> meant;  // keys that are not missing, only misspelt
  for (const YamlEntry& entry : node.entries) {
    const auto named_so = [&entry](const Key<T>& key) { return key.info.name == entry.key; };
    if (std::any_of(keys.begin(), keys.end(), named_so)) continue;
    if (diagnostics_.full())
      diagnostics_.add(entry.key_mark, "", "");  // it only counts from here: spare the search for a better word
    else if (const auto name = report_unknown(entry, names_of(keys), path); !name.empty())
      meant.push_back(name);
  }
  for (const Key<T>& key : keys) {
    const KeyPath key_path{.parent = &path, .key = key.info.name};
    const YamlEntry* entry = node.find(key.info.name);
    if (entry != nullptr && key.store != nullptr)
      key.store(target, Value(key.info, entry->value, key_path, diagnostics_));
    else if (entry == nullptr && key.info.required &&
             std::find(meant.begin(), meant.end(), key.info.name) == meant.end())
      diagnostics_.add(node.mark, key_path.str(), "this key is required and missing");
  }
}

std::string_view ConfigReader::report_unknown(const YamlEntry& entry, std::span<const std::string_view> names,
                                              const KeyPath& path) {
  const KeyPath key_path{.parent = &path, .key = entry.key};
  std::string message = entry.key.empty() ? "an empty key" : "unknown key";
  const std::string_view home = home_of(entry.key);
  const std::string_view meant = home.empty() ? nearest(entry.key, names).value_or("") : "";
  if (!home.empty())
    message += " here: it belongs to " + std::string(home);
  else if (!meant.empty())
    message += "; did you mean '" + std::string(meant) + "'?";
  else if (names.size() <= kMostKeysListed)
    message += "; the keys here are " + joined(names);
  diagnostics_.add(entry.key_mark, key_path.str(), std::move(message));
  return meant;
}

const YamlNode* ConfigReader::list_of(const YamlNode& parent, std::string_view key, const KeyPath& path) {
  const YamlEntry* entry = parent.find(key);
  if (entry == nullptr || entry->value.kind == YamlNode::Kind::Refused) return nullptr;
  const YamlNode& list = entry->value;
  const KeyPath key_path{.parent = &path, .key = key};
  if (list.kind != YamlNode::Kind::List) {
    const KeyInfo info{.name = key, .kind = ValueKind::List};
    Value(info, list, key_path, diagnostics_).error_unexpected(list);
    return nullptr;
  }
  if (list.items.empty()) diagnostics_.add(list.mark, key_path.str(), "the list is empty");
  return &list;
}

void ConfigReader::read_access_log(const YamlNode& root) {
  const YamlEntry* entry = root.find("access_log");
  if (entry == nullptr || entry->value.kind != YamlNode::Kind::Mapping) return;
  const KeyPath top;
  const KeyPath path{.parent = &top, .key = "access_log"};
  AccessLogOptions& options = config_.access_log;
  read_mapping(access_log_keys(), options, entry->value, path);
  if (options.file.empty() || checks_ == nullptr || !checks_->access_log) return;
  const KeyPath file_path{.parent = &path, .key = "file"};
  if (auto wrong = checks_->access_log(options.file))
    diagnostics_.add(entry->value.find("file")->value.mark, file_path.str(), *std::move(wrong));
}

void ConfigReader::read_services(const YamlNode& root) {
  const KeyPath top;
  const YamlNode* list = list_of(root, "observed_services", top);
  if (list == nullptr) return;
  const KeyPath list_path{.parent = &top, .key = "observed_services"};
  for (size_t i = 0; i < list->items.size(); ++i) {
    const KeyPath path{.parent = &list_path, .key = {}, .index = i};
    read_service(list->items[i], static_cast<uint32_t>(i), path);
  }
}

void ConfigReader::read_service(const YamlNode& node, uint32_t index, const KeyPath& path) {
  if (node.kind == YamlNode::Kind::Refused) return;
  if (node.kind != YamlNode::Kind::Mapping) {
    diagnostics_.add(node.mark, path.str(), "expected a service with its keys (name, service_url, routes)");
    return;
  }
  Service service;
  service.mark = node.mark;
  read_mapping(service_keys(), service, node, path);
  read_tls(service, node, path);
  check_tls(service, node, path);
  config_.services.push_back(std::move(service));
  read_routes(node, static_cast<uint32_t>(config_.services.size() - 1), index, path);
}

void ConfigReader::read_tls(Service& service, const YamlNode& node, const KeyPath& path) {
  const YamlEntry* entry = node.find("tls");
  if (entry == nullptr || entry->value.kind == YamlNode::Kind::Refused) return;
  const KeyPath tls_path{.parent = &path, .key = "tls"};
  if (entry->value.kind != YamlNode::Kind::Mapping) {
    const KeyInfo info{.name = "tls", .kind = ValueKind::Mapping};
    Value(info, entry->value, tls_path, diagnostics_).error_unexpected(entry->value);
    return;
  }
  read_mapping(tls_keys(), service.tls, entry->value, tls_path);
  if (!service.url.host.empty() && service.url.scheme == Scheme::Http)
    diagnostics_.add(entry->key_mark, tls_path.str(), "the service_url is not https");
}

void ConfigReader::read_routes(const YamlNode& service_node, uint32_t service, uint32_t service_item,
                               const KeyPath& path) {
  const YamlNode* list = list_of(service_node, "routes", path);
  if (list == nullptr) return;
  const KeyPath list_path{.parent = &path, .key = "routes"};
  for (size_t i = 0; i < list->items.size(); ++i) {
    const YamlNode& node = list->items[i];
    const KeyPath route_path{.parent = &list_path, .key = {}, .index = i};
    if (node.kind == YamlNode::Kind::Refused) continue;
    if (node.kind != YamlNode::Kind::Mapping) {
      diagnostics_.add(node.mark, route_path.str(), "expected a route with its keys (name, methods, pattern)");
      continue;
    }
    Route route;
    route.service = service;
    route.mark = node.mark;
    route.response_header_timeout = config_.response_header_timeout;
    route.read_timeout = config_.read_timeout;
    route.write_timeout = config_.write_timeout;
    route.max_body_size = config_.max_body_size;
    read_mapping(route_keys(), route, node, route_path);
    const Place place{.node = &node, .service = service_item, .route = static_cast<uint32_t>(i)};
    named_.push_back(place);
    if (route.methods.empty() || route.pattern.segments().empty()) continue;
    routes_.push_back(place);
    config_.routes.push_back(std::move(route));
  }
}

}  // namespace restgate::config
