#include "integration/torture/peer.h"

#include <signal.h>
#include <unistd.h>

#include <sstream>
#include <utility>
#include <vector>

#include "integration/support/stream.h"
#include "integration/torture/ports.h"
#include "integration/torture/processes.h"

namespace restgate::itest::torture {

namespace {

// `user root`: its workers reach the directory of the test. keepalive_requests: the default of 1000 would end
// connections that nobody reloads.
constexpr const char* kNginxConfig = R"(daemon off;
user root;
worker_processes 4;
pid %D/pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path %D/body;
  proxy_temp_path %D/proxy;
  fastcgi_temp_path %D/fastcgi;
  uwsgi_temp_path %D/uwsgi;
  scgi_temp_path %D/scgi;
  keepalive_timeout 120s;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  map $http_upgrade $connection_field { default upgrade; '' ''; }
  upstream stage { server 127.0.0.1:%O; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen %A:%P;
    location / {
      proxy_pass http://stage;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_field;
      proxy_read_timeout 1h;
    }
  }
}
)";

constexpr const char* kHaproxyConfig = R"(global
  maxconn 4096
  nbthread 4
  stats socket %D/socket mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 5s
  timeout client 120s
  timeout server 120s
  timeout http-keep-alive 120s
  timeout tunnel 1h
frontend clients
  bind %A:%P
  default_backend stage
backend stage
  server origin 127.0.0.1:%O
)";

std::string filled(std::string text, const std::vector<std::pair<std::string, std::string>>& values) {
  for (const auto& [mark, value] : values)
    for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size())
      text.replace(at, mark.size(), value);
  return text;
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

PeerKind nginx() {
  return {"nginx", "/usr/sbin/nginx", "-c %C -p %D", kNginxConfig, SIGHUP, "start worker processes", "-v"};
}

PeerKind haproxy(bool gentle) {
  PeerKind kind{"haproxy", "/usr/sbin/haproxy", "-W -f %C", kHaproxyConfig, SIGUSR2, "Loading success", "-v"};
  if (gentle) {
    kind.name = "haproxy, idle-close-on-response";
    kind.config.insert(kind.config.find("frontend"), "  option idle-close-on-response\n");
  }
  return kind;
}

bool Peer::there(const PeerKind& kind) {
  return ::access(kind.program.c_str(), X_OK) == 0;
}

Peer::Peer(const PeerKind& kind, const std::string& address, uint16_t origin_port)
    : kind_(kind), port_(free_ports(1).front()) {
  const std::string config = directory_.write("config", filled(kind.config, {{"%D", directory_.path()},
                                                                             {"%A", address},
                                                                             {"%P", std::to_string(port_)},
                                                                             {"%O", std::to_string(origin_port)}}));
  const std::string arguments = filled(kind.arguments, {{"%C", config}, {"%D", directory_.path()}});
  process_.emplace(kind.program, ProcessOptions{.arguments = words_of(arguments), .environment = {}});
  if (!eventually([&] { return process_->ended() || generations() > 0; }) || process_->ended())
    throw Failure(kind.name + " does not listen; it says:\n" + process_->err_text());
}

size_t Peer::processes() const {
  return processes_of_group(process_->pid()).size();
}

size_t Peer::generations() const {
  size_t count = 0;
  for (const std::string& line : process_->err_lines())
    if (line.find(kind_.reload_mark) != std::string::npos) ++count;
  return count;
}

std::string Peer::version() const {
  Process asked(kind_.program, {.arguments = {kind_.version_arg}, .environment = {}});
  asked.wait_exit();
  for (const auto& lines : {asked.out_lines(), asked.err_lines()})
    if (!lines.empty()) return lines.front();
  return "?";
}

}  // namespace restgate::itest::torture
