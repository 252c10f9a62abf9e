#include "config/yaml_tree.h"

#include <yaml.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "config/text.h"
#include "config/yaml_error.h"

namespace restgate::config {
namespace {

struct ParserDeleter {
  void operator()(yaml_parser_t* parser) const {
    yaml_parser_delete(parser);
    delete parser;
  }
};

/// One event; frees what libyaml allocated for it.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }
  yaml_event_t* fresh() {
    yaml_event_delete(&event_);
    event_ = {};
    return &event_;
  }
  const yaml_event_t* operator->() const { return &event_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

std::string_view view(const yaml_char_t* text, size_t length) {
  return {reinterpret_cast<const char*>(text), length};
}

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : reinterpret_cast<const char*>(text);
}

YamlNode::Style style_of(yaml_scalar_style_t style) {
  switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
      return YamlNode::Style::Quoted;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
      return YamlNode::Style::Block;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
      return YamlNode::Style::Plain;
  }
  return YamlNode::Style::Plain;
}

/// libyaml has put the standard prefix in the place of '!!'.
std::string tag_as_written(std::string_view tag) {
  constexpr std::string_view kStandard = "tag:yaml.org,2002:";
  return tag.starts_with(kStandard) ? "!!" + std::string(tag.substr(kStandard.size())) : std::string(tag);
}

/// Turns the events of one parser into nodes, by recursion that kMaxYamlDepth bounds. A function that returns false
/// has met something that ends the reading; it is reported then.
class TreeBuilder {
 public:
  explicit TreeBuilder(DiagnosticList& diagnostics) : diagnostics_(diagnostics) {}

  std::optional<YamlNode> build();

 private:
  bool next();
  bool build_node(YamlNode& node, const KeyPath& path, size_t depth);
  bool build_list(YamlNode& node, const KeyPath& path, size_t depth);
  bool build_mapping(YamlNode& node, const KeyPath& path, size_t depth);
  bool build_key(YamlEntry& entry, const KeyPath& path, size_t depth, bool& usable);
  void check_properties(const yaml_char_t* anchor, const yaml_char_t* tag, const KeyPath& path);
  void check_duplicates(const YamlNode& mapping, const KeyPath& path);
  bool check_end();
  void add(const KeyPath& path, std::string message) {
    diagnostics_.add(to_source_mark(event_->start_mark), path.str(), std::move(message));
  }

  DiagnosticList& diagnostics_;
  std::unique_ptr<yaml_parser_t, ParserDeleter> parser_;
  Event event_;
  size_t nodes_ = 0;
};

bool TreeBuilder::next() {
  if (yaml_parser_parse(parser_.get(), event_.fresh()) != 0) return true;
  report_yaml_error(*parser_, diagnostics_);
  return false;
}

void TreeBuilder::check_properties(const yaml_char_t* anchor, const yaml_char_t* tag, const KeyPath& path) {
  if (anchor != nullptr)
    add(path, "anchors are not supported ('&" + visible(view(anchor), 40) + "'): write the value where it is needed");
  if (tag != nullptr)
    add(path,
        "tags are not supported (" + quoted(tag_as_written(view(tag))) + "): leave it out, or put the value in quotes");
}

bool TreeBuilder::build_node(YamlNode& node, const KeyPath& path, size_t depth) {
  node.mark = to_source_mark(event_->start_mark);
  if (++nodes_ > kMaxYamlNodes) {
    add(path, "the file has more than " + std::to_string(kMaxYamlNodes) + " values");
    return false;
  }
  if (depth > kMaxYamlDepth) {
    add(path, "lists and mappings are nested more than " + std::to_string(kMaxYamlDepth) + " deep");
    return false;
  }
  if (event_->type == YAML_SCALAR_EVENT) {
    const auto& scalar = event_->data.scalar;
    check_properties(scalar.anchor, scalar.tag, path);
    node.style = style_of(scalar.style);
    node.text = view(scalar.value, scalar.length);
    return true;
  }
  if (event_->type == YAML_SEQUENCE_START_EVENT) {
    check_properties(event_->data.sequence_start.anchor, event_->data.sequence_start.tag, path);
    return build_list(node, path, depth);
  }
  if (event_->type == YAML_MAPPING_START_EVENT) {
    check_properties(event_->data.mapping_start.anchor, event_->data.mapping_start.tag, path);
    return build_mapping(node, path, depth);
  }
  add(path, "aliases are not supported ('*" + visible(view(event_->data.alias.anchor), 40) +
                "'): write the value out, or put it in quotes");
  node.kind = YamlNode::Kind::Refused;
  return true;
}

bool TreeBuilder::build_list(YamlNode& node, const KeyPath& path, size_t depth) {
  node.kind = YamlNode::Kind::List;
  while (next()) {
    if (event_->type == YAML_SEQUENCE_END_EVENT) return true;
    const KeyPath item_path{.parent = &path, .key = {}, .index = node.items.size()};
    if (!build_node(node.items.emplace_back(), item_path, depth + 1)) return false;
  }
  return false;
}

bool TreeBuilder::build_key(YamlEntry& entry, const KeyPath& path, size_t depth, bool& usable) {
  usable = event_->type == YAML_SCALAR_EVENT;
  if (usable) {
    const auto& scalar = event_->data.scalar;
    check_properties(scalar.anchor, scalar.tag, path);
    entry.key_mark = to_source_mark(event_->start_mark);
    entry.key = view(scalar.value, scalar.length);
    if (entry.key == "<<" && scalar.style == YAML_PLAIN_SCALAR_STYLE) {
      add(path, "merge keys ('<<') are not supported: write the keys out");
      usable = false;
    }
    return true;
  }
  if (event_->type != YAML_ALIAS_EVENT) add(path, "a key must be plain text");
  YamlNode ignored;
  return build_node(ignored, path, depth);
}

bool TreeBuilder::build_mapping(YamlNode& node, const KeyPath& path, size_t depth) {
  node.kind = YamlNode::Kind::Mapping;
  while (next()) {
    if (event_->type == YAML_MAPPING_END_EVENT) {
      check_duplicates(node, path);
      return true;
    }
    YamlEntry entry;
    bool usable = false;
    if (!build_key(entry, path, depth + 1, usable) || !next()) return false;
    const KeyPath value_path{.parent = &path, .key = entry.key};
    if (!build_node(entry.value, value_path, depth + 1)) return false;
    if (usable) node.entries.push_back(std::move(entry));
  }
  return false;
}

void TreeBuilder::check_duplicates(const YamlNode& mapping, const KeyPath& path) {
  std::vector<const YamlEntry*> sorted;
  sorted.reserve(mapping.entries.size());
  for (const YamlEntry& entry : mapping.entries) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const YamlEntry* a, const YamlEntry* b) { return a->key < b->key; });
  const YamlEntry* first = nullptr;
  for (const YamlEntry* entry : sorted) {
    if (first == nullptr || first->key != entry->key) {
      first = entry;
      continue;
    }
    const KeyPath key_path{.parent = &path, .key = entry->key};
    diagnostics_.add(entry->key_mark, key_path.str(),
                     "this key is already given at line " + std::to_string(first->key_mark.line) + ", column " +
                         std::to_string(first->key_mark.column));
  }
}

bool TreeBuilder::check_end() {
  if (!next() || !next()) return false;  // the document's end, then that of the stream
  if (event_->type == YAML_DOCUMENT_START_EVENT)
    add({}, "a second document begins here ('---'): a configuration is one document");
  return true;
}

std::optional<YamlNode> TreeBuilder::build() {
  auto parser = std::make_unique<yaml_parser_t>();
  if (yaml_parser_initialize(parser.get()) == 0) {
    diagnostics_.add({0, 0}, "", "out of memory while reading YAML");
    return std::nullopt;
  }
  parser_.reset(parser.release());
  const std::string_view text = diagnostics_.source().text();
  yaml_parser_set_input_string(parser_.get(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  yaml_parser_set_encoding(parser_.get(), YAML_UTF8_ENCODING);
  if (!next() || !next()) return std::nullopt;  // the stream's start, then that of the document
  if (event_->type == YAML_STREAM_END_EVENT) {
    diagnostics_.add({0, 0}, "", "the file has only comments");
    return std::nullopt;
  }
  YamlNode root;
  if (!next() || !build_node(root, {}, 0)) return std::nullopt;
  if (!check_end()) return std::nullopt;
  return root;
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [key](const YamlEntry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

bool YamlNode::is_null() const {
  return kind == Kind::Scalar && style == Style::Plain &&
         (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

std::optional<YamlNode> parse_yaml(DiagnosticList& diagnostics) {
  if (diagnostics.source().text().find_first_not_of(" \t\r\n") == std::string_view::npos) {
    diagnostics.add({0, 0}, "", "the file is empty");
    return std::nullopt;
  }
  if (!check_characters(diagnostics)) return std::nullopt;
  return TreeBuilder(diagnostics).build();
}

}  // namespace restgate::config
