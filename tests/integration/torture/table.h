// Table: what is printed at the end: a line a trial. Test process; pure.
#pragma once

#include <string>
#include <vector>

#include "integration/torture/verdict.h"

namespace restgate::itest::torture {

class Table {
 public:
  void add(const std::string& name, const Evidence& evidence, const Verdict& verdict);
  /// Empty when nothing was added.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> lines_;
};

/// Failures by kind and, of all kinds, by outcome: for comparisons.
class FailureTable {
 public:
  void add(const std::string& name, size_t reloads, const Scores& scores, size_t processes_left);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace restgate::itest::torture
