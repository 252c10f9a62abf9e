// SourceText: the configuration's bytes with a line index. Translates between line:column and byte offsets. Master.
//
// Borrows the text: it must outlive the SourceText. Lines end at LF, CR LF or CR, as libyaml counts them; columns count
// code points, as libyaml's marks do. Both are 1-based.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace restgate::config {

class SourceText {
 public:
  explicit SourceText(std::string_view text);

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] uint32_t line_count() const { return static_cast<uint32_t>(line_starts_.size()); }
  /// Byte offset at which the line begins; a line beyond the last one begins at the end.
  [[nodiscard]] size_t line_start(uint32_t line) const;
  /// The line without its break.
  [[nodiscard]] std::string_view line(uint32_t line) const;

  /// Byte offset of a mark; at most the end of its line. Remembers where it was, so that a walk along one very long
  /// line is not quadratic.
  [[nodiscard]] size_t offset_of(SourceMark mark);
  /// The mark of a byte offset.
  [[nodiscard]] SourceMark mark_of(size_t offset) const;

 private:
  std::string_view text_;
  std::vector<size_t> line_starts_;
  SourceMark cursor_{1, 1};
  size_t cursor_offset_ = 0;
};

}  // namespace restgate::config
