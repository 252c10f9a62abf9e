#include "config/parser.h"

#include <optional>
#include <utility>

#include "config/config_reader.h"
#include "config/file_text.h"
#include "config/source_text.h"
#include "config/yaml_tree.h"

namespace restgate::config {
namespace {

std::vector<Diagnostic> about_file(const std::string& file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  return {std::move(diagnostic)};
}

LoadResult read_config(std::string_view text, std::string file, const LoadChecks* checks) {
  if (text.size() > kMaxFileBytes) return about_file(file, file_too_large());
  SourceText source(text);
  DiagnosticList diagnostics(file, source);
  const std::optional<YamlNode> root = parse_yaml(diagnostics);
  if (!root) return diagnostics.take();
  Config config = ConfigReader(diagnostics, checks).read(*root, std::move(file));
  if (!diagnostics.empty()) return diagnostics.take();
  return config;
}

}  // namespace

LoadResult load(const std::string& path, const LoadChecks& checks, std::string* text) {
  std::string read;
  if (auto problem = read_file(path, read)) return about_file(path, *std::move(problem));
  LoadResult loaded = read_config(read, path, &checks);
  if (text != nullptr) *text = std::move(read);
  return loaded;
}

LoadResult parse(std::string_view text, std::string file, const LoadChecks* checks) {
  return read_config(text, std::move(file), checks);
}

}  // namespace restgate::config
