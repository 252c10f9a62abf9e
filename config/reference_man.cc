// The reference of the keys as man(7) has it, from the same texts as the README's table.
#include <string>
#include <string_view>

#include "config/keys.h"
#include "config/reference.h"

namespace restgate::config {
namespace {

constexpr std::string_view kEnDash = "\u2013";

/// Inline Markdown as troff: `code` becomes bold, **this** italic. Every line of the result is text, none a request.
std::string troff(std::string_view markdown) {
  std::string out;
  bool in_code = false;
  bool in_strong = false;
  for (size_t i = 0; i < markdown.size(); ++i) {
    const std::string_view rest = markdown.substr(i);
    if (rest.front() == '`') {
      in_code = !in_code;
      out += in_code ? "\\fB" : "\\fR";
    } else if (rest.starts_with("**") && !in_code) {
      in_strong = !in_strong;
      out += in_strong ? "\\fI" : "\\fR";
      ++i;
    } else if (rest.starts_with(kEnDash)) {
      out += "\\(en";
      i += kEnDash.size() - 1;
    } else if (rest.front() == '\\') {
      out += "\\e";
    } else if (rest.front() == '-') {
      out += "\\-";
    } else if ((rest.front() == '.' || rest.front() == '\'') && out.empty()) {
      out += "\\&" + std::string(1, rest.front());
    } else {
      out += rest.front();
    }
  }
  return out;
}

}  // namespace

std::string reference_man() {
  std::string out;
  for (const KeyLevel& level : key_levels()) {
    out += ".SS " + (level.path.empty() ? "Keys of the top level" : "Keys of " + troff(level.path)) + "\n";
    for (const KeyInfo& key : level.keys)
      out += ".TP\n.B " + troff(key.name) + "\n" + troff(key.doc) + "\n.br\nValue: " + troff(type_text(key)) + ". " +
             (key.required ? "Required" : "Default: " + troff(default_cell(key))) + ".\n";
  }
  return out;
}

}  // namespace restgate::config
