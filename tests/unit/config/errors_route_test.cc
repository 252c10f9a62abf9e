// Keys of a route: name, methods, pattern.
#include <gtest/gtest.h>

#include <string>

#include "config/error_rows.h"

namespace restgate::config {
namespace {

const ErrorRow kRows[] = {
    {"Missing", "name: r",
     R"(gate.yaml:5:9: observed_services[0].routes[0].methods: this key is required and missing
        - name: r
          ^
gate.yaml:5:9: observed_services[0].routes[0].pattern: this key is required and missing
        - name: r
          ^)"},
    {"UnknownKey", R"(name: r
methods: GET
patern: /x)",
     R"(gate.yaml:7:9: observed_services[0].routes[0].patern: unknown key; did you mean 'pattern'?
          patern: /x
          ^)"},
    {"NameEmpty", R"(name: ''
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: is empty: expected a name
        - name: ''
                ^)"},
    {"NameControl", R"(name: "a\nb"
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: has a control character: 'a\nb'
        - name: "a\nb"
                ^)"},
    {"NameBlank", R"(name: ' r'
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: begins or ends with a blank: ' r'
        - name: ' r'
                ^)"},
    {"NameReserved", R"(name: unmatched
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: 'unmatched' is reserved: metrics use it for requests that match no route
        - name: unmatched
                ^)"},
    {"NameLong",
     R"(name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: is longer than 128 bytes
        - name: nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn...
                ^)"},
    {"NameMapping", R"(name: {a: b}
methods: GET
pattern: /)",
     R"(gate.yaml:5:15: observed_services[0].routes[0].name: expected a name, got a mapping: put a value that begins with '{' in quotes
        - name: {a: b}
                ^)"},
    {"MethodLower", R"(name: r
methods: GET,post
pattern: /)",
     R"(gate.yaml:6:22: observed_services[0].routes[0].methods: methods are case-sensitive; did you mean 'POST'?
          methods: GET,post
                       ^)"},
    {"MethodTwice", R"(name: r
methods: GET, GET
pattern: /)",
     R"(gate.yaml:6:23: observed_services[0].routes[0].methods: GET is named twice
          methods: GET, GET
                        ^)"},
    {"MethodEmpty", R"(name: r
methods: GET,,POST
pattern: /)",
     R"(gate.yaml:6:22: observed_services[0].routes[0].methods: a method is missing
          methods: GET,,POST
                       ^)"},
    {"MethodStar", R"(name: r
methods: '*'
pattern: /)",
     R"(gate.yaml:6:19: observed_services[0].routes[0].methods: '*' is not supported: name the methods, as in 'GET,POST'
          methods: '*'
                    ^)"},
    {"MethodConnect", R"(name: r
methods: CONNECT
pattern: /)",
     R"(gate.yaml:6:18: observed_services[0].routes[0].methods: CONNECT is not supported: RESTGate is not a forward proxy
          methods: CONNECT
                   ^)"},
    {"MethodBad", R"(name: r
methods: G(T
pattern: /)",
     R"(gate.yaml:6:19: observed_services[0].routes[0].methods: 'G(T' is not a method name
          methods: G(T
                    ^)"},
    {"MethodBlank", R"(name: r
methods: GET POST
pattern: /)",
     R"(gate.yaml:6:21: observed_services[0].routes[0].methods: 'GET POST' is not a method name
          methods: GET POST
                      ^)"},
    {"MethodsMissing", R"(name: r
methods:
pattern: /)",
     R"(gate.yaml:6:17: observed_services[0].routes[0].methods: expected methods such as 'GET,POST', got no value
          methods:
                  ^)"},
    {"MethodsEmptyList", R"(name: r
methods: []
pattern: /)",
     R"(gate.yaml:6:18: observed_services[0].routes[0].methods: the list is empty: a route needs a method
          methods: []
                   ^)"},
    {"MethodsList", R"(name: r
methods: [GET, get, {}]
pattern: /)",
     R"(gate.yaml:6:24: observed_services[0].routes[0].methods: methods are case-sensitive; did you mean 'GET'?
          methods: [GET, get, {}]
                         ^
gate.yaml:6:29: observed_services[0].routes[0].methods: expected a method such as GET, got a mapping
          methods: [GET, get, {}]
                              ^)"},
    {"PatternMapping", R"(name: r
methods: GET
pattern: {id})",
     R"(gate.yaml:7:18: observed_services[0].routes[0].pattern: expected a path pattern such as /account/{id}, got a mapping: put a value that begins with '{' in quotes
          pattern: {id}
                   ^)"},
    {"PatternMissing", R"(name: r
methods: GET
pattern: ~)",
     R"(gate.yaml:7:18: observed_services[0].routes[0].pattern: expected a path pattern such as /account/{id}, got no value
          pattern: ~
                   ^)"},
    {"TopKeyInARoute", R"(name: r
methods: GET
pattern: /
idle_timeout: 5s)",
     R"(gate.yaml:8:9: observed_services[0].routes[0].idle_timeout: unknown key here: it belongs to the top level
          idle_timeout: 5s
          ^)"},
    {"DescriptionList", R"(name: r
methods: GET
pattern: /
description: [a])",
     R"(gate.yaml:8:22: observed_services[0].routes[0].description: expected text, got a list
          description: [a]
                       ^)"},
    {"TimeoutWithoutUnit", R"(name: r
methods: GET
pattern: /
read_timeout: 5)",
     R"(gate.yaml:8:24: observed_services[0].routes[0].read_timeout: the unit is missing: write '5s' for seconds or '5ms' for milliseconds
          read_timeout: 5
                         ^)"},
};

class RouteErrors : public testing::TestWithParam<ErrorRow> {};

TEST_P(RouteErrors, SaysExactly) {
  const ErrorRow& row = GetParam();
  EXPECT_EQ(diagnose(as_route(row.text)), row.expected);
}

INSTANTIATE_TEST_SUITE_P(Rows, RouteErrors, testing::ValuesIn(kRows), row_name);

}  // namespace
}  // namespace restgate::config
