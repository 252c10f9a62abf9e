#include "config/value.h"

#include <algorithm>

#include "common/platform/address.h"
#include "config/duration.h"
#include "config/methods.h"
#include "config/service_url.h"
#include "config/size.h"

namespace restgate::config {
namespace {

bool is_plain(const YamlNode& node) {
  return node.style == YamlNode::Style::Plain;
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::List:
      return "a list";
    case YamlNode::Kind::Mapping:
      return "a mapping";
    case YamlNode::Kind::Scalar:
    case YamlNode::Kind::Refused:
      break;
  }
  return node.is_null() ? "no value" : quoted(node.text);
}

bool has_control(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    if (!point.valid || is_control(point.value)) return true;
    at += point.length;
  }
  return false;
}

}  // namespace

void Value::error(const YamlNode& where, std::string message) const {
  diagnostics_.add(where.mark, path_.str(), std::move(message));
}

void Value::error(const YamlNode& where, const TextError& what) const {
  SourceText& source = diagnostics_.source();
  const size_t start = source.offset_of(where.mark) + (where.style == YamlNode::Style::Quoted ? 1 : 0);
  const bool verbatim = where.style != YamlNode::Style::Block && start <= source.text().size() &&
                        source.text().substr(start).starts_with(where.text);
  const SourceMark mark = verbatim ? source.mark_of(start + std::min(what.offset, where.text.size())) : where.mark;
  diagnostics_.add(mark, path_.str(), what.message,
                   what.secret ? DiagnosticList::Show::Nothing : DiagnosticList::Show::Source);
}

void Value::error_unexpected(const YamlNode& where) const {
  // A mapping where text is due is mostly a pattern such as {id}, which YAML takes for one.
  const bool braces = where.kind == YamlNode::Kind::Mapping &&
                      diagnostics_.source().text().substr(diagnostics_.source().offset_of(where.mark)).starts_with('{');
  error(where, "expected " + expectation(key_) + ", got " + describe(where) +
                   (braces ? ": put a value that begins with '{' in quotes" : ""));
}

std::optional<std::string_view> Value::scalar() const {
  if (node_.kind == YamlNode::Kind::Refused) return std::nullopt;
  if (node_.kind == YamlNode::Kind::Scalar && !node_.is_null()) return node_.text;
  error_unexpected(node_);
  return std::nullopt;
}

std::optional<bool> Value::boolean() const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const std::string lower = to_lower(*text);
  if (*text == "true" || *text == "True" || *text == "TRUE" || lower == "false") {
    if (is_plain(node_)) return lower == "true";
    error("expected true or false without quotes, got the text " + quoted(*text));
  } else if (lower == "yes" || lower == "on" || lower == "y") {
    error("expected true or false, got " + quoted(*text) + "; did you mean 'true'?");
  } else if (lower == "no" || lower == "off" || lower == "n") {
    error("expected true or false, got " + quoted(*text) + "; did you mean 'false'?");
  } else {
    error_unexpected(node_);
  }
  return std::nullopt;
}

std::optional<uint64_t> Value::integer() const {
  if (key_.kind == ValueKind::Size) return size();
  const auto text = scalar();
  if (!text) return std::nullopt;
  if (key_.kind == ValueKind::IntegerOrAuto && *text == "auto") return 0;
  const auto number = parse_decimal(*text);
  const bool ambiguous = text->size() > 1 && text->front() == '0';  // octal for some readers of YAML
  if (!number || ambiguous || *number < key_.min || *number > key_.max) {
    error_unexpected(node_);
  } else if (!is_plain(node_)) {
    error("expected " + expectation(key_) + " without quotes, got the text " + quoted(*text));
  } else {
    return number;
  }
  return std::nullopt;
}

std::optional<uint64_t> Value::size() const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  if (*text == "off") {
    if (key_.may_be_off) return 0;
    error("cannot be off: expected " + expectation(key_));
    return std::nullopt;
  }
  const auto bytes = parse_size(*text);
  if (!bytes) {
    error(node_, bytes.error());
  } else if ((*bytes < key_.min || *bytes > key_.max) && !(key_.may_be_off && *bytes == 0)) {
    error_unexpected(node_);
  } else {
    return *bytes;
  }
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> Value::duration() const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto parsed = *text == "off" ? std::chrono::milliseconds{0} : parse_duration(*text);
  if (!parsed) {
    error(node_, parsed.error());
    return std::nullopt;
  }
  const auto milliseconds = static_cast<uint64_t>(parsed->count());
  if (milliseconds == 0 && key_.may_be_off) return *parsed;
  if (milliseconds == 0) {
    error("cannot be off: expected " + expectation(key_));
    return std::nullopt;
  }
  if (milliseconds < key_.min || milliseconds > key_.max) {
    error_unexpected(node_);
    return std::nullopt;
  }
  return *parsed;
}

std::optional<uint64_t> Value::choice() const {
  const auto text = scalar();
  if (!text) return std::nullopt;
  const auto found = std::find(key_.choices.begin(), key_.choices.end(), *text);
  if (found != key_.choices.end()) return static_cast<uint64_t>(found - key_.choices.begin());
  const auto meant = nearest(*text, key_.choices);
  error("expected " + expectation(key_) + ", got " + quoted(*text) +
        (meant ? "; did you mean '" + std::string(*meant) + "'?" : ""));
  return std::nullopt;
}

std::optional<std::string> Value::text() const {
  if (key_.min == 0 && node_.is_null()) return "";
  const auto text = scalar();
  if (!text) return std::nullopt;
  if (text->size() < key_.min) {
    error("is empty: expected " + expectation(key_));
  } else if (text->size() > key_.max) {
    error("is longer than " + std::to_string(key_.max) + " bytes");
  } else if (key_.kind != ValueKind::Text && has_control(*text)) {
    error("has a control character: " + quoted(*text));
  } else if (key_.kind == ValueKind::Name && (text->front() == ' ' || text->back() == ' ')) {
    error("begins or ends with a blank: " + quoted(*text));
  } else {
    return std::string(*text);
  }
  return std::nullopt;
}

void store_url(Service& service, const Value& value) {
  const auto text = value.scalar();
  if (!text) return;
  auto url = parse_service_url(*text);
  if (url)
    service.url = std::move(url).value();
  else
    value.error(value.node(), url.error());
}

void store_methods(Route& route, const Value& value) {
  if (value.node().kind != YamlNode::Kind::List) {
    const auto text = value.scalar();
    if (!text) return;
    const auto methods = split_methods(*text);
    if (methods)
      route.methods.assign(methods->begin(), methods->end());
    else
      value.error(value.node(), methods.error());
    return;
  }
  if (value.node().items.empty()) value.error("the list is empty: a route needs a method");
  for (const YamlNode& item : value.node().items) {
    if (item.kind == YamlNode::Kind::Refused) continue;
    if (item.kind != YamlNode::Kind::Scalar) {
      value.error(item, "expected a method such as GET, got " + describe(item));
    } else if (const auto error = check_method(item.text)) {
      value.error(item, *error);
    } else if (std::find(route.methods.begin(), route.methods.end(), item.text) != route.methods.end()) {
      value.error(item, item.text + " is named twice");
    } else {
      route.methods.push_back(item.text);
    }
  }
}

void store_pattern(Route& route, const Value& value) {
  const auto text = value.scalar();
  if (!text) return;
  auto pattern = Pattern::parse(*text);
  if (pattern)
    route.pattern = std::move(pattern).value();
  else
    value.error(value.node(), TextError{pattern.error().message, pattern.error().offset});
}

void store_trusted_proxies(Config& config, const Value& value) {
  if (value.node().kind == YamlNode::Kind::Refused) return;
  if (value.node().kind != YamlNode::Kind::List) return value.error_unexpected(value.node());
  config.trusted_proxies.emplace();
  for (const YamlNode& item : value.node().items) {
    if (item.kind == YamlNode::Kind::Refused) continue;
    if (item.kind != YamlNode::Kind::Scalar || item.is_null()) {
      value.error(item, "expected an address or a block such as 10.0.0.0/8, got " + describe(item));
    } else if (auto block = Cidr::parse(item.text); !block) {
      value.error(item, quoted(item.text) + ": " + block.error());
    } else {
      config.trusted_proxies->push_back(*block);
    }
  }
}

void store_access_log(Config& config, const Value& value) {
  if (value.node().kind == YamlNode::Kind::Mapping) return;  // ConfigReader's
  if (const auto enabled = value.as<bool>()) config.access_log.enabled = *enabled;
}

void store_access_log_file(AccessLogOptions& options, const Value& value) {
  auto path = value.as<std::string>();
  if (!path) return;
  // It is opened again later, perhaps by a program that runs elsewhere.
  if (path->front() != '/')
    value.error("expected an absolute path, got " + quoted(*path));
  else
    options.file = *std::move(path);
}

void store_access_log_format(AccessLogOptions& options, const Value& value) {
  if (const auto format = value.as<AccessFormat>()) options.format = *format;
}

void store_duration_buckets(Config& config, const Value& value) {
  if (value.node().kind == YamlNode::Kind::Refused) return;
  const auto& items = value.node().items;
  if (value.node().kind != YamlNode::Kind::List) return value.error_unexpected(value.node());
  if (items.empty() || items.size() > stats::kMaxDurationBounds)
    return value.error("expected 1 to " + std::to_string(stats::kMaxDurationBounds) + " durations, got " +
                       std::to_string(items.size()));
  stats::DurationBounds bounds;
  for (const YamlNode& item : items) {
    if (item.kind == YamlNode::Kind::Refused) return;
    if (item.kind != YamlNode::Kind::Scalar || item.is_null())
      return value.error(item, "expected a duration such as 10ms, got " + describe(item));
    const auto exact = parse_nanoseconds(item.text);
    if (!exact) return value.error(item, exact.error());
    const auto micros = static_cast<uint64_t>(exact->count() / 1000);
    if (micros < value.key().min || micros > value.key().max)
      return value.error(item, "expected a duration from 10us to 30m, got " + quoted(item.text));
    if (!bounds.empty() && micros <= bounds.back())
      return value.error(item, quoted(item.text) + " is not longer than the one before it: the list must ascend");
    bounds.push_back(micros);
  }
  config.request_duration_buckets = std::move(bounds);
}

void store_server_name(TlsOptions& tls, const Value& value) {
  const auto name = value.as<std::string>();
  if (!name) return;
  if (const auto error = check_host(*name))
    value.error(value.node(), *error);
  else
    tls.server_name = to_lower(*name);
}

void store_admin_socket(Config& config, const Value& value) {
  auto path = value.as<std::string>();
  if (!path) return;
  // `restgate reload` looks for it too, in a directory of its own.
  if (path->front() != '/')
    value.error("expected an absolute path, got " + quoted(*path));
  else
    config.admin_socket = *std::move(path);
}

void store_admin_address(Config& config, const Value& value) {
  const auto address = value.as<std::string>();
  if (!address) return;
  if (!platform::Address::parse(*address, 0))
    value.error_unexpected(value.node());
  else if (*address != "::")  // which is what there is without the key
    config.admin_address = *address;
}

}  // namespace restgate::config
