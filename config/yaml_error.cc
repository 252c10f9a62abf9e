#include "config/yaml_error.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "config/text.h"

namespace restgate::config {
namespace {

constexpr size_t kMostBadCharacters = 10;

/// What libyaml says, and what we say.
struct Sentence {
  std::string_view problem;
  std::string_view sentence;
};

constexpr std::array kSentences = std::to_array<Sentence>({
    {"mapping values are not allowed in this context",
     "a ':' is not expected here: put the value in quotes, or check the indentation"},
    {"block sequence entries are not allowed in this context",
     "a list item ('- ') is not expected here: begin the list on a line of its own"},
    {"mapping keys are not allowed in this context", "a '?' is not expected here: put the value in quotes"},
    {"did not find expected key", "expected a key here: check the indentation"},
    {"did not find expected '-' indicator", "expected the next list item ('- ') here: check the indentation"},
    {"did not find expected ',' or ']'", "expected ',' or ']'"},
    {"did not find expected ',' or '}'", "expected ',' or '}'"},
    {"did not find expected node content",
     "expected a value here: put one that begins with a ':' or a bracket in quotes"},
    {"did not find expected <document start>", "nothing more is expected here: check the indentation"},
    {"found unknown escape character",
     "unknown escape in a double-quoted string: write '\\\\' for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", "this escape needs hexadecimal digits"},
    {"found invalid Unicode character escape code", "this escape is not a Unicode character"},
    {"did not find expected alphabetic or numeric character", "a value cannot begin with '*' or '&': put it in quotes"},
    {"did not find expected comment or line break", "expected the end of the line here"},
    {"found an indentation indicator equal to 0", "the indentation after '|' or '>' must be from 1 to 9"},
    {"found undefined tag handle", "tags are not supported: put a value that begins with '!' in quotes"},
    {"found incompatible YAML document", "only YAML 1.1 and 1.2 are supported"},
    {"found unknown directive name", "a line cannot begin with '%': put the value in quotes"},
});

/// Whether the problem is best shown where its context began.
bool points_at_context(std::string_view problem, std::string_view context) {
  return (context == "while scanning a quoted scalar" && problem.starts_with("found unexpected")) ||
         (context == "while scanning a simple key");
}

std::string place(SourceMark mark) {
  return "line " + std::to_string(mark.line) + ", column " + std::to_string(mark.column);
}

/// Which list, mapping or quote the problem is in, when that began on another place.
std::string opened_at(std::string_view context, SourceMark mark) {
  if (context == "while parsing a flow sequence") return " (the '[' is at " + place(mark) + ")";
  if (context == "while parsing a flow mapping") return " (the '{' is at " + place(mark) + ")";
  if (context == "while parsing a block mapping") return " (these keys begin at " + place(mark) + ")";
  if (context == "while parsing a block collection") return " (this list begins at " + place(mark) + ")";
  return "";
}

size_t indentation_tab(std::string_view line) {
  const size_t tab = line.find('\t');
  return line.find_first_not_of(" \t") > tab ? tab : std::string_view::npos;
}

/// A tab in the indentation of the line that libyaml stumbled over explains most of what it says.
bool report_tab(SourceMark mark, DiagnosticList& diagnostics) {
  SourceText& source = diagnostics.source();
  const size_t tab = indentation_tab(source.line(mark.line));
  if (tab == std::string_view::npos) return false;
  size_t others = 0;
  for (uint32_t line = mark.line + 1; line <= source.line_count(); ++line)
    if (indentation_tab(source.line(line)) != std::string_view::npos) ++others;
  std::string message = "a tab indents this line";
  if (others > 0) message += " and " + std::to_string(others) + (others == 1 ? " line" : " lines") + " below";
  diagnostics.add({mark.line, static_cast<uint32_t>(tab) + 1}, "", message + ": YAML allows only spaces there");
  return true;
}

std::string bad_start(SourceMark mark, SourceText& source) {
  const size_t at = source.offset_of(mark);
  if (at >= source.text().size()) return "a value is not expected here";
  const size_t length = decode_utf8(source.text(), at).length;
  return "a value cannot begin with " + quoted(source.text().substr(at, length)) + ": put it in quotes";
}

std::string sentence_for(std::string_view problem, std::string_view context, SourceMark mark, SourceText& source) {
  if (points_at_context(problem, context))
    return context == "while scanning a simple key" ? "expected ':' after this key, on the same line"
                                                    : "this quote is never closed";
  if (problem == "found character that cannot start any token") return bad_start(mark, source);
  const auto* known = std::find_if(kSentences.begin(), kSentences.end(),
                                   [problem](const Sentence& row) { return row.problem == problem; });
  if (known != kSentences.end()) return std::string(known->sentence);
  std::string message = "this is not YAML: ";
  if (!context.empty()) message += std::string(context) + ": ";
  return message.append(problem);
}

std::string_view view(const char* text) {
  return text == nullptr ? std::string_view() : text;
}

/// Why a code point may not stand in the file; "": it may.
std::string_view objection(const CodePoint& point) {
  if (!point.valid) return "this byte is not valid UTF-8: save the file as UTF-8";
  const uint32_t c = point.value;
  if (c == 0) return "a NUL byte: is this a text file in UTF-8?";
  if (c == 0x85 || c == 0x2028 || c == 0x2029)
    return "a Unicode line break that editors do not count: use a newline, or an escape in double quotes";
  if (c == 0xfeff) return "a byte order mark: save the file as UTF-8 without it";
  if (c == '\t' || c == '\n' || c == '\r') return "";
  if (is_control(c)) return "a control character: use an escape in double quotes";
  if (c == 0xfffe || c == 0xffff) return "a character that YAML does not allow";
  return "";
}

}  // namespace

SourceMark to_source_mark(const yaml_mark_t& mark) {
  return {static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
}

bool check_characters(DiagnosticList& diagnostics) {
  const SourceText& source = diagnostics.source();
  const std::string_view text = source.text();
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    diagnostics.add({1, 1}, "", "the file is UTF-16: save it as UTF-8");
    return false;
  }
  size_t found = 0;
  for (size_t at = 0; at < text.size() && found < kMostBadCharacters;) {
    const CodePoint point = decode_utf8(text, at);
    if (point.value < 0x20 || point.value > 0x7e) {
      const std::string_view message = objection(point);
      if (!message.empty()) {
        ++found;
        diagnostics.add(source.mark_of(at), "", std::string(message));
      }
    }
    at += point.length;
  }
  return found == 0;
}

void report_yaml_error(const yaml_parser_t& parser, DiagnosticList& diagnostics) {
  const std::string_view problem = view(parser.problem);
  const std::string_view context = view(parser.context);
  if (parser.error == YAML_MEMORY_ERROR) {
    diagnostics.add({0, 0}, "", "out of memory while reading YAML");
    return;
  }
  const SourceMark mark = to_source_mark(parser.problem_mark);
  if (report_tab(mark, diagnostics)) return;
  const SourceMark context_mark = to_source_mark(parser.context_mark);
  std::string message = sentence_for(problem, context, mark, diagnostics.source());
  const bool at_context = points_at_context(problem, context);
  if (!at_context) message += opened_at(context, context_mark);
  diagnostics.add(at_context ? context_mark : mark, "", std::move(message));
}

}  // namespace restgate::config
