#include "integration/torture/table.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace restgate::itest::torture {

namespace {

// One line: a name to the left, everything else to the right of columns as wide as their heading.
std::string line_of(const std::vector<std::string>& headings, const std::vector<std::string>& cells) {
  constexpr size_t kNameWidth = 42;
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t width = i == 0 ? kNameWidth : std::max<size_t>(headings[i].size(), 5) + 2;
    const std::string fill(width - std::min(width, cells[i].size()), ' ');
    line += i == 0 ? cells[i] + fill : fill + cells[i];
  }
  return line + "\n";
}

std::string joined(const std::vector<std::string>& headings, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = line_of(headings, headings);
  for (const std::string& line : lines) text += line;
  return text;
}

const std::vector<std::string>& trial_headings() {
  static const std::vector<std::string> kHeadings = {"operation", "times",   "short",  "busy",      "thinking",
                                                     "post",      "slow",    "frames", "lost",      "forgiven",
                                                     "announced", "slowest", "fds",    "KiB grown", "verdict"};
  return kHeadings;
}

const std::vector<std::string>& failure_headings() {
  static const std::vector<std::string> kHeadings = {"failures", "reloads",   "short",    "busy",
                                                     "thinking", "post",      "slow",     "tunnel",
                                                     "seen",     "announced", "answered", "processes left"};
  return kHeadings;
}

}  // namespace

void Table::add(const std::string& name, const Evidence& evidence, const Verdict& verdict) {
  std::vector<std::string> cells = {name, std::to_string(evidence.operations)};
  for (const Kind kind : {Kind::Short, Kind::Busy, Kind::Thinking, Kind::Post, Kind::Slow})
    cells.push_back(std::to_string(of(evidence.scores, kind).good));
  const Score all = total(evidence.scores);
  cells.push_back(std::to_string(all.frames));
  cells.push_back(std::to_string(verdict.lost));
  cells.push_back(std::to_string(verdict.forgiven));
  cells.push_back(std::to_string(all.announced));
  cells.push_back(std::to_string(all.slowest.count()) + " ms");
  const auto grown = static_cast<int64_t>(evidence.after.memory) - static_cast<int64_t>(evidence.before.memory);
  cells.push_back(evidence.at_rest ? std::to_string(evidence.after.descriptors) : "-");
  cells.push_back(evidence.at_rest ? std::to_string(grown / 1024) : "-");
  cells.emplace_back(verdict.complaints.empty() ? "good" : "BAD");
  lines_.push_back(line_of(trial_headings(), cells));
}

std::string Table::text() const {
  return joined(trial_headings(), lines_);
}

void FailureTable::add(const std::string& name, size_t reloads, const Scores& scores, size_t processes_left) {
  std::vector<std::string> cells = {name, std::to_string(reloads)};
  for (const Score& score : scores) cells.push_back(std::to_string(score.mishaps.size()));
  const Score all = total(scores);
  const auto seen =
      std::count_if(all.mishaps.begin(), all.mishaps.end(), [](const Mishap& m) { return m.seen_closed; });
  cells.push_back(std::to_string(seen));
  cells.push_back(std::to_string(all.announced));
  cells.push_back(std::to_string(all.good));
  cells.push_back(std::to_string(processes_left));
  lines_.push_back(line_of(failure_headings(), cells));
}

std::string FailureTable::text() const {
  return joined(failure_headings(), lines_);
}

}  // namespace restgate::itest::torture
