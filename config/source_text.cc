#include "config/source_text.h"

#include <algorithm>

#include "config/text.h"

namespace restgate::config {

SourceText::SourceText(std::string_view text) : text_(text) {
  line_starts_.push_back(0);
  for (size_t at = text.find_first_of("\r\n"); at != std::string_view::npos; at = text.find_first_of("\r\n", at)) {
    at += text.substr(at, 2) == "\r\n" ? 2 : 1;
    line_starts_.push_back(at);
  }
}

size_t SourceText::line_start(uint32_t line) const {
  return line == 0 || line > line_starts_.size() ? text_.size() : line_starts_[line - 1];
}

std::string_view SourceText::line(uint32_t line) const {
  const size_t start = line_start(line);
  std::string_view rest = text_.substr(start, line_start(line + 1) - start);
  while (rest.ends_with('\n') || rest.ends_with('\r')) rest.remove_suffix(1);
  return rest;
}

size_t SourceText::offset_of(SourceMark mark) {
  if (mark.line != cursor_.line || mark.column < cursor_.column) {
    cursor_ = {mark.line, 1};
    cursor_offset_ = line_start(mark.line);
  }
  const std::string_view whole = line(mark.line);
  const size_t end = line_start(mark.line) + whole.size();
  for (; cursor_.column < mark.column && cursor_offset_ < end; ++cursor_.column)
    cursor_offset_ += decode_utf8(text_, cursor_offset_).length;
  return cursor_offset_;
}

SourceMark SourceText::mark_of(size_t offset) const {
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const auto line = static_cast<uint32_t>(next - line_starts_.begin());
  const size_t start = line_starts_[line - 1];
  const size_t column = count_code_points(text_.substr(start, offset - start)) + 1;
  return {line, static_cast<uint32_t>(column)};
}

}  // namespace restgate::config
