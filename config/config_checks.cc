// The checks of ConfigReader that look at more than one value.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "common/http_method.h"
#include "config/config_reader.h"
#include "config/route_conflicts.h"
#include "config/text.h"

namespace restgate::config {
namespace {

constexpr std::string_view kReservedRouteName = "unmatched";  // the metrics label of a request without a route

/// The text of a mapping's scalar, "" when there is none.
std::string_view text_of(const YamlNode& mapping, std::string_view key) {
  const YamlEntry* entry = mapping.find(key);
  return entry == nullptr || entry->value.kind != YamlNode::Kind::Scalar ? std::string_view() : entry->value.text;
}

SourceMark mark_of(const YamlNode& mapping, std::string_view key) {
  const YamlEntry* entry = mapping.find(key);
  return entry == nullptr ? mapping.mark : entry->value.mark;
}

std::string line_and_column(SourceMark mark) {
  return "line " + std::to_string(mark.line) + ", column " + std::to_string(mark.column);
}

}  // namespace

std::string ConfigReader::path_of(const Place& place) {
  return "observed_services[" + std::to_string(place.service) + "].routes[" + std::to_string(place.route) + "]";
}

void ConfigReader::check_ports(const YamlNode& root) {
  if (config_.port != config_.admin_port || config_.port == 0) return;
  const std::string_view later = root.find("admin_port") != nullptr ? "admin_port" : "port";
  const std::string_view other = later == "port" ? "admin_port" : "port";
  // When a value could not be read, its default stands in for it: say nothing of that.
  if (text_of(root, later) != std::to_string(config_.port)) return;
  if (root.find(other) != nullptr && text_of(root, other) != std::to_string(config_.port)) return;
  diagnostics_.add(mark_of(root, later), std::string(later),
                   "must differ from " + std::string(other) + ", which is " + std::to_string(config_.port) + " too");
}

void ConfigReader::read_admin_token(const YamlNode& root) {
  if (checks_ == nullptr || !checks_->admin_token || config_.admin_token_file.empty()) return;
  std::array<uint8_t, 32> digest{};
  if (auto wrong = checks_->admin_token(config_.admin_token_file, digest))
    diagnostics_.add(mark_of(root, "admin_token_file"), "admin_token_file",
                     quoted(config_.admin_token_file) + ": " + *wrong);
  else
    config_.admin_token = digest;
}

void ConfigReader::check_service_names(const YamlNode& root) {
  const YamlEntry* list = root.find("observed_services");
  if (list == nullptr) return;
  std::unordered_map<std::string_view, size_t> first;
  for (size_t i = 0; i < list->value.items.size(); ++i) {
    const YamlNode& node = list->value.items[i];
    const std::string_view name = text_of(node, "name");
    const auto [other, fresh] = first.try_emplace(name, i);
    if (name.empty() || fresh) continue;
    diagnostics_.add(mark_of(node, "name"), "observed_services[" + std::to_string(i) + "].name",
                     "the service name " + quoted(name) + " is already used at " +
                         line_and_column(mark_of(list->value.items[other->second], "name")) + " (observed_services[" +
                         std::to_string(other->second) + "])");
  }
}

void ConfigReader::check_route_names() {
  std::unordered_map<std::string_view, const Place*> first;
  first.reserve(named_.size());
  for (const Place& place : named_) {
    const std::string_view name = text_of(*place.node, "name");
    if (name == kReservedRouteName)
      diagnostics_.add(mark_of(*place.node, "name"), path_of(place) + ".name",
                       "'unmatched' is reserved: metrics use it for requests that match no route");
    const auto [other, fresh] = first.try_emplace(name, &place);
    if (name.empty() || fresh) continue;
    diagnostics_.add(mark_of(*place.node, "name"), path_of(place) + ".name",
                     "the route name " + quoted(name) + " is already used at " +
                         line_and_column(mark_of(*other->second->node, "name")) + " (" + path_of(*other->second) + ")");
  }
}

void ConfigReader::check_conflicts() {
  for (const RouteConflict& conflict : find_conflicts(config_.routes)) {
    if (conflict.route >= routes_.size() || conflict.other >= routes_.size()) continue;
    const Place& place = routes_[conflict.route];
    const Place& other = routes_[conflict.other];
    const SourceMark there = mark_of(*other.node, "pattern");
    diagnostics_.add(mark_of(*place.node, "pattern"), path_of(place) + ".pattern",
                     conflict.message + " (at " + line_and_column(there) + ", " + path_of(other) + ")");
  }
}

bool ConfigReader::check_tls_files(const TlsOptions& tls, const YamlNode& node, const KeyPath& path) {
  bool good = true;
  const auto report = [&](SourceMark mark, std::string_view key, std::string message) {
    const KeyPath key_path{.parent = &path, .key = key};
    diagnostics_.add(mark, key_path.str(), std::move(message));
    good = false;
  };
  const bool has_cert = node.find("client_cert_file") != nullptr;
  const bool has_key = node.find("client_key_file") != nullptr;
  if (has_cert != has_key) {
    const std::string_view missing = has_cert ? "client_key_file" : "client_cert_file";
    const std::string_view given = has_cert ? "client_cert_file" : "client_key_file";
    report(node.mark, missing, "this key is missing, though " + std::string(given) + " is given");
  }
  if (checks_ == nullptr) return good;
  const std::pair<std::string_view, const std::string&> files[] = {
      {"ca_file", tls.ca_file}, {"client_cert_file", tls.client_cert_file}, {"client_key_file", tls.client_key_file}};
  for (const auto& [key, file] : files) {
    if (file.empty() || ::access(file.c_str(), R_OK) == 0) continue;
    report(mark_of(node, key), key,
           "cannot read " + quoted(file) + ": " + std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
  }
  return good;
}

/// The files of an https service: each by itself, then what they are together.
void ConfigReader::check_tls(const Service& service, const YamlNode& node, const KeyPath& path) {
  const YamlEntry* entry = node.find("tls");
  const std::string_view key = entry != nullptr ? "tls" : "service_url";
  const KeyPath key_path{.parent = &path, .key = key};
  if (entry != nullptr &&
      (entry->value.kind != YamlNode::Kind::Mapping || !check_tls_files(service.tls, entry->value, key_path)))
    return;
  if (checks_ == nullptr || !checks_->tls || service.url.host.empty() || service.url.scheme != Scheme::Https) return;
  if (auto wrong = checks_->tls(service, config_.services.size()))
    diagnostics_.add(entry != nullptr ? entry->key_mark : mark_of(node, key), key_path.str(), *std::move(wrong));
}

void ConfigReader::number_methods() {
  config_.methods.assign(kStandardMethods.begin(), kStandardMethods.end());
  std::unordered_set<std::string> known(config_.methods.begin(), config_.methods.end());
  for (size_t i = 0; i < config_.routes.size(); ++i) {
    for (const std::string& method : config_.routes[i].methods) {
      if (!known.insert(method).second) continue;
      if (config_.methods.size() == kMaxMethods) {
        diagnostics_.add(mark_of(*routes_[i].node, "methods"), path_of(routes_[i]) + ".methods",
                         method + " is one method too many: at most " + std::to_string(kMaxMethods) +
                             " in all, the standard ones included");
        return;
      }
      config_.methods.push_back(method);
    }
  }
}

}  // namespace restgate::config
