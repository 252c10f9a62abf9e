#include "master/demo/demo_config.h"

#include <string_view>

namespace restgate::demo {
namespace {

// %G, %A and %O stand for the ports of the gateway, its admin side and the origin.
constexpr std::string_view kConfig =
    R"(# RESTGate's demo: four services, all of them the built-in demo origin but the last.
port: %G
admin_port: %A
response_header_timeout: 10s

observed_services:
  - name: greeter
    service_url: http://127.0.0.1:%O
    routes:
      - name: hello
        methods: "GET"
        pattern: /hello/{name}
        description: One path segment, whatever it is
      - name: echo
        methods: "GET,POST,PUT,PATCH,DELETE,OPTIONS"
        pattern: /echo/{rest...}
        description: Every path below /echo/

  - name: orders
    service_url: http://127.0.0.1:%O/shop/v1?tenant=demo
    routes:
      - name: orders
        methods: "GET,POST"
        pattern: /orders
        description: A base path and a query that the service wants are added
      - name: order
        methods: "GET,PUT,DELETE"
        pattern: /orders/{id:[0-9]+}
        description: A segment of digits
      - name: latest_order
        methods: "GET"
        pattern: /orders/latest
        description: A literal goes before a regular expression

  - name: streams
    service_url: http://127.0.0.1:%O
    routes:
      - name: slow
        methods: "GET"
        pattern: /slow
        description: Answers after ?ms=N milliseconds
      - name: events
        methods: "GET"
        pattern: /events
        description: Server-sent events, one a second
      - name: websocket
        methods: "GET"
        pattern: /ws
        description: A WebSocket that sends every message back
      - name: stream
        methods: "GET"
        pattern: /stream
        description: A body of ?mb=N MiB

  - name: broken
    service_url: http://127.0.0.1:1
    routes:
      - name: broken
        methods: "GET"
        pattern: /broken
        description: Nobody listens there
)";

// '|' leads to the column of the notes.
constexpr std::string_view kGreeting = R"(
RESTGate serves on  http://127.0.0.1:%G  (the gateway, in front of a built-in demo service)
and on              http://127.0.0.1:%A  (its admin side)

Try, in another terminal:

  curl -i http://127.0.0.1:%G/hello/world|the request, as the service got it
  curl -i -d 'two coffees' http://127.0.0.1:%G/orders|a body; this service has a base path and a query
  curl -i http://127.0.0.1:%G/orders/42|{id:[0-9]+}
  curl -i http://127.0.0.1:%G/orders/forty-two|no route: 404
  curl -i -X DELETE http://127.0.0.1:%G/hello/world|not this method: 405 and Allow
  curl -i 'http://127.0.0.1:%G/echo/a/b/c?d=e'|{rest...}
  curl -i 'http://127.0.0.1:%G/slow?ms=3000'|an answer after three seconds
  curl -i 'http://127.0.0.1:%G/slow?ms=20000'|too slow: 504 after ten
  curl -i http://127.0.0.1:%G/broken|nobody behind it: 502
  curl -N http://127.0.0.1:%G/events|server-sent events, as they happen
  curl -o /dev/null 'http://127.0.0.1:%G/stream?mb=1000'|a gigabyte
  python3 -m websockets ws://127.0.0.1:%G/ws|a WebSocket (package python3-websockets)

  http://127.0.0.1:%A/|a page that shows what the gateway is doing
  curl http://127.0.0.1:%A/metrics|what the gateway has counted
  curl http://127.0.0.1:%A/readyz|also /healthz, /version and /status
  restgate demo -print-config|the configuration behind all this

Ctrl-C ends it.

)";

constexpr size_t kNoteColumn = 60;

std::string fill_in(std::string_view text, const DemoPorts& ports) {
  std::string filled;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '|') {
      const size_t column = filled.size() - (filled.rfind('\n') + 1);
      filled.append(column < kNoteColumn ? kNoteColumn - column : 1, ' ');
      continue;
    }
    if (text[i] != '%') {
      filled.push_back(text[i]);
      continue;
    }
    switch (text[++i]) {
      case 'G':
        filled += std::to_string(ports.gateway);
        break;
      case 'A':
        filled += std::to_string(ports.admin);
        break;
      default:
        filled += std::to_string(ports.origin);
        break;
    }
  }
  return filled;
}

}  // namespace

std::string demo_config(const DemoPorts& ports) {
  return fill_in(kConfig, ports);
}

std::string demo_greeting(const DemoPorts& ports) {
  return fill_in(kGreeting, ports);
}

}  // namespace restgate::demo
