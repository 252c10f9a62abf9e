// The text as a whole: characters, YAML syntax, what of YAML is refused.
#include <gtest/gtest.h>

#include <string>

#include "config/error_rows.h"

namespace restgate::config {
namespace {

const ErrorRow kRows[] = {
    {"EmptyFile", "", R"(gate.yaml: the file is empty)"},
    {"OnlyBlanks", " \n\n\t\n", R"(gate.yaml: the file is empty)"},
    {"OnlyComments", R"(# nothing here
)",
     R"(gate.yaml: the file has only comments)"},
    {"NullDocument", R"(---
)",
     R"(gate.yaml:2:1: the document is empty)"},
    {"TextAtTheTop", R"(hello
)",
     R"(gate.yaml:1:1: expected keys such as 'port: 7000' and 'observed_services:' at the top level
  hello
  ^)"},
    {"ListAtTheTop", R"(- port: 7000
)",
     R"(gate.yaml:1:1: expected keys such as 'port: 7000' and 'observed_services:' at the top level
  - port: 7000
  ^)"},
    {"TabIndents", "observed_services:\n\t- name: a\n\t  service_url: http://a\n",
     R"(gate.yaml:2:1: a tab indents this line and 1 line below: YAML allows only spaces there
  \t- name: a
  ^)"},
    {"TabContinuesAValue", "port: 7000\n\tadmin_port: 9000\n",
     R"(gate.yaml:2:1: a tab indents this line: YAML allows only spaces there
  \tadmin_port: 9000
  ^)"},
    {"ByteOrderMark", "\357\273\277port: 7000\n",
     R"(gate.yaml:1:1: a byte order mark: save the file as UTF-8 without it
  \ufeffport: 7000
  ^)"},
    {"Utf16", std::string_view("\377\376p\000o\000", 6),
     R"(gate.yaml:1:1: the file is UTF-16: save it as UTF-8
  \xff\xfep\x00o\x00
  ^)"},
    {"BadUtf8", "description: caf\351\n",
     R"(gate.yaml:1:17: this byte is not valid UTF-8: save the file as UTF-8
  description: caf\xe9
                  ^)"},
    {"OverlongUtf8", "a: \300\257\n",
     R"(gate.yaml:1:4: this byte is not valid UTF-8: save the file as UTF-8
  a: \xc0\xaf
     ^
gate.yaml:1:5: this byte is not valid UTF-8: save the file as UTF-8
  a: \xc0\xaf
         ^)"},
    {"Nul", std::string_view("port: 7000\000\n", 12),
     R"(gate.yaml:1:11: a NUL byte: is this a text file in UTF-8?
  port: 7000\x00
            ^)"},
    {"Control", "a: \033[31mred\n",
     R"(gate.yaml:1:4: a control character: use an escape in double quotes
  a: \x1b[31mred
     ^)"},
    {"LineSeparator", "a: b\342\200\250c: d\n",
     R"(gate.yaml:1:5: a Unicode line break that editors do not count: use a newline, or an escape in double quotes
  a: b\u2028c: d
      ^)"},
    {"SeveralDocuments", R"(port: 7000
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
---
port: 7001
)",
     R"(gate.yaml:7:1: a second document begins here ('---'): a configuration is one document
  ---
  ^)"},
    {"AnchorAndAlias", R"(read_timeout: &t 5s
write_timeout: *t
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
)",
     R"(gate.yaml:1:15: read_timeout: anchors are not supported ('&t'): write the value where it is needed
  read_timeout: &t 5s
                ^
gate.yaml:2:16: write_timeout: aliases are not supported ('*t'): write the value out, or put it in quotes
  write_timeout: *t
                 ^)"},
    {"MergeKey", R"(<<: {port: 7000}
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
)",
     R"(gate.yaml:1:1: merge keys ('<<') are not supported: write the keys out
  <<: {port: 7000}
  ^)"},
    {"Tag", R"(port: !!int 7000
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
)",
     R"(gate.yaml:1:7: port: tags are not supported ('!!int'): leave it out, or put the value in quotes
  port: !!int 7000
        ^)"},
    {"ListAsKey", R"(? [port]
: 7000
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
)",
     R"(gate.yaml:1:3: a key must be plain text
  ? [port]
    ^)"},
    {"DuplicateKeys", R"(port: 7000
admin_port: 9000
port: 7001
port: 7002
observed_services:
  - name: a
    service_url: http://a
    routes:
      - {name: r, methods: GET, pattern: /}
)",
     R"(gate.yaml:3:1: port: this key is already given at line 1, column 1
  port: 7001
  ^
gate.yaml:4:1: port: this key is already given at line 1, column 1
  port: 7002
  ^)"},
    {"UnclosedQuote", R"(log_level: "info
port: 7000
)",
     R"(gate.yaml:1:12: this quote is never closed
  log_level: "info
             ^)"},
    {"UnclosedList", R"(observed_services: [a, b
port: 7000
)",
     R"(gate.yaml:2:5: expected ',' or ']' (the '[' is at line 1, column 20)
  port: 7000
      ^)"},
    {"UnclosedMapping", R"(observed_services:
  - {name: a
)",
     R"(gate.yaml:3:1: expected ',' or '}' (the '{' is at line 2, column 5))"},
    {"WrongIndentation", R"(observed_services:
  - name: a
    service_url: http://a
   routes: []
)",
     R"(gate.yaml:4:4: expected the next list item ('- ') here: check the indentation (this list begins at line 2, column 3)
     routes: []
     ^)"},
    {"ColonInAValue", R"(port: a: b
)",
     R"(gate.yaml:1:8: a ':' is not expected here: put the value in quotes, or check the indentation
  port: a: b
         ^)"},
    {"MissingColon", R"(port: 7000
admin_port
via: true
)",
     R"(gate.yaml:2:1: expected ':' after this key, on the same line
  admin_port
  ^)"},
    {"AtSign", R"(log_level: @info
)",
     R"(gate.yaml:1:12: a value cannot begin with '@': put it in quotes
  log_level: @info
             ^)"},
    {"Percent", R"(log_level: %info
)",
     R"(gate.yaml:1:12: a value cannot begin with '%': put it in quotes
  log_level: %info
             ^)"},
    {"Star", R"(log_level: *
)",
     R"(gate.yaml:1:13: a value cannot begin with '*' or '&': put it in quotes
  log_level: *
              ^)"},
    {"Exclamation", R"(log_level: !a!b
)",
     R"(gate.yaml:1:12: tags are not supported: put a value that begins with '!' in quotes
  log_level: !a!b
             ^)"},
    {"Backslash", R"(a: "\d+"
)",
     R"(gate.yaml:1:5: unknown escape in a double-quoted string: write '\\' for a backslash, or use single quotes
  a: "\d+"
      ^)"},
    {"ListOnTheKeysLine", R"(observed_services: - name: a
)",
     R"(gate.yaml:1:20: a list item ('- ') is not expected here: begin the list on a line of its own
  observed_services: - name: a
                     ^)"},
    {"DeepNesting", R"(a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
)",
     R"(gate.yaml:1:36: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: lists and mappings are nested more than 32 deep
  a: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
                                     ^)"},
};

class YamlErrors : public testing::TestWithParam<ErrorRow> {};

TEST_P(YamlErrors, SaysExactly) {
  const ErrorRow& row = GetParam();
  EXPECT_EQ(diagnose(std::string(row.text)), row.expected);
}

INSTANTIATE_TEST_SUITE_P(Rows, YamlErrors, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace restgate::config
