#include "config/diagnostic.h"

#include <algorithm>
#include <utility>

#include "config/text.h"

namespace restgate::config {
namespace {

constexpr size_t kKeyColumns = 60;       // of a key in a path
constexpr size_t kExcerptColumns = 120;  // of a source line
constexpr size_t kBeforeCaret = 60;      // bytes kept left of the caret when a line is cut

// Backs up to the first byte of a code point.
size_t code_point_start(std::string_view text, size_t at) {
  size_t start = at;
  while (start > 0 && at - start < 3 && (static_cast<unsigned char>(text[start]) & 0xc0U) == 0x80U) --start;
  return start;
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  std::string out = diagnostic.file;
  if (diagnostic.mark.line > 0)
    out += ":" + std::to_string(diagnostic.mark.line) + ":" + std::to_string(diagnostic.mark.column);
  out += ": ";
  if (!diagnostic.path.empty()) out += diagnostic.path + ": ";
  out += diagnostic.message;
  if (!diagnostic.source_line.empty())
    out += "\n  " + diagnostic.source_line + "\n  " + std::string(diagnostic.caret_column, ' ') + "^";
  return out;
}

std::string to_string(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!out.empty()) out += '\n';
    out += to_string(diagnostic);
  }
  return out;
}

std::string KeyPath::str() const {
  if (index != kNoIndex) return (parent != nullptr ? parent->str() : "") + "[" + std::to_string(index) + "]";
  std::string before = parent != nullptr ? parent->str() : "";
  if (!before.empty() && !key.empty()) before += '.';
  return before + visible(key, kKeyColumns);
}

void DiagnosticList::add(SourceMark mark, std::string path, std::string message, Show show) {
  if (full()) {
    ++surplus_;
    return;
  }
  Diagnostic diagnostic;
  diagnostic.file = file_;
  diagnostic.mark = mark;
  diagnostic.path = std::move(path);
  diagnostic.message = std::move(message);
  found_.push_back({std::move(diagnostic), show});
}

void DiagnosticList::show_source(Diagnostic& diagnostic) {
  if (diagnostic.mark.line == 0) return;
  const std::string_view line = source_.line(diagnostic.mark.line);
  const size_t caret = source_.offset_of(diagnostic.mark) - source_.line_start(diagnostic.mark.line);
  size_t at = caret > 2 * kBeforeCaret ? code_point_start(line, caret - kBeforeCaret) : 0;
  std::string& out = diagnostic.source_line;
  if (at > 0) out = "...";
  size_t columns = out.size();  // one for each code point shown, more for an escape
  diagnostic.caret_column = columns;
  while (at < line.size()) {
    if (at == caret) diagnostic.caret_column = columns;
    if (columns >= kExcerptColumns && at > caret + kBeforeCaret) {
      out += "...";
      return;
    }
    const CodePoint point = decode_utf8(line, at);
    const size_t before = out.size();
    append_visible(out, line, point, at);
    columns += count_code_points(std::string_view(out).substr(before));
    at += point.length;
  }
  if (caret >= line.size()) diagnostic.caret_column = columns;
}

std::vector<Diagnostic> DiagnosticList::take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    const SourceMark& left = a.diagnostic.mark;
    const SourceMark& right = b.diagnostic.mark;
    return left.line != right.line ? left.line < right.line : left.column < right.column;
  });
  std::vector<Diagnostic> all;
  all.reserve(found_.size() + 1);
  for (Found& found : found_) {
    if (found.show == Show::Source) show_source(found.diagnostic);
    all.push_back(std::move(found.diagnostic));
  }
  found_.clear();
  if (surplus_ > 0) {
    Diagnostic& last = all.emplace_back();
    last.file = file_;
    last.message = "and " + std::to_string(std::exchange(surplus_, 0)) + " more";
  }
  return all;
}

}  // namespace restgate::config
