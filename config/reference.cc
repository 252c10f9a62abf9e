#include "config/reference.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "config/keys.h"

namespace restgate::config {
namespace {

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

}  // namespace

std::string type_text(const KeyInfo& key) {
  const std::string range = " " + std::to_string(key.min) + "–" + std::to_string(key.max);
  switch (key.kind) {
    case ValueKind::Name:
    case ValueKind::Text:
      return "text";
    case ValueKind::File:
      return "file";
    case ValueKind::Host:
      return "host name";
    case ValueKind::Integer:
      return "integer" + range;
    case ValueKind::IntegerOrAuto:
      return "`auto` or integer" + range;
    case ValueKind::Boolean:
      return "boolean";
    case ValueKind::BooleanOrMapping:
      return "boolean or mapping";
    case ValueKind::Duration:
      return key.may_be_off ? "duration or `off`" : "duration";
    case ValueKind::Durations:
      return "list of durations";
    case ValueKind::Size:
      return key.may_be_off ? "size or `off`" : "size";
    case ValueKind::Choice: {
      std::string all;
      for (const std::string_view choice : key.choices) all += (all.empty() ? "" : ", ") + code(choice);
      return all;
    }
    case ValueKind::Url:
      return "URL";
    case ValueKind::Methods:
      return "text or list";
    case ValueKind::Pattern:
      return "pattern";
    case ValueKind::Address:
      return "address";
    case ValueKind::AddressBlocks:
      return "list of addresses and blocks";
    case ValueKind::Account:
      return "name or number";
    case ValueKind::List:
      return "list";
    case ValueKind::Mapping:
      return "mapping";
  }
  return "";
}

std::string default_cell(const KeyInfo& key) {
  if (key.required) return "**required**";
  return key.default_text.empty() ? std::string(key.default_note) : code(key.default_text);
}

namespace {

/// JSON text with two blanks of indentation a level. Strings are taken from the tables: they need `"` and `\` escaped,
/// and nothing else.
class JsonWriter {
 public:
  void open(char bracket, std::string_view key = {}) {
    begin_item(key);
    out_ += bracket;
    first_ = true;
    closing_.push_back(bracket == '{' ? '}' : ']');
  }
  void close() {
    const char bracket = closing_.back();
    closing_.pop_back();
    if (!first_) new_line();
    out_ += bracket;
    first_ = false;
  }
  void string(std::string_view key, std::string_view text) { raw(key, quote(text)); }
  void number(std::string_view key, uint64_t number) { raw(key, std::to_string(number)); }
  void raw(std::string_view key, std::string_view json) {
    begin_item(key);
    out_ += json;
  }
  /// A list of strings on one line.
  void strings(std::string_view key, const std::vector<std::string_view>& texts) {
    std::string json;
    for (const std::string_view text : texts) json += (json.empty() ? "[" : ", ") + quote(text);
    raw(key, json + "]");
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  static std::string quote(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return quoted + "\"";
  }
  void new_line() { out_ += "\n" + std::string(closing_.size() * 2, ' '); }
  void begin_item(std::string_view key) {
    if (!closing_.empty()) {
      if (!first_) out_ += ',';
      new_line();
    }
    if (!key.empty()) out_ += quote(key) + ": ";
    first_ = false;
  }

  std::string out_;
  std::string closing_;
  bool first_ = true;
};

constexpr std::string_view kDurationPattern = R"(^(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$)";
constexpr std::string_view kSizePattern = "^[0-9]+(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$";
constexpr std::string_view kMethodPattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

void write_alternative(JsonWriter& json, std::string_view type, std::string_view keyword, std::string_view value) {
  json.open('{');
  json.string("type", type);
  json.string(keyword, value);
  json.close();
}

void write_constant(JsonWriter& json, std::string_view constant) {
  json.open('{');
  json.raw("const", constant);
  json.close();
}

void write_amount(JsonWriter& json, const KeyInfo& key) {
  json.open('[', "anyOf");
  if (key.kind == ValueKind::Duration) {
    write_alternative(json, "string", "pattern", kDurationPattern);
  } else {
    write_alternative(json, "string", "pattern", kSizePattern);
    json.open('{');
    json.string("type", "integer");
    json.number("minimum", key.may_be_off ? 0 : key.min);
    json.close();
  }
  if (key.may_be_off) {
    write_constant(json, "\"off\"");
    write_constant(json, "false");  // what a checker that reads YAML 1.1 makes of a plain off
  }
  if (key.may_be_off && key.kind == ValueKind::Duration) write_constant(json, "0");
  json.close();
}

void write_integer(JsonWriter& json, const KeyInfo& key) {
  json.string("type", "integer");
  json.number("minimum", key.min);
  json.number("maximum", key.max);
}

void write_account(JsonWriter& json, const KeyInfo& key) {
  json.open('[', "anyOf");
  json.open('{');
  json.string("type", "string");
  json.number("minLength", key.min);
  json.number("maxLength", key.max);
  json.close();
  json.open('{');
  json.string("type", "integer");
  json.number("minimum", 0);
  json.number("maximum", UINT32_MAX - 1);
  json.close();
  json.close();
}

void write_methods(JsonWriter& json) {
  json.open('[', "anyOf");
  write_alternative(json, "string", "pattern", "^[^,]+(,[^,]+)*$");
  json.open('{');
  json.string("type", "array");
  json.number("minItems", 1);
  json.open('{', "items");
  json.string("type", "string");
  json.string("pattern", kMethodPattern);
  json.close();
  json.close();
  json.close();
}

void write_level(JsonWriter& json, const std::vector<KeyLevel>& levels, std::string_view path);

void write_type(JsonWriter& json, const std::vector<KeyLevel>& levels, const KeyInfo& key, const std::string& path) {
  switch (key.kind) {
    case ValueKind::Name:
    case ValueKind::Text:
    case ValueKind::File:
    case ValueKind::Host:
      json.string("type", "string");
      json.number("minLength", key.min);
      json.number("maxLength", key.max);
      return;
    case ValueKind::Integer:
      return write_integer(json, key);
    case ValueKind::IntegerOrAuto:
      json.open('[', "anyOf");
      write_constant(json, "\"auto\"");
      json.open('{');
      write_integer(json, key);
      json.close();
      json.close();
      return;
    case ValueKind::Boolean:
      return json.string("type", "boolean");
    case ValueKind::BooleanOrMapping:
      json.open('[', "anyOf");
      json.open('{');
      json.string("type", "boolean");
      json.close();
      json.open('{');
      write_level(json, levels, path);
      json.close();
      return json.close();
    case ValueKind::Duration:
    case ValueKind::Size:
      return write_amount(json, key);
    case ValueKind::Durations:
      json.string("type", "array");
      json.number("minItems", 1);
      json.number("maxItems", stats::kMaxDurationBounds);
      json.open('{', "items");
      json.string("type", "string");
      json.string("pattern", kDurationPattern);
      return json.close();
    case ValueKind::Choice:
      return json.strings("enum", {key.choices.begin(), key.choices.end()});
    case ValueKind::Url:
      json.string("type", "string");
      return json.string("pattern", "^[Hh][Tt][Tt][Pp][Ss]?://[^#@]+$");
    case ValueKind::Methods:
      return write_methods(json);
    case ValueKind::Pattern:
      json.string("type", "string");
      return json.string("pattern", "^/");
    case ValueKind::Address:
      json.string("type", "string");
      return json.string("pattern", "^[0-9A-Fa-f:.]+(%.+)?$");
    case ValueKind::AddressBlocks:
      json.string("type", "array");
      json.open('{', "items");
      json.string("type", "string");
      json.string("pattern", "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$");
      return json.close();
    case ValueKind::Account:
      return write_account(json, key);
    case ValueKind::List:
      json.string("type", "array");
      json.number("minItems", 1);
      json.open('{', "items");
      write_level(json, levels, path + "[]");
      return json.close();
    case ValueKind::Mapping:
      return write_level(json, levels, path);
  }
}

/// The words of "[a, b]".
std::vector<std::string_view> listed(std::string_view text) {
  std::vector<std::string_view> words;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const size_t end = std::min(text.find(", "), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  return words;
}

void write_default(JsonWriter& json, const KeyInfo& key) {
  if (key.default_text.empty()) return;
  const bool bare =
      key.kind == ValueKind::Boolean || key.kind == ValueKind::BooleanOrMapping || key.kind == ValueKind::Integer;
  if (key.kind == ValueKind::Durations)
    json.strings("default", listed(key.default_text));
  else if (bare)
    json.raw("default", key.default_text);
  else
    json.string("default", key.default_text);
}

void write_level(JsonWriter& json, const std::vector<KeyLevel>& levels, std::string_view path) {
  const auto level = std::find_if(levels.begin(), levels.end(), [path](const KeyLevel& l) { return l.path == path; });
  json.string("type", "object");
  json.raw("additionalProperties", "false");
  std::vector<std::string_view> required;
  for (const KeyInfo& key : level->keys)
    if (key.required) required.push_back(key.name);
  if (!required.empty()) json.strings("required", required);
  json.open('{', "properties");
  for (const KeyInfo& key : level->keys) {
    json.open('{', key.name);
    json.string("description", key.doc);
    write_type(json, levels, key, std::string(path) + (path.empty() ? "" : ".") + std::string(key.name));
    write_default(json, key);
    json.close();
  }
  json.close();
}

}  // namespace

std::string reference_markdown() {
  std::string out;
  for (const KeyLevel& level : key_levels()) {
    if (!level.path.empty()) out += "\nKeys of " + code(level.path) + ":\n\n";
    out += "| key | type | default | |\n|---|---|---|---|\n";
    for (const KeyInfo& key : level.keys)
      out += "| " + code(key.name) + " | " + type_text(key) + " | " + default_cell(key) + " | " + std::string(key.doc) +
             " |\n";
  }
  return out;
}

std::string json_schema() {
  JsonWriter json;
  json.open('{');
  json.string("$schema", "https://json-schema.org/draft/2020-12/schema");
  json.string("title", "RESTGate configuration");
  write_level(json, key_levels(), "");
  json.close();
  return json.take() + "\n";
}

}  // namespace restgate::config
