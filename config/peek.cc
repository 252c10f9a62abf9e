#include "config/peek.h"

#include <optional>

#include "config/diagnostic.h"
#include "config/source_text.h"
#include "config/yaml_tree.h"

namespace restgate::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// What stands behind "key:" on a line: without quotes, without a comment.
std::string_view plain_value(std::string_view text) {
  text = trimmed(text);
  if (!text.empty() && (text.front() == '"' || text.front() == '\'')) {
    const size_t end = text.find(text.front(), 1);
    return end == std::string_view::npos ? "" : text.substr(1, end - 1);
  }
  if (text.starts_with('#')) return "";
  return trimmed(text.substr(0, text.find(" #")));
}

}  // namespace

std::string peek(std::string_view text, std::string_view key) {
  SourceText source(text);
  DiagnosticList diagnostics("", source);
  const std::optional<YamlNode> root = parse_yaml(diagnostics);
  if (const YamlEntry* entry = root ? root->find(key) : nullptr)
    return entry->value.kind == YamlNode::Kind::Scalar && !entry->value.is_null() ? entry->value.text : "";
  if (diagnostics.empty()) return "";
  for (uint32_t number = 1; number <= source.line_count(); ++number) {
    const std::string_view line = source.line(number);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':'))
      return std::string(plain_value(line.substr(key.size() + 1)));
  }
  return "";
}

}  // namespace restgate::config
