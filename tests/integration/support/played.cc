#include "integration/support/played.h"

#include <poll.h>

#include <array>
#include <utility>

namespace restgate::itest {

namespace {

ConfigText config_of(const std::string& url, const PlayedOptions& options) {
  ConfigText config;
  for (const auto& [key, value] : options.settings) config.set(key, value);
  config.service("backend", url, options.service).route("all", "GET,POST,PUT", "/{path...}", options.route);
  return config;
}

}  // namespace

Played::Played(const PlayedOptions& options) : gateway(config_of(origin.url() + options.base, options)) {}

void Played::await_backend() {
  const Deadline deadline;
  while (backend.open()) {
    std::array<pollfd, 2> entries{pollfd{backend.fd(), POLLIN, 0}, pollfd{origin.fd(), POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), deadline.left_ms()) == 0) throw Failure("no request at the origin");
    if (entries[1].revents != 0) break;
    if (entries[0].revents != 0 && backend.wait_readable()) return;
    if (entries[0].revents != 0) backend.close();
  }
  backend = origin.accept();
}

Message Played::forward(std::string_view request) {
  client = gateway.connect();
  client.send(request);
  await_backend();
  return backend.read_request();
}

Played::Passed Played::pass(std::string_view request, std::string_view answer) {
  client = gateway.connect();
  return pass_on_same(request, answer);
}

Played::Passed Played::pass_on_same(std::string_view request, std::string_view answer) {
  client.send(request);
  await_backend();
  Message received = backend.read_request();
  backend.send(answer);
  return {std::move(received), client.read_response(request.substr(0, request.find(' ')))};
}

std::string request_head(std::string_view method, std::string_view target, std::string_view field_lines) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: client.test\r\n" +
         std::string(field_lines) + "\r\n";
}

}  // namespace restgate::itest
