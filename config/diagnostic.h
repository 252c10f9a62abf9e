// Diagnostic: one thing that is wrong with a configuration file, where, and in which words. Master.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "config/source_text.h"

namespace restgate::config {

struct Diagnostic {
  std::string file;         ///< as given
  SourceMark mark;          ///< line 0: about the file as a whole
  std::string path;         ///< "observed_services[1].routes[0].pattern"; "": not about one key
  std::string message;      ///< one sentence; foreign text in it is escaped
  std::string source_line;  ///< the line, or the part of it around the mark, safe to show; "": none
  size_t caret_column = 0;  ///< 0-based column of source_line that the mark stands for
};

/// `file:line:column: path: message`, the line and a line with a caret; no newline at the end.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);
/// All of them, a newline between two.
[[nodiscard]] std::string to_string(const std::vector<Diagnostic>& diagnostics);

/// Where a value stands among the keys: a chain of stack frames, written out only when a diagnostic needs it.
struct KeyPath {
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);

  const KeyPath* parent = nullptr;
  std::string_view key;
  size_t index = kNoIndex;  ///< of an item in a list; `key` is then unused

  [[nodiscard]] std::string str() const;
};

/// Collects what is wrong, in any order; hands it out in file order. Bounded: past kMost only counts.
class DiagnosticList {
 public:
  static constexpr size_t kMost = 1000;

  DiagnosticList(std::string file, SourceText& source) : file_(std::move(file)), source_(source) {}

  enum class Show : uint8_t { Source, Nothing };  ///< Nothing: the line may hold a password
  void add(SourceMark mark, std::string path, std::string message, Show show = Show::Source);
  [[nodiscard]] bool empty() const { return found_.empty(); }
  [[nodiscard]] bool full() const { return found_.size() >= kMost; }
  [[nodiscard]] SourceText& source() { return source_; }
  /// Sorted by place, each with its source line; the list is then empty.
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  struct Found {
    Diagnostic diagnostic;
    Show show;
  };

  void show_source(Diagnostic& diagnostic);

  std::string file_;
  SourceText& source_;
  std::vector<Found> found_;
  size_t surplus_ = 0;
};

}  // namespace restgate::config
